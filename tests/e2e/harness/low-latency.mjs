// @ts-check
// Live with low latency: an origin that lists parts of segments as they come to be (RFC 8216bis,
// EXT-X-PART), announces the next one and holds requests until there is something new.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepare } from './media.mjs';
import { boxes } from './mp4.mjs';
import { CLIP_S, LIVE_WINDOW_SEGMENTS, SEGMENT_S } from './settings.mjs';
import { Stream } from './stream.mjs';

/** Half a second is what encoders for low latency commonly make. */
const PART_S = 0.5;
const PARTS = SEGMENT_S / PART_S;

/** How far behind the last part a player shall stay: three parts at least says the specification. */
const HOLD_BACK_S = 3 * PART_S;

/** Whole segments before the live edge whose parts are still listed; the specification wants three targets' worth. */
const PARTED_SEGMENTS = 3;

/** Longer does no request wait, as the specification has it. */
const WAIT_MS_MAX = 3 * SEGMENT_S * 1000;

const FRAME_RATE = 16;
const FIRST_SEQUENCE = 1000;

/** Each part is a fragment that begins with a key frame. */
const ENCODER_ARGUMENTS = [
  ...['-hide_banner', '-loglevel', 'error'],
  ...['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FRAME_RATE}`, '-t', `${CLIP_S}`],
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-level:v', '3.0', '-pix_fmt', 'yuv420p'],
  ...['-b:v', '600k', '-maxrate:v', '600k', '-bufsize:v', '600k', '-x264-params', 'nal-hrd=cbr', '-sc_threshold', '0', '-bf', '0'],
  ...['-g', `${FRAME_RATE * PART_S}`, '-keyint_min', `${FRAME_RATE * PART_S}`],
  ...['-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', 'clip.mp4'],
];

/**
 * @typedef {import('./media.mjs').Segment} Segment
 * @typedef {{ init: Segment, parts: Segment[], segments: Segment[] }} PartedClip
 */

/** Makes the clip, or finds the one made before. */
export function preparePartedClip() {
  return prepare(ENCODER_ARGUMENTS, readClip);
}

/** @returns {Promise<PartedClip>} */
async function readClip(/** @type {string} */ folder) {
  const file = join(folder, 'clip.mp4');
  const content = await readFile(file);
  const piece = (/** @type {number} */ at, /** @type {number} */ end, /** @type {number} */ seconds) => ({
    ...{ duration: `${seconds}`, file, at, bytes: end - at },
    sha256: createHash('sha256').update(content.subarray(at, end)).digest('hex'),
  });
  const starts = boxes(content).filter(({ type }) => type === 'moof').map(({ at }) => at);
  const end = boxes(content).find(({ type }) => type === 'mfra')?.at ?? content.length;
  const count = starts.length - (starts.length % PARTS);
  const from = (/** @type {number} */ i) => starts[i] ?? end;
  return {
    init: piece(0, starts[0], 0),
    parts: Array.from({ length: count }, (_, i) => piece(from(i), from(i + 1), PART_S)),
    segments: Array.from({ length: count / PARTS }, (_, i) => piece(from(i * PARTS), from((i + 1) * PARTS), SEGMENT_S)),
  };
}

export class LowLatencyStream extends Stream {
  /**
   * @param {string} name
   * @param {PartedClip} clip
   * @param {string} baseUrl
   */
  constructor(name, clip, baseUrl) {
    super(name, { live: true, renditions: [] }, baseUrl);
    this.clip = clip;
  }

  /**
   * @param {string} path
   * @param {URLSearchParams} query
   * @override
   */
  async ready(path, query) {
    const wanted = this.#partWanted(path, query);
    const ms = this.startedAt + (wanted + 1 - LIVE_WINDOW_SEGMENTS * PARTS) * PART_S * 1000 - Date.now();
    if (ms > 0 && ms <= WAIT_MS_MAX) await sleep(ms);
  }

  /**
   * The part, counted from the first of the stream, without which there is no answer.
   * @param {string} path
   * @param {URLSearchParams} query
   */
  #partWanted(path, query) {
    const [, sequence, part = PARTS - 1] = /^0\/(\d+)\.(?:(\d+)\.)?m4s$/.exec(path) ?? [];
    if (sequence) return (Number(sequence) - FIRST_SEQUENCE) * PARTS + Number(part);
    const asked = query.get('_HLS_msn');
    if (asked === null) return 0;
    return (Number(asked) - FIRST_SEQUENCE) * PARTS + Number(query.get('_HLS_part') ?? PARTS - 1);
  }

  /**
   * @param {string} path
   * @override
   */
  manifest(path) {
    const attributes = 'BANDWIDTH=700000,RESOLUTION=320x180,CODECS="avc1.4d401e"';
    if (path === 'master.m3u8') return `#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-STREAM-INF:${attributes}\n0/index.m3u8\n`;
    return path === '0/index.m3u8' ? this.#parted() : null;
  }

  /**
   * @param {string} path
   * @override
   */
  segment(path) {
    if (path === '0/init.mp4') return { segment: this.clip.init, base: 0 };
    const [, sequence, part] = /^0\/(\d+)\.(?:(\d+)\.)?m4s$/.exec(path) ?? [];
    if (!sequence) return null;
    const number = Number(sequence) - FIRST_SEQUENCE;
    const segment = part ? this.clip.parts[number * PARTS + Number(part)] : this.clip.segments[number];
    return segment ? { segment, base: 0 } : null;
  }

  /** Parts that are there by now. */
  get #made() {
    return LIVE_WINDOW_SEGMENTS * PARTS + Math.floor((Date.now() - this.startedAt) / (PART_S * 1000));
  }

  #parted() {
    const made = this.#made;
    if (made >= this.clip.parts.length) throw new Error(`the clip of ${CLIP_S} s is over`);
    const whole = Math.floor(made / PARTS);
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
    lines.push(`#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${HOLD_BACK_S}`);
    lines.push(`#EXT-X-PART-INF:PART-TARGET=${PART_S}`, '#EXT-X-MAP:URI="init.mp4"');
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${FIRST_SEQUENCE + whole - LIVE_WINDOW_SEGMENTS}`);
    for (let i = whole - LIVE_WINDOW_SEGMENTS; i <= whole; i++) {
      if (i < whole || made % PARTS > 0) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${this.#dateOf(i)}`);
      if (i >= whole - PARTED_SEGMENTS) lines.push(...partLines(i, Math.min(PARTS, made - i * PARTS)));
      if (i < whole) lines.push(`#EXTINF:${SEGMENT_S},`, `${FIRST_SEQUENCE + i}.m4s`);
    }
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(whole, made % PARTS)}"`);
    return `${lines.join('\n')}\n`;
  }

  /** When the segment's first frame was shown to the camera. */
  #dateOf(/** @type {number} */ i) {
    return new Date(this.startedAt + (i - LIVE_WINDOW_SEGMENTS) * SEGMENT_S * 1000).toISOString();
  }
}

const partName = (/** @type {number} */ segment, /** @type {number} */ part) => `${FIRST_SEQUENCE + segment}.${part}.m4s`;

const partLines = (/** @type {number} */ segment, /** @type {number} */ count) =>
  Array.from({ length: count }, (_, part) => `#EXT-X-PART:DURATION=${PART_S},URI="${partName(segment, part)}",INDEPENDENT=YES`);
