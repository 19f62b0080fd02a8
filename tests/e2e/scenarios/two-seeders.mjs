// @ts-check
// Two seeders of one channel: they share the work, and one of them is enough.

import assert from 'node:assert/strict';
import { SERVER } from '../harness/origin.mjs';
import { P2PML_LIVE_SYNC, SEEDER, scenario } from '../harness/scenario.mjs';
import { stage } from '../harness/stage.mjs';

/** Each of two seeders sends at least this part of what both send. */
const PART_MIN = 0.2;

/** Until both have sent enough to be compared, and for which the survivor serves alone. */
const SHARED_S = 16;
const ALONE_S = 26;

/** All are so far behind the live edge that p2p-media-loader asks peers at all. */
const BUFFERED = { hls: { liveSyncDurationCount: P2PML_LIVE_SYNC } };

scenario('two seeders of a channel share the load, and one goes on when the other is killed', async (scene) => {
  const stream = await scene.live();
  const seeders = [await scene.seeder(stream), await scene.seeder(stream)];
  const sent = () => Promise.all(seeders.map((seeder) => seeder.metric('beekeepr_seeder_uploaded_bytes_total')));
  for (let i = 0; i < 2; i++) await scene.ours(stream, BUFFERED);
  for (let i = 0; i < 2; i++) await scene.p2pml(stream);
  await scene.until('both have sent something', async () => (await sent()).every((bytes) => bytes > 0));
  await scene.playsOnFor(SHARED_S);

  const [first, second] = await sent();
  const part = Math.min(first, second) / (first + second);
  const arrived = scene.viewers.reduce((sum, viewer) => sum + viewer.bytesFromPeers(SEEDER), 0);
  scene.tell(`the seeders sent ${first} and ${second} B: the smaller part is ${part.toFixed(3)}; ${arrived} B arrived before`);
  assert.ok(part >= PART_MIN, `one of two seeders sent only ${part.toFixed(3)} of all`);
  const copies = (await stage.origin()).copiesSent(stream, SERVER);
  assert.ok(copies <= 2, `two seeders had the origin send each segment ${copies} times`);

  await scene.playsOnFor(ALONE_S, () => seeders[0].kill9());
  const alone = (await seeders[1].metric('beekeepr_seeder_uploaded_bytes_total')) - second;
  scene.tell(`the survivor sent ${alone} B more`);
  assert.ok(alone > 0, 'the survivor sent nothing more');
  scene.assertNoStalls();
});
