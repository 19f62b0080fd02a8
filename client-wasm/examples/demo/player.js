// One hls.js on the video element, with our client when it can be had, without it when not.

import { isSeeder } from "./meter.js";

/** Wait before a channel that could not be loaded is asked for again. */
const RETRY_MS = 4_000;

/** The client, or undefined: then everything plays over HTTP as ever. */
export async function loadEngine(config) {
  if (!config.clientBuilt) return undefined;
  try {
    const module = await import("/client/beekeepr-hlsjs.js");
    return module.HlsJsP2PEngine;
  } catch (error) {
    console.error("the client cannot be loaded; playing over HTTP", error);
    return undefined;
  }
}

/** Who this page is for the tracker, the same each time that it asks. */
const VIEWER = crypto.getRandomValues(new Uint32Array(4)).join("");

/** A token for the tracker; the client asks again before it runs out. */
async function getToken() {
  const response = await fetch(`/token?viewer=${VIEWER}`);
  if (!response.ok) throw new Error(`/token: status ${response.status}`);
  return response.text();
}

/** Plays a channel until `stop`. */
export class Player {
  #video;
  #meter;
  #peers;
  #notice;
  #retry;
  hls;

  constructor({ video, meter, peers, notice, Engine, config, channel }) {
    this.#video = video;
    this.#meter = meter;
    this.#peers = peers;
    this.#notice = notice;
    const { Hls } = window;
    const Player = Engine ? Engine.injectMixin(Hls) : Hls;
    this.hls = new Player(Engine ? { p2p: this.#p2p(config, channel) } : {});
    if (!Engine) this.#countPlainHttp(Hls);
    this.#keepPlaying(Hls, channel);
    this.hls.attachMedia(video);
    this.hls.loadSource(channel.manifest);
  }

  stop() {
    clearTimeout(this.#retry);
    this.hls.destroy();
  }

  get engine() {
    return this.hls.p2pEngine;
  }

  #p2p(config, channel) {
    return {
      core: {
        swarmId: channel.swarmId,
        announceTrackers: config.trackers,
        rtcConfig: { iceServers: config.stun.length > 0 ? [{ urls: config.stun }] : [] },
        ...(config.tokens === "given" && { token: getToken }),
      },
      onHlsJsCreated: (hls) => this.#listen(hls.p2pEngine),
    };
  }

  #listen(engine) {
    engine.addEventListener("onChunkDownloaded", (bytes, source, peerId) => {
      if (source === "http") {
        this.#meter.add("http", bytes);
        return;
      }
      this.#meter.add(isSeeder(peerId) ? "seeder" : "peer", bytes);
      this.#peers.moved(peerId, "down", bytes);
    });
    engine.addEventListener("onChunkUploaded", (bytes, peerId) => {
      this.#meter.add("upload", bytes);
      this.#peers.moved(peerId, "up", bytes);
    });
  }

  #countPlainHttp(Hls) {
    this.hls.on(Hls.Events.FRAG_LOADED, (_, { frag }) => this.#meter.add("http", frag.stats.loaded));
  }

  /** What hls.js gives up, we try again: a live channel may be away for a while. */
  #keepPlaying(Hls, channel) {
    const { hls } = this;
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.#notice(""));
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
        hls.recoverMediaError();
        return;
      }
      this.#notice(`Cannot load ${channel.name} (${channel.manifest}): ${data.details}. Trying again.`);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        if (hls.levels.length > 0) hls.startLoad();
        else hls.loadSource(channel.manifest);
      }, RETRY_MS);
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      // Browsers may want a click first; the controls are there for it.
      this.#video.play().catch(() => {});
    });
  }
}
