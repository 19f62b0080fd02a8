// @ts-check
// What the origin still has to send once everybody has met everybody.

import assert from 'node:assert/strict';
import { scenario } from '../harness/scenario.mjs';

/** Seconds that every viewer plays before and while its bytes are counted. */
const WARM_S = 15;
const COUNTED_S = 30;

for (const count of [2, 4]) {
  scenario(`${count} live viewers have the origin send each segment once`, async (scene) => {
    const stream = await scene.live();
    for (let i = 0; i < count; i++) await scene.ours(stream);
    await scene.until('all are connected', () => scene.viewers.every(({ now }) => now.peers.length === count - 1));
    await scene.untilAllPlayed(WARM_S);
    const before = bytes(scene);
    await scene.playsOnFor(COUNTED_S, async () => {});
    const after = bytes(scene);
    const [http, peers] = [after.http - before.http, after.peers - before.peers];
    const share = peers / (http + peers);
    assert.ok(share >= 1 - 1 / count - 0.02, `only ${share.toFixed(3)} came from peers`);
  });
}

/** Bytes that all viewers together have got so far. */
function bytes(/** @type {import('../harness/scenario.mjs').Scene} */ { viewers }) {
  const sum = (/** @type {(viewer: import('../harness/viewer.mjs').Viewer) => number} */ of) =>
    viewers.reduce((total, viewer) => total + of(viewer), 0);
  return { http: sum((viewer) => viewer.now.httpBytes), peers: sum((viewer) => viewer.bytesFromPeers()) };
}
