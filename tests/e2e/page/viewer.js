// A page that plays one stream through one engine, and tells all about it.
//
// `start(options)` begins; `report()` tells. Options: `engine` (URL or name of the module that
// exports HlsJsP2PEngine; empty for stock hls.js), `manifestUrl`, `hls` and `core` (configurations), `quality` (`high`
// or `low`: the rendition to stay at; `auto`: the player chooses).

import { Playhead } from './playhead.js';

const video = document.querySelector('video');
const playhead = new Playhead(video);

const state = {
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
};

/** Lines of history that are kept. */
const HISTORY_MAX = 60;
const note = (text) => {
  state.history.push(`${(performance.now() / 1000).toFixed(2)} ${text}`);
  if (state.history.length > HISTORY_MAX) state.history.shift();
};

window.start = async ({ engine, manifestUrl, hls: hlsConfig, core, quality }) => {
  const hls = engine ? await makePlayer(engine, hlsConfig, core) : new window.Hls(hlsConfig);
  window.hls = hls;
  if (engine) followEngine(hls.p2pEngine);
  followPlayer(hls);
  recordDeliveries(hls);
  hls.on(window.Hls.Events.MANIFEST_PARSED, () => (hls.loadLevel = levelOf(quality)));
  hls.attachMedia(video);
  hls.loadSource(manifestUrl);
  video.autoplay = true;
};

async function makePlayer(engine, hlsConfig, core) {
  const { HlsJsP2PEngine } = await import(engine);
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(window.Hls);
  return new HlsWithP2P({ ...hlsConfig, p2p: { core } });
}

window.switchTo = (quality) => (window.hls.currentLevel = levelOf(quality));

/** hls.js sorts renditions by bitrate, lowest first; -1 is automatic. */
const levelOf = (quality) => ({ low: 0, high: window.hls.levels.length - 1, auto: -1 })[quality];

window.report = () => ({
  ...state,
  position: video.currentTime,
  playedS: playhead.playedS,
  aheadS: playhead.aheadS,
  paused: video.paused,
  ended: video.ended,
  stalls: playhead.stalls,
});

function followEngine(engine) {
  const add = (table, key, bytes) => (table[key] = (table[key] ?? 0) + bytes);
  engine.addEventListener('onChunkDownloaded', (bytes, source, peerId) => {
    if (source === 'http') state.httpBytes += bytes;
    else add(state.peerBytes, peerId, bytes);
  });
  engine.addEventListener('onChunkUploaded', (bytes, peerId) => add(state.uploadedBytes, peerId, bytes));
  engine.addEventListener('onSegmentLoaded', ({ segmentUrl, segment, downloadSource, peerId }) => {
    note(`loaded ${nameOf(segmentUrl ?? segment?.url)} by ${downloadSource} ${peerId ?? ''}`);
    state.loaded[downloadSource] += 1;
  });
  engine.addEventListener('onPeerConnect', ({ peerId }) => {
    note(`connected ${peerId}`);
    state.peers.push(peerId);
    if (!state.peersSeen.includes(peerId)) state.peersSeen.push(peerId);
  });
  engine.addEventListener('onPeerClose', ({ peerId }) => {
    note(`closed ${peerId}`);
    const place = state.peers.indexOf(peerId);
    if (place >= 0) state.peers.splice(place, 1);
  });
  engine.addEventListener('onSegmentError', ({ error, downloadSource, peerId }) => {
    note(`error ${downloadSource} ${peerId ?? ''} ${error?.type ?? error}`);
    add(state.engineErrors, `${downloadSource} ${error?.type ?? error}`, 1);
  });
}

/** The end of a segment's URL: rendition and number. */
const nameOf = (url = '') => url.split('/').slice(-2).join('/');

function followPlayer(hls) {
  hls.on(window.Hls.Events.ERROR, (_event, { type, details, fatal, error }) => {
    state.errors[details] = (state.errors[details] ?? 0) + 1;
    if (fatal) state.fatal.push(`${type}/${details}: ${error?.message}`);
  });
  hls.on(window.Hls.Events.FRAG_CHANGED, (_event, { frag }) => {
    const edge = hls.levels[frag.level]?.details?.endSN;
    if (state.placed === null && edge !== undefined) state.placed = edge - frag.sn + 1;
    if (state.levels.at(-1)?.level !== frag.level) state.levels.push({ atS: playhead.playedS, level: frag.level });
  });
}

/** Puts itself between the loader and the player: what passes here is what gets played. */
function recordDeliveries(hls) {
  const EngineLoader = hls.config.fLoader ?? hls.config.loader;
  hls.config.fLoader = class extends EngineLoader {
    load(context, config, callbacks) {
      const onSuccess = (response, stats, about, details) => {
        recordDelivery(context, response.data);
        callbacks.onSuccess(response, stats, about, details);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}

/** The copy is taken before the player can transfer the buffer to its worker. */
function recordDelivery({ url, frag }, data) {
  if (data.detached) return void state.fatal.push(`the engine delivered a detached buffer for ${url}`);
  const copy = data.slice(0);
  const entry = { url, sequence: frag.sn, bytes: copy.byteLength, sha256: '' };
  state.delivered.push(entry);
  crypto.subtle.digest('SHA-256', copy).then((digest) => {
    entry.sha256 = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, '0')).join('');
  });
}
