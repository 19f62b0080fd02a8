// @ts-check
// Our client and our seeder with unmodified p2p-media-loader 2.3.1, on our tracker and STUN.
//
// Who gives and who takes is arranged: on demand the giver starts first and has more than the taker can fetch
// before they meet; live the origin keeps the taker waiting for every segment, so that the giver has it first.

import { startStun } from '../harness/servers.mjs';
import { HANDICAP_MS, HEAD_START_SEGMENTS, P2PML_LIVE_SYNC, TAKES_FROM_PEERS, scenario } from '../harness/scenario.mjs';
import { OURS, P2PML, SEEDER } from '../harness/scenario.mjs';

/** Our client stays closer to the live edge; who is further behind has nothing to give. */
const BESIDE_P2PML = { hls: { liveSyncDurationCount: P2PML_LIVE_SYNC } };

scenario('on demand: ours takes from p2p-media-loader', async (scene) => {
  const stream = await scene.vod();
  await scene.p2pml(stream);
  await scene.untilAllPlayed(4);
  const taker = await scene.ours(stream, TAKES_FROM_PEERS);
  await scene.until('ours took from p2p-media-loader', () => taker.tookFrom(P2PML));
  await scene.untilAllPlayed(8);
});

scenario('on demand: p2p-media-loader takes from ours', async (scene) => {
  const stream = await scene.vod();
  const giver = await scene.ours(stream);
  await scene.until('ours is ahead', () => giver.segmentsLoaded >= HEAD_START_SEGMENTS);
  const taker = await scene.p2pml(stream);
  await scene.until('p2p-media-loader took from ours', () => taker.tookFrom(OURS));
  await scene.untilAllPlayed(8);
});

scenario('live: ours takes from p2p-media-loader', async (scene) => {
  const stream = await scene.live();
  await scene.p2pml(stream);
  const taker = await scene.ours(stream, { ...BESIDE_P2PML, handicapMs: HANDICAP_MS });
  await scene.until('ours took from p2p-media-loader', () => taker.tookFrom(P2PML));
  await scene.untilAllPlayed(8);
});

scenario('live: p2p-media-loader takes from ours', async (scene) => {
  const stream = await scene.live();
  await scene.ours(stream, BESIDE_P2PML);
  const taker = await scene.p2pml(stream, { handicapMs: HANDICAP_MS });
  await scene.until('p2p-media-loader took from ours', () => taker.tookFrom(OURS));
  await scene.untilAllPlayed(8);
});

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  scenario(`${kind}: ours takes from the seeder`, async (scene) => {
    const stream = await scene[kind]();
    await scene.seeder(stream);
    const viewer = await scene.ours(stream, { handicapMs: HANDICAP_MS });
    await scene.until('ours took from the seeder', () => viewer.tookFrom(SEEDER));
    await scene.untilAllPlayed(8);
  });

  scenario(`${kind}: p2p-media-loader takes from the seeder`, async (scene) => {
    const stream = await scene[kind]();
    await scene.seeder(stream);
    const viewer = await scene.p2pml(stream);
    await scene.until('p2p-media-loader took from the seeder', () => viewer.tookFrom(SEEDER));
    await scene.untilAllPlayed(8);
  });
}

scenario('our STUN answers the browser of p2p-media-loader', async (scene) => {
  const stun = scene.use(await startStun());
  await scene.p2pml(await scene.live(), { stun: stun.address });
  const answered = async () => (await stun.metric('beekeepr_stun_replies_total')) > 0;
  await scene.until('a request is answered', answered);
  await scene.untilAllPlayed(1);
});
