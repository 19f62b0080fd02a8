// @ts-check
// The files of `dash-base`: an `ftyp` box and a segment index, without the media it tells of.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FIXTURES } from './server.mjs';
import { writeSidx } from './sidx.mjs';

const FTYP = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypiso6\0\0\0\0iso6dash', 'latin1')]);

/** Times that begin neither at 0 nor at the manifest's offset: clients differ in what they make of it. */
const FILES = {
  'video.mp4': writeSidx({
    version: 0,
    timescale: 12_800,
    earliest: 12_800,
    firstOffset: 0,
    subsegments: [
      { duration: 51_200, bytes: 20_000 },
      { duration: 51_200, bytes: 18_500 },
      { duration: 38_000, bytes: 7_001 },
      { duration: 400, bytes: 99 },
    ],
  }),
  'audio.mp4': writeSidx({
    version: 1,
    timescale: 48_000,
    earliest: 48_000,
    firstOffset: 12,
    subsegments: [
      { duration: 240_640, bytes: 8_000 },
      { duration: 287_360, bytes: 9_000 },
    ],
  }),
};

/** Writes both. */
export async function writeMedia() {
  for (const [name, sidx] of Object.entries(FILES)) {
    await writeFile(join(FIXTURES, 'dash-base', name), Buffer.concat([FTYP, sidx]));
  }
}
