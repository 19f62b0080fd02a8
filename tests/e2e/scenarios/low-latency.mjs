// @ts-check
// Low latency: parts come over HTTP as with stock hls.js, whole segments are shared.

import assert from 'node:assert/strict';
import { OURS, scenario } from '../harness/scenario.mjs';

const PLAYED_S = 18;
/** Latency is looked at once a second; what it is in the middle counts. */
const LOOK_MS = 1_000;
/** One part: so far may two players be from each other that began at different moments. */
const LATER_S = 0.5;

const middle = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1];

scenario('low latency: ours is no later and stalls no longer than stock hls.js', async (scene) => {
  const stream = await scene.lowLatency();
  const plain = await scene.plain(stream, { beside: true });
  const ours = [await scene.ours(stream), await scene.ours(stream)];
  /** @type {Map<unknown, number[]>} */
  const seen = new Map(scene.viewers.map((viewer) => [viewer, []]));
  let lookedAt = 0;
  await scene.until(`all played ${PLAYED_S} s`, () => {
    if (Date.now() - lookedAt >= LOOK_MS) {
      lookedAt = Date.now();
      for (const viewer of scene.viewers) {
        if (viewer.now.latencyS !== null && viewer.now.playedS > 1) seen.get(viewer)?.push(viewer.now.latencyS);
      }
    }
    return scene.viewers.every(({ now }) => now.playedS >= PLAYED_S);
  });
  const latency = (/** @type {unknown} */ viewer) => middle(seen.get(viewer) ?? []);
  for (const viewer of scene.viewers) {
    const parts = viewer.now.delivered.filter(({ url }) => /\.\d+\.m4s$/.test(url)).length;
    scene.tell(`${viewer.name}: ${latency(viewer).toFixed(2)} s behind, ${parts} parts, starved ${viewer.now.stalls.starvedMs} ms`);
    assert.ok(parts > 0, `${viewer.name} was delivered no part: this is not low latency`);
  }
  for (const viewer of ours) {
    assert.ok(latency(viewer) <= latency(plain) + LATER_S, `${viewer.name} is later than stock hls.js`);
    const { starvedMs } = viewer.now.stalls;
    assert.ok(starvedMs <= plain.now.stalls.starvedMs, `${viewer.name} starved ${starvedMs} ms`);
  }
});

scenario('low latency: who plays whole segments takes them from peers', async (scene) => {
  const stream = await scene.lowLatency();
  const choice = { hls: { lowLatencyMode: false } };
  for (let i = 0; i < 2; i++) await scene.ours(stream, choice);
  await scene.until('one took from the other', () => scene.viewers.some((viewer) => viewer.tookFrom(OURS)));
  await scene.untilAllPlayed(8);
  scene.assertNoStalls();
});
