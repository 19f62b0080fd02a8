// @ts-check
// What one stream's manifests say at a given moment, and which clip segment stands behind each URL.

import { CLIP_S, LIVE_WINDOW_SEGMENTS, SEGMENT_S, VOD_SEGMENTS } from './settings.mjs';
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
  constructor(name, { live, renditions, segments = VOD_SEGMENTS }, baseUrl) {
    this.name = name;
    this.live = live;
    this.renditions = renditions;
    this.segmentCount = segments;
    this.manifestUrl = `${baseUrl}/${name}/master.m3u8`;
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

  /**
   * @param {string} path below the stream's name
   * @returns {string | null} a manifest's text
   */
  manifest(path) {
    if (path === 'master.m3u8') return this.#master();
    const rendition = /^(\d+)\/index\.m3u8$/.exec(path)?.[1];
    if (rendition === undefined || !this.renditions[Number(rendition)]) return null;
    return this.#playlist(this.renditions[Number(rendition)]);
  }

  /**
   * @param {string} path below the stream's name
   * @returns {import('./media.mjs').Segment | null}
   */
  segment(path) {
    const [, rendition, sequence] = /^(\d+)\/(\d+)\.ts$/.exec(path) ?? [];
    const segments = this.renditions[Number(rendition)]?.segments;
    if (!segments || Number(sequence) < FIRST_SEQUENCE) return null;
    return segments[(Number(sequence) - FIRST_SEQUENCE) % segments.length];
  }

  #master() {
    const variants = this.renditions.map((r, i) => `#EXT-X-STREAM-INF:${r.attributes}\n${i}/index.m3u8\n`);
    return `#EXTM3U\n#EXT-X-VERSION:3\n${variants.join('')}`;
  }

  #playlist(/** @type {Rendition} */ { segments }) {
    const [from, to] = this.live ? this.#window() : [0, this.segmentCount];
    const lines = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${FIRST_SEQUENCE + from}`);
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${Math.floor(Math.max(from - 1, 0) / segments.length)}`);
    for (let i = from; i < to; i++) {
      if (i > 0 && i % segments.length === 0) lines.push('#EXT-X-DISCONTINUITY');
      lines.push(`#EXTINF:${segments[i % segments.length].duration},`, `${FIRST_SEQUENCE + i}.ts`);
    }
    if (!this.live) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  /** The window slides by the wall clock, as if an encoder had begun one window ago. */
  #window() {
    const from = Math.floor((Date.now() - this.startedAt) / (SEGMENT_S * 1000));
    return [from, from + LIVE_WINDOW_SEGMENTS];
  }
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
