// @ts-check
// What the seeder does for viewers with unmodified p2p-media-loader: nobody has to be first.

import assert from 'node:assert/strict';
import { added, shareOf } from '../harness/books.mjs';
import { SERVER } from '../harness/origin.mjs';
import { SEEDER, longScenario, scenario } from '../harness/scenario.mjs';
import { stage } from '../harness/stage.mjs';

/** What the documentation advises those to set who have a seeder (docs/embedding.md). */
export const ADVISED = { highDemandTimeWindow: 4, httpDownloadTimeWindow: 6, httpDownloadInitialTimeoutMs: 3000 };

/** The seeder asks for each segment once; 2 % for a request that has to be repeated. */
const COPIES_MAX = 1.02;

/** @typedef {import('../harness/scenario.mjs').Scene} Scene */

/**
 * Viewers of a live stream with a seeder, all with p2p-media-loader, each playing twice `halfS` seconds.
 * @param {Scene} scene
 * @param {{ count: number, halfS: number, core?: object }} options
 */
async function liveWithSeeder(scene, { count, halfS, core }) {
  const stream = await scene.live();
  const seeder = await scene.seeder(stream);
  await scene.until('the seeder seeds', async () => (await seeder.metric('beekeepr_seeder_channel_up')) > 0);
  for (let i = 0; i < count; i++) await scene.p2pml(stream, { core });
  await scene.untilAllPlayed(halfS);
  const middle = await scene.books();
  await scene.untilAllPlayed(2 * halfS);
  const end = await scene.books();
  const shares = { overall: shareOf(end), secondHalf: shareOf(added(middle, end)) };
  const origin = await stage.origin();
  const copies = origin.copiesSent(stream, SERVER);
  const sent = await seeder.metric('beekeepr_seeder_uploaded_bytes_total');
  const fromSeeder = scene.viewers.reduce((sum, viewer) => sum + viewer.bytesFromPeers(SEEDER), 0);
  scene.tell(`share overall ${shares.overall.toFixed(4)}, second half ${shares.secondHalf.toFixed(4)}`);
  scene.tell(`the seeder fetched each segment ${copies.toFixed(4)} times, ${origin.bytesServedOf(stream, SERVER)} B`);
  scene.tell(`and ${origin.manifestBytesOf(stream, SERVER)} B of playlists; it sent ${sent} B, of which ${fromSeeder} B arrived`);
  scene.assertNoStalls();
  assert.ok(copies <= COPIES_MAX, `the seeder fetched each segment ${copies} times`);
  assert.ok(fromSeeder <= sent, `viewers count ${fromSeeder} bytes of the seeder, which counts ${sent}`);
  return shares;
}

const cases = [
  { declare: scenario, count: 4, halfS: 15 },
  { declare: longScenario, count: 8, halfS: 60 },
];

for (const { declare, count, halfS } of cases) {
  declare(`${count} viewers with p2p-media-loader leave the origin to the seeder`, async (scene) => {
    const { secondHalf } = await liveWithSeeder(scene, { count, halfS });
    assert.ok(secondHalf >= 0.99, `only ${secondHalf.toFixed(4)} came from peers in the second half`);
  });

  declare(`${count} viewers with p2p-media-loader as advised take all but the first segments from peers`, async (scene) => {
    const { overall } = await liveWithSeeder(scene, { count, halfS, core: ADVISED });
    assert.ok(overall >= 0.98, `only ${overall.toFixed(4)} came from peers`);
  });
}
