// @ts-check
// What one stream's manifests say at a given moment, and which clip segment stands behind each URL.

import { CLIP_S, LIVE_WINDOW_SEGMENTS, SEGMENT_S, VOD_SEGMENTS } from './settings.mjs';
import { AD_SEGMENTS } from './media.mjs';
import { Throttle } from './throttle.mjs';

/** @typedef {import('./media.mjs').Rendition} Rendition */

/**
 * Media sequence of the first segment. Not zero, so that whoever mistakes a segment's place in the
 * list for its media sequence (live) or the other way round (on demand) shares with nobody.
 */
const FIRST_SEQUENCE = 1000;

/**
 * @typedef {object} StreamOptions
 * @property {boolean} live
 * @property {Rendition[]} renditions
 * @property {number} [segments] how many a stream on demand has
 * @property {Rendition[]} [audio] sound apart from the picture; the attributes are those of its EXT-X-MEDIA
 * @property {number} [window] segments a live playlist lists
 * @property {boolean} [oneFile] the segments of a rendition are ranges of one file
 */

/** @typedef {'unavailable' | 'silent'} Trouble answered with 503, or not until it is over */

/** A stream with a manifest of its own, so that scenarios never meet in one swarm. */
export class Stream {
  /** @type {Map<string, number>} milliseconds by viewer */
  #delays = new Map();
  /** @type {{ kind: Trouble, over: Promise<void> } | null} */
  #trouble = null;
  #throttle = new Throttle();

  /**
   * @param {string} name unique among all streams of a run
   * @param {StreamOptions} options
   * @param {string} baseUrl the origin's, without a slash at the end
   */
  constructor(name, { live, renditions, segments = VOD_SEGMENTS, audio = [], window = LIVE_WINDOW_SEGMENTS, oneFile = false }, baseUrl) {
    this.name = name;
    this.live = live;
    this.renditions = renditions;
    this.audio = audio;
    this.window = window;
    this.oneFile = oneFile;
    this.segmentCount = segments;
    this.baseUrl = `${baseUrl}/${name}`;
    this.manifestUrl = `${this.baseUrl}/master.m3u8`;
    this.startedAt = Date.now();
  }

  /**
   * Lets the origin fail for everything of this stream, manifests and segments.
   * @param {Trouble} kind
   * @returns {() => void} ends it
   */
  breakDown(kind) {
    let end = () => {};
    this.#trouble = { kind, over: new Promise((done) => (end = done)) };
    return () => {
      this.#trouble = null;
      end();
    };
  }

  /** What is wrong with the origin at the moment, if anything is. */
  get trouble() {
    return this.#trouble;
  }

  /** The origin sends this stream's segments no faster than that. */
  limit(/** @type {import('./throttle.mjs').Limits} */ limits) {
    this.#throttle = new Throttle(limits);
  }

  get throttle() {
    return this.#throttle;
  }

  /** Lets `viewer` wait so long for the first byte of every segment; 0 ends it. */
  delay(/** @type {string} */ viewer, /** @type {number} */ ms) {
    this.#delays.set(viewer, ms);
  }

  /** @returns {number} milliseconds */
  delayOf(/** @type {string} */ viewer) {
    return this.#delays.get(viewer) ?? 0;
  }

  /** The numbers of the segments of each break for advertising. */
  get breaks() {
    const edges = this.renditions[0].segments.flatMap(({ breaks }, i) => (breaks ? [FIRST_SEQUENCE + i] : []));
    const begins = edges.filter((_, i) => i % 2 === 0);
    return begins.map((from) => Array.from({ length: AD_SEGMENTS }, (_, i) => from + i));
  }

