// @ts-check
// Viewers come and go for a long time: the seeder stays as it was.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { SOAK_MIN } from '../harness/settings.mjs';
import { SEEDER, longScenario } from '../harness/scenario.mjs';

/** Viewers at a time; each stays for so long, one goes and one comes in turn. */
const VIEWERS = 4;
const STAYS_S = 24;

/**
 * The seeder keeps the last 300 s of a live stream, so its memory grows for so long; what its cache
 * holds is taken off, but not what the allocator needs around it.
 */
const WARM_MS = 300_000;

/** The later half may need so much more than the earlier: an allocator's fragments, not a leak. */
const GROWTH_MAX = 1.1;

/**
 * Resident bytes besides the cache.
 * @param {import('../harness/servers.mjs').Role} seeder
 */
async function memoryOf(seeder) {
  const { pid } = seeder.child;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  return resident - (await seeder.metric('beekeepr_seeder_cached_bytes'));
}

const middle = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1];

longScenario(
  `the seeder is after ${SOAK_MIN} minutes of viewers coming and going as it was before`,
  async (scene) => {
    const stream = await scene.live();
    const seeder = await scene.seeder(stream);
    const began = Date.now();
    /** @type {number[]} */
    const memory = [];
    let came = 0;
    for (; Date.now() - began < SOAK_MIN * 60_000; came++) {
      const viewer = came % 2 ? await scene.p2pml(stream) : await scene.ours(stream);
      await scene.until(`viewer ${came + 1} took from the seeder`, () => viewer.tookFrom(SEEDER));
      await scene.untilAllPlayed(STAYS_S / VIEWERS);
      if (scene.viewers.length === VIEWERS) await scene.leave(scene.viewers[0]);
      if (Date.now() - began > Math.min(WARM_MS, SOAK_MIN * 30_000)) memory.push(await memoryOf(seeder));
    }
    const half = memory.length >> 1;
    const [early, late] = [middle(memory.slice(0, half)), middle(memory.slice(half))];
    scene.tell(`${came} viewers came; memory besides the cache ${early} B, then ${late} B`);
    assert.ok(late <= early * GROWTH_MAX, `the seeder grew from ${early} to ${late} bytes`);
    while (scene.viewers.length > 0) await scene.leave(scene.viewers[0]);
    const connections = async () => (await seeder.metric('beekeepr_seeder_peers')) === 0;
    await scene.until('the seeder forgot all viewers', connections);
  },
  SOAK_MIN * 60_000,
);
