// @ts-check
// Common Encryption (ISO/IEC 23001-7, scheme `cenc`) of sound: every sample whole, with a counter as its
// initialisation vector. ffmpeg 5.1 cannot encrypt fragments.

import { createCipheriv } from 'node:crypto';
import { BOX_HEAD_BYTES, box, boxes, withChanged } from './mp4.mjs';

/** What a licence server would give. */
export const KEY_ID = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
export const KEY = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

const IV_BYTES = 8;
/** Version and flags, with which many boxes begin. */
const FULL_BYTES = 4;

/** Flags of `trun` for what it says of each sample, in the order of their fields (ISO/IEC 14496-12, 8.8.8). */
const SAMPLE_FIELDS = [0x100, 0x200, 0x400, 0x800];
const SAMPLE_SIZE = 0x200;

/**
 * The initialisation and the segments of a track of sound, encrypted.
 * @param {Buffer[]} pieces
 */
export function encryptedTrack([init, ...segments]) {
  let sample = 0;
  const next = () => {
    const iv = Buffer.alloc(IV_BYTES);
    iv.writeUInt32BE(++sample, IV_BYTES - 4);
    return iv;
  };
  return [announced(init), ...segments.map((segment) => encryptedSegment(segment, next))];
}

/** The initialisation, which says how samples are encrypted. */
function announced(/** @type {Buffer} */ init) {
  const parts = boxes(init).map(({ type, at, end }) => {
    const part = init.subarray(at, end);
    return type === 'moov' ? withChanged(part, ['trak', 'mdia', 'minf', 'stbl', 'stsd', 'mp4a'], protectedEntry) : part;
  });
  return Buffer.concat(parts);
}

/** The sample entry as one that is protected. */
function protectedEntry(/** @type {Buffer} */ entry) {
  const scheme = Buffer.from([0, 0, 0, 0, ...Buffer.from('cenc'), 0, 1, 0, 0]);
  const track = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 1, IV_BYTES]), KEY_ID]);
  const original = box('frma', entry.subarray(4, BOX_HEAD_BYTES));
  const protection = box('sinf', original, box('schm', scheme), box('schi', box('tenc', track)));
  return box('enca', entry.subarray(BOX_HEAD_BYTES), protection);
}

/**
 * @param {Buffer} segment
 * @param {() => Buffer} nextIv
 */
function encryptedSegment(segment, nextIv) {
  const found = boxes(segment);
  const moof = found.find(({ type }) => type === 'moof');
  const mdat = found.find(({ type }) => type === 'mdat');
  if (!moof || !mdat) throw new Error('a segment has no moof or no mdat');
  const head = segment.subarray(moof.at, moof.end);
  const sizes = sampleSizes(head);
  const ivs = sizes.map(() => nextIv());
  const content = segment.subarray(mdat.at + BOX_HEAD_BYTES, mdat.end);
  return Buffer.concat([withVectors(head, ivs), box('mdat', encryptedSamples(content, sizes, ivs))]);
}

/** The one `trun` of a `moof`: what lies from there to the end of it. */
function runOf(/** @type {Buffer} */ moof) {
  const traf = boxes(moof, BOX_HEAD_BYTES).find(({ type }) => type === 'traf');
  const trun = traf && boxes(moof, traf.at + BOX_HEAD_BYTES, traf.end).filter(({ type }) => type === 'trun');
  if (trun?.length !== 1) throw new Error('a moof has not exactly one trun');
  return moof.subarray(trun[0].at + BOX_HEAD_BYTES, trun[0].end);
}

/** The size of each sample, which the `trun` must name. */
function sampleSizes(/** @type {Buffer} */ moof) {
  const run = runOf(moof);
  const flags = run.readUInt32BE(0) & 0xff_ffff;
  const fields = SAMPLE_FIELDS.filter((field) => flags & field);
  const place = fields.indexOf(SAMPLE_SIZE);
  if (place < 0) throw new Error('a trun names no sizes of samples');
  const first = FULL_BYTES + 4 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  const count = run.readUInt32BE(FULL_BYTES);
  return Array.from({ length: count }, (_, i) => run.readUInt32BE(first + 4 * (i * fields.length + place)));
}

/** The `moof` with the vectors behind all else in its `traf`, and its samples so much further on. */
function withVectors(/** @type {Buffer} */ moof, /** @type {Buffer[]} */ ivs) {
  const count = Buffer.alloc(FULL_BYTES + 4);
  count.writeUInt32BE(ivs.length, FULL_BYTES);
  const vectors = box('senc', count, ...ivs);
  // Version and flags, the size of all, and how many there are.
  const sizes = box('saiz', Buffer.from([0, 0, 0, 0, IV_BYTES]), count.subarray(FULL_BYTES));
  const where = Buffer.alloc(FULL_BYTES + 8);
  where.writeUInt32BE(1, FULL_BYTES);
  // The `traf` is the last in the `moof`, so what follows it begins where the `moof` ended.
  where.writeUInt32BE(moof.length + BOX_HEAD_BYTES + count.length, FULL_BYTES + 4);
  const added = [vectors, sizes, box('saio', where)];
  const longer = Buffer.from(withChanged(moof, ['traf'], (traf) => box('traf', traf.subarray(BOX_HEAD_BYTES), ...added)));
  const run = runOf(longer);
  const offsetAt = FULL_BYTES + 4;
  run.writeUInt32BE(run.readUInt32BE(offsetAt) + longer.length - moof.length, offsetAt);
  return longer;
}

/**
 * @param {Buffer} content
 * @param {number[]} sizes
 * @param {Buffer[]} ivs
 */
function encryptedSamples(content, sizes, ivs) {
  let at = 0;
  const samples = sizes.map((size, i) => {
    const cipher = createCipheriv('aes-128-ctr', KEY, Buffer.concat([ivs[i], Buffer.alloc(8)]));
    return cipher.update(content.subarray(at, (at += size)));
  });
  return Buffer.concat(samples);
}
