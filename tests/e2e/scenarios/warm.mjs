// @ts-check
// What the origin still has to send once everybody has met everybody, with our client and hls.js as
// they come, beside as many viewers with p2p-media-loader on a stream of their own.

import assert from 'node:assert/strict';
import { added, shareOf } from '../harness/books.mjs';
import { LIVE_WINDOW_SEGMENTS } from '../harness/settings.mjs';
import { longScenario, scenario } from '../harness/scenario.mjs';

/** @typedef {import('../harness/scenario.mjs').Scene} Scene */

/** Seconds that live viewers play before their bytes are counted, and for which they are. */
const WARM_S = 15;
const COUNTED_S = 30;
/** Longer where rivals are beside: the first seconds weigh on what is shared overall. */
const COUNTED_BESIDE_S = 60;

/** A film of four minutes: loading it goes on while it is counted. */
const VOD_SEGMENTS = 120;

/** A fetch more for one segment in fifty: what an election costs when somebody comes or goes. */
const SLACK = 0.02;

/** Where p2p-media-loader shares less than could be shared, ours shares so much more than it. */
const AHEAD = 0.1;

/** Of many viewers each meets so many at once, as many as it makes offers; the last ones may take a minute or two. */
const OFFERS = 5;

/** One of N viewers has to fetch each segment. */
const bound = (/** @type {number} */ count) => 1 - 1 / count - SLACK;

/**
 * Opens `count` viewers of ours and, when `beside`, as many rivals.
 * @param {Scene} scene
 * @param {{ count: number, beside: boolean, stream: () => Promise<import('../harness/stream.mjs').Stream> }} options
 */
async function openAll(scene, { count, beside, stream }) {
  const streams = { ours: await stream(), rivals: beside ? await stream() : null };
  for (let i = 0; i < count; i++) {
    await scene.ours(streams.ours);
    if (streams.rivals) await scene.rival(streams.rivals);
  }
  const connected = () => scene.promised.every(({ now }) => now.peers.length >= Math.min(count - 1, OFFERS));
  await scene.until('all are connected', connected);
}

/**
 * @param {Scene} scene
 * @param {number} count
 * @param {import('../harness/books.mjs').Books} warm
 */
async function assertShares(scene, count, warm) {
  const ours = shareOf(await scene.books(scene.promised));
  const rivals = scene.viewers.filter((viewer) => viewer.options.beside);
  scene.tell(`warm ${shareOf(warm).toFixed(4)}, overall ${ours.toFixed(4)}`);
  assert.ok(shareOf(warm) >= bound(count), `only ${shareOf(warm).toFixed(4)} came from peers`);
  scene.assertNoStalls();
  if (rivals.length === 0) return;
  const theirs = shareOf(await scene.books(rivals));
  const stalls = rivals.map(({ now }) => now.stalls.starvedMs);
  scene.tell(`p2p-media-loader overall ${theirs.toFixed(4)}, starved ${stalls} ms`);
  if (theirs + AHEAD < bound(count)) {
    assert.ok(ours >= theirs + AHEAD, `${ours.toFixed(4)} came from peers, ${theirs.toFixed(4)} with p2p-media-loader`);
  }
}

const cases = [
  { declare: longScenario, count: 2, beside: false },
  { declare: scenario, count: 4, beside: false },
  { declare: longScenario, count: 2, beside: true },
  { declare: longScenario, count: 4, beside: true },
  { declare: longScenario, count: 8, beside: true },
];

for (const { declare, count, beside } of cases) {
  const countedS = beside ? COUNTED_BESIDE_S : COUNTED_S;
  const suffix = beside ? ', beside p2p-media-loader' : '';

  declare(`${count} live viewers have the origin send each segment once${suffix}`, async (scene) => {
    await openAll(scene, { count, beside, stream: () => scene.live() });
    await scene.untilAllPlayed(WARM_S);
    const before = await scene.books(scene.promised);
    const met = scene.promised.map(({ now }) => now.peers.length);
    await scene.playsOnFor(countedS);
    await assertShares(scene, count, added(before, await scene.books(scene.promised)));
    scene.tell(`peers ${met}, then ${scene.promised.map(({ now }) => now.peers.length)}`);
    for (const [i, { name, now }] of scene.promised.entries()) assert.ok(now.peers.length >= met[i], `${name} lost peers`);
  });

  declare(`${count} viewers on demand have the origin send each segment once${suffix}`, async (scene) => {
    await openAll(scene, { count, beside, stream: () => scene.vod(VOD_SEGMENTS) });
    const before = await scene.books(scene.promised);
    await scene.playsOnFor(countedS);
    await assertShares(scene, count, added(before, await scene.books(scene.promised)));
  });
}

scenario('live viewers begin where there is time to ask peers', async (scene) => {
  const stream = await scene.live();
  for (let i = 0; i < 4; i++) await scene.ours(stream);
  await scene.untilAllPlayed(1);
  const placed = scene.viewers.map(({ now }) => now.placed ?? 0);
  const least = LIVE_WINDOW_SEGMENTS - 2;
  assert.ok(Math.min(...placed) >= least, `placed ${placed} segments from the edge, expected ${least} or more`);
});
