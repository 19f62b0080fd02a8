// @ts-check
// The segment index box of ISO BMFF (ISO/IEC 14496-12, 8.16.3): written for the fixtures, read for
// the derivation of v3.

/**
 * @typedef {{ duration: number, bytes: number }} Subsegment
 * @typedef {{ version: 0 | 1, timescale: number, earliest: number, firstOffset: number, subsegments: Subsegment[] }} Index
 */

/** The box's bytes. */
export function writeSidx(/** @type {Index} */ { version, timescale, earliest, firstOffset, subsegments }) {
  const wide = version === 1 ? 8 : 4;
  const box = Buffer.alloc(8 + 12 + 2 * wide + 4 + 12 * subsegments.length);
  box.writeUInt32BE(box.length, 0);
  box.write('sidx', 4, 'latin1');
  box.writeUInt8(version, 8);
  box.writeUInt32BE(1, 12);
  box.writeUInt32BE(timescale, 16);
  box.writeUIntBE(earliest, 20 + wide - 4, 4);
  box.writeUIntBE(firstOffset, 20 + 2 * wide - 4, 4);
  let at = 20 + 2 * wide;
  box.writeUInt16BE(subsegments.length, at + 2);
  at += 4;
  for (const { duration, bytes } of subsegments) {
    box.writeUInt32BE(bytes, at);
    box.writeUInt32BE(duration, at + 4);
    // Each begins with a stream access point of type 1.
    box.writeUInt32BE(0x9000_0000, at + 8);
    at += 12;
  }
  return box;
}

/**
 * Reads a box that lies `start` bytes into its file. References to further indices are left out.
 * @param {Uint8Array} bytes
 * @param {number} start
 */
export function readSidx(bytes, start) {
  const box = Buffer.from(bytes);
  const version = box.readUInt8(8);
  const timescale = box.readUInt32BE(16);
  const number = (/** @type {number} */ at) => (version === 0 ? box.readUInt32BE(at) : Number(box.readBigUInt64BE(at)));
  const wide = version === 0 ? 4 : 8;
  let at = 20 + 2 * wide;
  const count = box.readUInt16BE(at + 2);
  at += 4;
  let offset = start + box.readUInt32BE(0) + number(20 + wide);
  const references = [];
  for (let place = 0; place < count; place += 1, at += 12) {
    const length = box.readUInt32BE(at) & 0x7fff_ffff;
    if (box.readUInt8(at) < 0x80) references.push({ offset, length, duration: box.readUInt32BE(at + 4) });
    offset += length;
  }
  return { timescale, references };
}
