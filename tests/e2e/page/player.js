// One player with one engine, and all that is to be told about it.

import { Playhead } from './playhead.js';

/** Lines of history that are kept. */
const HISTORY_MAX = 60;

const blankState = () => ({
  httpBytes: 0,
  peerBytes: {},
  uploadedBytes: {},
  peers: [],
  peersSeen: [],
  /** What the player was given: URL, length and SHA-256 of each segment. */
  delivered: [],
  loaded: { http: 0, p2p: 0 },
  fatal: [],
  errors: {},
  engineErrors: {},
  /** Segments between the first one played and the live edge, both included. */
  placed: null,
  /** Renditions played, each when playback reaches it, by their place from the lowest. */
  levels: [],
  /** What happened to peers, for people: the last lines. */
  history: [],
});

/** Plays one stream, and tells what it was really given. */
export class Player {
  #video;
  #playhead;
  #state = blankState();
  #hls;

  constructor(video) {
    this.#video = video;
    this.#playhead = new Playhead(video);
  }

  /** Begins to play. The options are those of `start` in viewer.js. */
  async start({ engine, manifestUrl, hls: hlsConfig, core, quality }) {
    const hls = engine ? await makePlayer(engine, hlsConfig, core) : new window.Hls(hlsConfig);
    this.#hls = hls;
    if (engine) this.#followEngine(hls.p2pEngine);
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
    this.#playhead.destroy();
  }

  report() {
    const { currentTime: position, paused, ended } = this.#video;
    const { playedS, aheadS, stalls, longestAwayMs } = this.#playhead;
    const played = { position, playedS, aheadS, paused, ended, stalls, longestAwayMs };
    return { ...this.#state, ...played, latencyS: this.#latencyS() };
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

  #note(text) {
    const { history } = this.#state;
    history.push(`${(performance.now() / 1000).toFixed(2)} ${text}`);
    if (history.length > HISTORY_MAX) history.shift();
  }

  #followEngine(engine) {
    const state = this.#state;
    const add = (table, key, bytes) => (table[key] = (table[key] ?? 0) + bytes);
    engine.addEventListener('onChunkDownloaded', (bytes, source, peerId) => {
      if (source === 'http') state.httpBytes += bytes;
      else add(state.peerBytes, peerId, bytes);
    });
    engine.addEventListener('onChunkUploaded', (bytes, peerId) => add(state.uploadedBytes, peerId, bytes));
    engine.addEventListener('onSegmentLoaded', ({ segmentUrl, segment, downloadSource, peerId }) => {
      this.#note(`loaded ${nameOf(segmentUrl ?? segment?.url)} by ${downloadSource} ${peerId ?? ''}`);
      state.loaded[downloadSource] += 1;
    });
    engine.addEventListener('onPeerConnect', ({ peerId }) => {
      this.#note(`connected ${peerId}`);
      state.peers.push(peerId);
      if (!state.peersSeen.includes(peerId)) state.peersSeen.push(peerId);
    });
    engine.addEventListener('onPeerClose', ({ peerId }) => {
      this.#note(`closed ${peerId}`);
      const place = state.peers.indexOf(peerId);
      if (place >= 0) state.peers.splice(place, 1);
    });
    engine.addEventListener('onSegmentError', ({ error, downloadSource, peerId }) => {
      this.#note(`error ${downloadSource} ${peerId ?? ''} ${error?.type ?? error}`);
      add(state.engineErrors, `${downloadSource} ${error?.type ?? error}`, 1);
    });
  }

  #followPlayer() {
    const [hls, state] = [this.#hls, this.#state];
    hls.on(window.Hls.Events.ERROR, (_event, { type, details, fatal, error }) => {
      state.errors[details] = (state.errors[details] ?? 0) + 1;
      if (fatal) state.fatal.push(`${type}/${details}: ${error?.message}`);
    });
    hls.on(window.Hls.Events.FRAG_CHANGED, (_event, { frag }) => {
      const edge = hls.levels[frag.level]?.details?.endSN;
      if (state.placed === null && edge !== undefined) state.placed = edge - frag.sn + 1;
      if (state.levels.at(-1)?.level !== frag.level) {
        state.levels.push({ atS: this.#playhead.playedS, level: frag.level });
      }
    });
  }

  /** Puts itself between the loader and the player: what passes here is what gets played. */
  #recordDeliveries() {
    const { config } = this.#hls;
    const EngineLoader = config.fLoader ?? config.loader;
    const record = (context, data) => this.#recordDelivery(context, data);
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

  /** The copy is taken before the player can transfer the buffer to its worker. */
  #recordDelivery({ url, frag, rangeStart, rangeEnd }, data) {
    const state = this.#state;
    if (data.detached) return void state.fatal.push(`the engine delivered a detached buffer for ${url}`);
    const copy = data.slice(0);
    const address = rangeEnd ? `${url}#${rangeStart}-${rangeEnd}` : url;
    const entry = { url: address, sequence: frag.sn, bytes: copy.byteLength, sha256: '' };
    state.delivered.push(entry);
    crypto.subtle.digest('SHA-256', copy).then((digest) => {
      entry.sha256 = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, '0')).join('');
    });
  }
}

async function makePlayer(engine, hlsConfig, core) {
  const { HlsJsP2PEngine } = await import(engine);
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(window.Hls);
  return new HlsWithP2P({ ...hlsConfig, p2p: { core } });
}

/** The end of a segment's URL: rendition and number. */
const nameOf = (url = '') => url.split('/').slice(-2).join('/');
