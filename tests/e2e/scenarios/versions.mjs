// @ts-check
// Viewers with p2p-media-loader 2.2.2 and 2.3.1 never meet each other: their swarms have other names.
// Ours, told to meet every version, and the seeder serve both, so that what one has the other gets.

import { HANDICAP_MS, HEAD_START_SEGMENTS, P2PML_LIVE_SYNC, TAKES_FROM_PEERS, scenario } from '../harness/scenario.mjs';
import { OURS, P2PML_2_2, P2PML_2_3, SEEDER } from '../harness/scenario.mjs';

const MEETS_ALL = { core: { generation: 'auto' } };
const MEETS_ALL_LIVE = { ...MEETS_ALL, hls: { liveSyncDurationCount: P2PML_LIVE_SYNC } };

const versions = /** @type {const} */ ({
  '2.2.2': { open: 'oldP2pml', id: P2PML_2_2 },
  '2.3.1': { open: 'p2pml', id: P2PML_2_3 },
});

for (const [from, to] of /** @type {const} */ ([['2.2.2', '2.3.1'], ['2.3.1', '2.2.2']])) {
  scenario(`on demand: ours takes from p2p-media-loader ${from} and gives to ${to}`, async (scene) => {
    const stream = await scene.vod();
    await scene[versions[from].open](stream);
    await scene.untilAllPlayed(4);
    const ours = await scene.ours(stream, { ...TAKES_FROM_PEERS, core: { ...TAKES_FROM_PEERS.core, ...MEETS_ALL.core } });
    await scene.until(`ours took from ${from}`, () => ours.tookFrom(versions[from].id));
    await scene.until('ours is ahead', () => ours.segmentsLoaded >= HEAD_START_SEGMENTS);
    const taker = await scene[versions[to].open](stream);
    await scene.until(`${to} took from ours`, () => taker.tookFrom(OURS));
  });
}

scenario('live: ours gives to p2p-media-loader 2.2.2 and 2.3.1 at once', async (scene) => {
  const stream = await scene.live();
  await scene.ours(stream, MEETS_ALL_LIVE);
  const late = { handicapMs: HANDICAP_MS };
  const takers = [await scene.oldP2pml(stream, late), await scene.p2pml(stream, late)];
  await scene.until('both took from ours', () => takers.every((taker) => taker.tookFrom(OURS)));
});

scenario('live: ours takes from p2p-media-loader 2.2.2', async (scene) => {
  const stream = await scene.live();
  await scene.oldP2pml(stream);
  const taker = await scene.ours(stream, { ...MEETS_ALL_LIVE, handicapMs: HANDICAP_MS });
  await scene.until('ours took from 2.2.2', () => taker.tookFrom(P2PML_2_2));
});

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  scenario(`${kind}: p2p-media-loader 2.2.2 takes from the seeder`, async (scene) => {
    const stream = await scene[kind]();
    await scene.seeder(stream);
    const viewer = await scene.oldP2pml(stream);
    await scene.until('2.2.2 took from the seeder', () => viewer.tookFrom(SEEDER));
    await scene.untilAllPlayed(8);
  });
}
