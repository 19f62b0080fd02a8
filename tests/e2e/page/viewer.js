// A page that plays one stream through one engine, and tells all about it.
//
// `start(options)` begins; `report()` tells. Options: `engine` (URL or name of the module that
// exports HlsJsP2PEngine), `manifestUrl`, `hls` and `core` (configurations), `quality` (`high`
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
};

window.start = async ({ engine, manifestUrl, hls: hlsConfig, core, quality }) => {
  const { HlsJsP2PEngine } = await import(engine);
  const HlsWithP2P = HlsJsP2PEngine.injectMixin(window.Hls);
  const hls = new HlsWithP2P({ ...hlsConfig, p2p: { core } });
  window.hls = hls;
  followEngine(hls.p2pEngine);
  followPlayer(hls);
  recordDeliveries(hls);
  hls.on(window.Hls.Events.MANIFEST_PARSED, () => (hls.loadLevel = levelOf(quality)));
  hls.attachMedia(video);
  hls.loadSource(manifestUrl);
  video.autoplay = true;
};

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
  engine.addEventListener('onSegmentLoaded', ({ downloadSource }) => (state.loaded[downloadSource] += 1));
  engine.addEventListener('onPeerConnect', ({ peerId }) => {
    state.peers.push(peerId);
    if (!state.peersSeen.includes(peerId)) state.peersSeen.push(peerId);
  });
  engine.addEventListener('onPeerClose', ({ peerId }) => {
    const place = state.peers.indexOf(peerId);
    if (place >= 0) state.peers.splice(place, 1);
  });
  engine.addEventListener('onSegmentError', ({ error, downloadSource }) => {
    add(state.engineErrors, `${downloadSource} ${error?.type ?? error}`, 1);
  });
}

function followPlayer(hls) {
  hls.on(window.Hls.Events.ERROR, (_event, { type, details, fatal, error }) => {
    state.errors[details] = (state.errors[details] ?? 0) + 1;
    if (fatal) state.fatal.push(`${type}/${details}: ${error?.message}`);
  });
}

/** Puts itself between the engine's loader and the player: what passes here is what gets played. */
function recordDeliveries(hls) {
  const EngineLoader = hls.config.fLoader;
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
