// @ts-check
// The harness measured against itself: foreign clients on a foreign tracker. When this fails, the
// machine or the harness is at fault, not the product.

import { P2PML, scenario } from '../harness/scenario.mjs';
import { startForeignTracker } from '../harness/foreign.mjs';

scenario('control: p2p-media-loader shares with itself on a foreign tracker', async (scene) => {
  const tracker = await startForeignTracker();
  scene.atEnd(() => tracker.stop());
  const stream = await scene.vod();
  const choice = { tracker: tracker.address, stun: null };
  await scene.p2pml(stream, choice);
  await scene.untilAllPlayed(4);
  const second = await scene.p2pml(stream, choice);
  await scene.until('the second took from the first', () => second.tookFrom(P2PML));
});
