// @ts-check
// A clip with picture and sound apart, as fragmented MP4. HLS and DASH list the very same bytes, as files of
// their own or as ranges of one file with an index in front.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptedTrack } from './cenc.mjs';
import { prepare } from './media.mjs';
import { box } from './mp4.mjs';
import { CLIP_S, SEGMENT_S } from './settings.mjs';

const FRAME_RATE = 15;

/** @type {import('./media.mjs').Rung[]} */
const RUNGS = [
  { size: '320x180', kbps: 600 },
  { size: '192x108', kbps: 250 },
];

/** So that a segment of sound is worth asking a peer for. */
const SOUND_KBPS = 128;

const ENCODER_ARGUMENTS = [
  ...['-hide_banner', '-loglevel', 'error'],
  ...['-f', 'lavfi', '-i', `testsrc2=size=${RUNGS[0].size}:rate=${FRAME_RATE}`],
  ...['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000', '-t', `${CLIP_S}`],
  ...RUNGS.flatMap(() => ['-map', '0:v']),
  ...['-map', '1:a', '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-level:v', '3.0'],
  ...['-pix_fmt', 'yuv420p', '-bf', '0', '-x264-params', 'nal-hrd=cbr', '-sc_threshold', '0'],
  ...['-g', `${FRAME_RATE * SEGMENT_S}`, '-keyint_min', `${FRAME_RATE * SEGMENT_S}`],
  ...RUNGS.flatMap(({ size, kbps }, i) => [
    ...[`-s:v:${i}`, size, `-b:v:${i}`, `${kbps}k`],
    ...[`-maxrate:v:${i}`, `${kbps}k`, `-bufsize:v:${i}`, `${kbps}k`],
  ]),
  ...['-c:a', 'aac', '-ac', '2', '-b:a', `${SOUND_KBPS}k`],
  ...['-f', 'dash', '-seg_duration', `${SEGMENT_S}`, '-use_template', '1', '-use_timeline', '1'],
  ...['-init_seg_name', '$RepresentationID$-init.mp4', '-media_seg_name', '$RepresentationID$-$Number%05d$.m4s'],
  ...['-adaptation_sets', 'id=0,streams=v id=1,streams=a', 'clip.mpd'],
];

/**
 * @typedef {import('./media.mjs').Segment & { ticks: number }} TimedSegment `ticks`: its length in the track's time scale
 * @typedef {object} Track one representation; all its pieces are ranges of one file
 * @property {string} id
 * @property {'video' | 'audio'} type
 * @property {number} timescale ticks per second
 * @property {string} attributes of its Representation
 * @property {boolean} encrypted
 * @property {TimedSegment} init
 * @property {TimedSegment} index
 * @property {TimedSegment[]} segments
 *
 * @typedef {{ pictures: Track[], sound: Track, encryptedSound: Track }} CmafClip pictures from the best one downwards
 */

/** Makes the clip, or finds the one made before. */
export function prepareCmaf() {
  return prepare(ENCODER_ARGUMENTS, readClip);
}

/** @returns {Promise<CmafClip>} */
async function readClip(/** @type {string} */ folder) {
  const manifest = await readFile(join(folder, 'clip.mpd'), 'utf8');
  const found = [...manifest.matchAll(/<Representation id="(\d+)" ([^>]*)>(.*?)<\/Representation>/gs)];
  const read = (/** @type {typeof found[0]} */ [, id, attributes, content], encrypted = false) =>
    readTrack(folder, { id, attributes, content, encrypted });
  const tracks = await Promise.all(found.map((it) => read(it)));
  const [pictures, [sound]] = [tracks.slice(0, RUNGS.length), tracks.slice(RUNGS.length)];
  return { pictures, sound, encryptedSound: await read(found[RUNGS.length], true) };
}

/**
 * @param {string} folder
 * @param {{ id: string, attributes: string, content: string, encrypted: boolean }} representation
 * @returns {Promise<Track>}
 */
async function readTrack(folder, { id, attributes, content, encrypted }) {
  const lengths = [...content.matchAll(/<S (?:t="\d+" )?d="(\d+)"(?: r="(\d+)")?/g)].flatMap(([, d, r = '0']) =>
    Array.from({ length: Number(r) + 1 }, () => Number(d)),
  );
  const timescale = Number(/timescale="(\d+)"/.exec(content)?.[1]);
  const names = lengths.map((_, i) => `${id}-${String(i + 1).padStart(5, '0')}.m4s`);
  const clear = await Promise.all([`${id}-init.mp4`, ...names].map((name) => readFile(join(folder, name))));
  const [head, ...media] = encrypted ? encryptedTrack(clear) : clear;
  const pieces = [head, indexOf({ timescale, media, lengths }), ...media];
  const file = join(folder, `${id}${encrypted ? '-encrypted' : ''}.mp4`);
  await writeFile(file, Buffer.concat(pieces));
  let at = 0;
  const [init, index, ...segments] = pieces.map((bytes, i) => {
    const ticks = lengths[i - 2] ?? 0;
    const piece = { duration: `${ticks / timescale}`, file, at, bytes: bytes.length, sha256: sha256Of(bytes), ticks };
    at += bytes.length;
    return piece;
  });
  const type = attributes.includes('video/mp4') ? 'video' : 'audio';
  return { id, type, timescale, attributes, encrypted, init, index, segments };
}

const sha256Of = (/** @type {Buffer} */ bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * The index of a file (ISO/IEC 14496-12, `sidx`): how long each segment is, in bytes and in time.
 * @param {{ timescale: number, media: Buffer[], lengths: number[] }} of
 */
function indexOf({ timescale, media, lengths }) {
  const head = Buffer.alloc(24);
  // Version and flags, the only stream, its time scale, the first time, and no gap before the first segment.
  [0, 1, timescale, 0, 0].forEach((value, i) => head.writeUInt32BE(value, 4 * i));
  head.writeUInt16BE(media.length, 22);
  const entries = media.map((bytes, i) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt32BE(bytes.length, 0);
    entry.writeUInt32BE(lengths[i], 4);
    // It begins with a key frame.
    entry.writeUInt32BE(0x9000_0000, 8);
    return entry;
  });
  return box('sidx', head, ...entries);
}