  /** Picture and sound, as they are numbered in URLs. */
  get #tracks() {
    return [...this.renditions, ...this.audio];
  }

  /**
   * Waits until what is asked for is there, if it will be soon.
   * @param {string} _path below the stream's name
   * @param {URLSearchParams} _query
   */
  async ready(_path, _query) {}

  /**
   * @param {string} path below the stream's name
   * @returns {string | null} a manifest's text
   */
  manifest(path) {
    if (path === 'master.m3u8') return this.#master();
    const rendition = /^(\d+)\/index\.m3u8$/.exec(path)?.[1];
    const track = this.#tracks[Number(rendition)];
    return rendition !== undefined && track ? this.#playlist(track) : null;
  }

  /**
   * @param {string} path below the stream's name
   * @param {number} from first byte that is wanted
   * @returns {{ segment: import('./media.mjs').Segment, base: number } | null} and where in its file it begins
   */
  segment(path, from) {
    const [, rendition, sequence] = /^(\d+)\/(\d+|all)\.ts$/.exec(path) ?? [];
    const segments = this.#tracks[Number(rendition)]?.segments;
    if (!segments) return null;
    if (sequence === 'all') return rangeAt(segments, from);
    const segment = segments[(Number(sequence) - FIRST_SEQUENCE) % segments.length];
    return segment ? { segment, base: 0 } : null;
  }

  /**
   * What the licence server of an encrypted stream says.
   * @param {string} _body what a viewer's browser asks
   * @param {string} _viewer
   * @returns {string | null}
   */
  licence(_body, _viewer) {
    return null;
  }

  #master() {
    const variants = this.renditions.map((r, i) => `#EXT-X-STREAM-INF:${r.attributes}\n${i}/index.m3u8\n`);
    const sound = this.audio.map((r, i) => `#EXT-X-MEDIA:${r.attributes},URI="${this.renditions.length + i}/index.m3u8"\n`);
    return `#EXTM3U\n#EXT-X-VERSION:4\n${sound.join('')}${variants.join('')}`;
  }

  #playlist(/** @type {Rendition} */ { segments }) {
    const [from, to] = this.live ? this.#window() : [0, this.segmentCount];
    const breaks = (/** @type {number} */ i) => i > 0 && (i % segments.length === 0 || segments[i % segments.length].breaks);
    const lines = ['#EXTM3U', '#EXT-X-VERSION:4', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${FIRST_SEQUENCE + from}`);
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${countTo(from, breaks)}`);
    for (let i = from; i < to; i++) {
      if (breaks(i)) lines.push('#EXT-X-DISCONTINUITY');
      const { duration, bytes } = segments[i % segments.length];
      lines.push(`#EXTINF:${duration},`);
      if (this.oneFile) lines.push(`#EXT-X-BYTERANGE:${bytes}@${offsetOf(segments, i)}`, 'all.ts');
      else lines.push(`${FIRST_SEQUENCE + i}.ts`);
    }
    if (!this.live) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  /** The window slides by the wall clock, as if an encoder had begun one window ago. */
  #window() {
    const from = Math.floor((Date.now() - this.startedAt) / (SEGMENT_S * 1000));
    return [from, from + this.window];
  }
}

/** For how many numbers below `end` it holds. */
function countTo(/** @type {number} */ end, /** @type {(i: number) => unknown} */ holds) {
  let count = 0;
  for (let i = 0; i < end; i++) if (holds(i)) count += 1;
  return count;
}

/** @typedef {import('./media.mjs').Segment} Segment */

const bytesOf = (/** @type {Segment[]} */ segments) => segments.reduce((sum, { bytes }) => sum + bytes, 0);

/** Where segment `i` begins in the file that holds one after the other, again and again. */
function offsetOf(/** @type {Segment[]} */ segments, /** @type {number} */ i) {
  return Math.floor(i / segments.length) * bytesOf(segments) + bytesOf(segments.slice(0, i % segments.length));
}

/** The segment in which that byte of the file lies. */
function rangeAt(/** @type {Segment[]} */ segments, /** @type {number} */ at) {
  let base = Math.floor(at / bytesOf(segments)) * bytesOf(segments);
  for (const segment of segments) {
    if (at < base + segment.bytes) return { segment, base };
    base += segment.bytes;
  }
  return null;
}

/** Every rendition must fill the clip, or looping it would shift the renditions against each other. */
export function checkRenditions(/** @type {Rendition[]} */ renditions) {
  const expected = CLIP_S / SEGMENT_S;
  for (const { attributes, segments } of renditions) {
    if (segments.length !== expected) {
      throw new Error(`rendition ${attributes} has ${segments.length} segments, expected ${expected}`);
    }
  }
}
