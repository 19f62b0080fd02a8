// What is to be told about one player and its engine, whichever they are.

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
  /** How many segments the engine loaded from each URL. */
  loadedFrom: {},
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

export class Account {
  state = blankState();
  playhead;
  #video;

  constructor(video) {
    this.#video = video;
    this.playhead = new Playhead(video);
  }

  report() {
    const { currentTime: position, paused, ended } = this.#video;
    const { playedS, aheadS, stalls, longestAwayMs } = this.playhead;
    return { ...this.state, position, playedS, aheadS, paused, ended, stalls, longestAwayMs };
  }

  /** An error that the player got over. */
  countError(name) {
    add(this.state.errors, name, 1);
  }

  /** The player plays this rendition from now on. */
  reachLevel(level) {
    if (this.state.levels.at(-1)?.level !== level) this.state.levels.push({ atS: this.playhead.playedS, level });
  }

  followEngine(engine) {
    const state = this.state;
    engine.addEventListener('onChunkDownloaded', (bytes, source, peerId) => {
      if (source === 'http') state.httpBytes += bytes;
      else add(state.peerBytes, peerId, bytes);
    });
    engine.addEventListener('onChunkUploaded', (bytes, peerId) => add(state.uploadedBytes, peerId, bytes));
    engine.addEventListener('onSegmentLoaded', ({ segmentUrl, segment, downloadSource, peerId }) => {
      const url = segmentUrl ?? segment?.url;
      this.#note(`loaded ${nameOf(url)} by ${downloadSource} ${peerId ?? ''}`);
      state.loaded[downloadSource] += 1;
      add(state.loadedFrom, url, 1);
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

  /**
   * What the player is given. The copy is taken before the player can transfer the buffer to its worker.
   * `range`: from and to, the latter excluded; `about`: more to be told of it.
   */
  recordDelivery(url, range, data, about = {}) {
    const { delivered, fatal } = this.state;
    if (data.detached ?? data.buffer?.detached) return void fatal.push(`the engine delivered a detached buffer for ${url}`);
    const copy = data.slice(0);
    const entry = { url: range ? `${url}#${range[0]}-${range[1]}` : url, bytes: copy.byteLength, sha256: '', ...about };
    delivered.push(entry);
    crypto.subtle.digest('SHA-256', copy).then((digest) => {
      entry.sha256 = [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, '0')).join('');
    });
  }

  #note(text) {
    const { history } = this.state;
    history.push(`${(performance.now() / 1000).toFixed(2)} ${text}`);
    if (history.length > HISTORY_MAX) history.shift();
  }
}

const add = (table, key, number) => (table[key] = (table[key] ?? 0) + number);

/** The end of a segment's URL: rendition and number. */
const nameOf = (url = '') => url.split('/').slice(-2).join('/');
