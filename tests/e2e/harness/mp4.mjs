// @ts-check
// Boxes of MP4 files, as far as the harness makes and changes them.

/**
 * @typedef {object} Box
 * @property {string} type
 * @property {number} at where it begins
 * @property {number} end
 */

/** Bytes of a box before its content: its size and its type. */
export const BOX_HEAD_BYTES = 8;

/** A box of this type with this content. */
export function box(/** @type {string} */ type, /** @type {Uint8Array[]} */ ...content) {
  const head = Buffer.alloc(BOX_HEAD_BYTES);
  head.writeUInt32BE(content.reduce((sum, { length }) => sum + length, BOX_HEAD_BYTES), 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

/**
 * The boxes that lie behind each other.
 * @param {Buffer} file
 * @param {number} [from]
 * @param {number} [to]
 * @returns {Box[]}
 */
export function boxes(file, from = 0, to = file.length) {
  const found = [];
  for (let at = from; at < to; at += file.readUInt32BE(at)) {
    found.push({ type: file.toString('latin1', at + 4, at + 8), at, end: at + file.readUInt32BE(at) });
  }
  return found;
}

/** Bytes before the boxes in a box, where there are any. */
const SKIPPED = /** @type {Record<string, number>} */ ({ stsd: 8, mp4a: 28 });

/**
 * A box with one of those in it changed: the boxes on the way to it are made anew.
 * @param {Buffer} whole
 * @param {string[]} path types of the boxes on the way, without the first; empty to change the box itself
 * @param {(found: Buffer) => Buffer} change
 * @returns {Buffer}
 */
export function withChanged(whole, [next, ...rest], change) {
  if (next === undefined) return change(whole);
  const type = whole.toString('latin1', 4, BOX_HEAD_BYTES);
  const from = BOX_HEAD_BYTES + (SKIPPED[type] ?? 0);
  const parts = boxes(whole, from).map((it) => {
    const part = whole.subarray(it.at, it.end);
    return it.type === next ? withChanged(part, rest, change) : part;
  });
  return box(type, whole.subarray(BOX_HEAD_BYTES, from), ...parts);
}
