// hls.js with one engine, and all that is to be told about it.

import { Account } from './account.js';

/** Plays one stream, and tells what it was really given. */
export class Player {
  #video;
  #account;
  #hls;

  constructor(video) {
    this.#video = video;
    this.#account = new Account(video);
  }

  /** Begins to play. The options are those of `start` in viewer.js. */
  async start({ engine, manifestUrl, player: hlsConfig, core, quality }) {
    const hls = engine ? await makePlayer(engine, hlsConfig, core) : new window.Hls(hlsConfig);
    this.#hls = hls;
    if (engine) this.#account.followEngine(hls.p2pEngine);
    this.#followPlayer();
    this.#recordDeliveries();
    hls.on(window.Hls.Events.MANIFEST_PARSED, () => (hls.loadLevel = this.#levelOf(quality)));
    hls.attachMedia(this.#video);
    hls.loadSource(manifestUrl);
    this.#video.autoplay = true;
  }

  /** Throws the buffer away and goes on in another rendition. */
  switchTo(quality) {
    this.#hls.currentLevel = this.#levelOf(quality);
  }

  /** Ends player and engine; what was counted can still be asked for. */
  destroy() {
    this.#hls?.destroy();
    this.#account.playhead.destroy();
  }

  report() {
    return { ...this.#account.report(), latencyS: this.#latencyS() };
  }

  /** Behind the clock, where the stream says what the clock showed. */
  #latencyS() {
    const date = this.#hls?.playingDate;
    return date ? (Date.now() - date.getTime()) / 1000 : null;
  }

  /** hls.js sorts renditions by bitrate, lowest first; -1 is automatic. */
  #levelOf(quality) {
    return { low: 0, high: this.#hls.levels.length - 1, auto: -1 }[quality];
  }

  #followPlayer() {
    const [hls, account] = [this.#hls, this.#account];
    const { state } = account;
    hls.on(window.Hls.Events.ERROR, (_event, { type, details, fatal, error }) => {
      account.countError(details);
      if (fatal) state.fatal.push(`${type}/${details}: ${error?.message}`);
    });
    hls.on(window.Hls.Events.FRAG_CHANGED, (_event, { frag }) => {
      const edge = hls.levels[frag.level]?.details?.endSN;
      if (state.placed === null && edge !== undefined) state.placed = edge - frag.sn + 1;
      account.reachLevel(frag.level);
    });
  }

  /** Puts itself between the loader and the player: what passes here is what gets played. */
  #recordDeliveries() {
    const { config } = this.#hls;
    const EngineLoader = config.fLoader ?? config.loader;
    const record = ({ url, rangeStart, rangeEnd }, data) =>
      this.#account.recordDelivery(url, rangeEnd && [rangeStart, rangeEnd], data);
    config.fLoader = class extends EngineLoader {
      load(context, loaderConfig, callbacks) {
        const onSuccess = (response, stats, about, details) => {
          record(context, response.data);
          callbacks.onSuccess(response, stats, about, details);
        };
        super.load(context, loaderConfig, { ...callbacks, onSuccess });
      }
    };
  }
}

async function makePlayer(engine, hlsConfig, core) {
  const { HlsJsP2PEngine } = await import(engine);
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(window.Hls);
  return new HlsWithP2P({ ...hlsConfig, p2p: { core } });
}
