// @ts-check
// Shaka Player 4 and 5 with our engine: every way of listing segments is shared, live and on demand.
// A viewer of either version is in each swarm, so that what the one gives the other plays.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { added, shareOf } from '../harness/books.mjs';
import { longScenario, scenario } from '../harness/scenario.mjs';
import { ours, plain, publish } from '../harness/shaka.mjs';

/**
 * @typedef {import('../harness/scenario.mjs').Scene} Scene
 * @typedef {import('../harness/stream.mjs').Stream} Stream
 * @typedef {import('../harness/viewer.mjs').Viewer} Viewer
 * @typedef {import('../harness/shaka.mjs').Shape} Shape
 */

/** Seconds that live viewers play before their bytes are counted, and for which all are. */
const WARM_S = 6;
const COUNTED_S = 16;

/**
 * Shaka Player plays 3 to 6 s behind the live edge unless told otherwise, and so does it with us. This is what the
 * documentation advises where no server says how far it shall be. Told nothing, it begins with as little as it has
 * and stumbles at once on a busy machine, also without us.
 */
const FAR_ENOUGH = { manifest: { defaultPresentationDelay: 12 }, streaming: { rebufferingGoal: 2 } };

/** Latency is looked at once a second; what it is in the middle counts. */
const LOOK_MS = 1_000;
/** Until the player has found its place, and for which it is looked at. */
const SETTLED_S = 4;
const LOOKED_AT_S = 12;
/** A segment and a start on a busy machine: so far are two players alone from each other that began at different moments. */
const LATER_S = 3;

/** Three minutes and more: loading it goes on while it is counted. */
const VOD_SEGMENTS = 100;

/** What peers must give of all that is loaded once everybody has met, by the number of viewers. */
const SHARES = /** @type {Record<number, number>} */ ({ 2: 0.45, 4: 0.72, 8: 0.84 });
/** The same of peers and the seeder together. */
const SHARE_WITH_SEEDER = 0.98;

/** Of the segments a player is given, so many go through the engine: 20 of 24. */
const THROUGH_ENGINE = 20 / 24;

/** Segments a viewer must have been given for that to mean something. */
const GIVEN_MIN = 12;

/** Picture and sound are swarms of their own, but in MPEG-TS. */
const swarmsOf = (/** @type {Shape} */ shape) => (shape === 'ts' ? 1 : 2);

/** One stream and who watches it. @typedef {{ shape: Shape, stream: Stream, viewers: Viewer[], seeded: boolean }} Party */

/**
 * @param {Scene} scene
 * @param {Shape} shape
 * @param {{ kind: 'live' | 'vod', count: number, seeded: boolean }} options
 * @returns {Promise<Party>}
 */
async function gather(scene, shape, { kind, count, seeded }) {
  const stream = await publish(scene, shape, { live: kind === 'live', segments: VOD_SEGMENTS });
  const seeder = seeded ? await scene.seeder(stream) : null;
  if (seeder) await scene.until('the seeder seeds', async () => (await seeder.metric('beekeepr_seeder_channel_up')) > 0);
  const viewers = [];
  for (let i = 0; i < count; i++) viewers.push(await ours(scene, i % 2 ? 4 : 5, stream, { player: FAR_ENOUGH }));
  return { shape, stream, viewers, seeded };
}

/** Whether all of a party have met. */
const haveMet = (/** @type {Party} */ { shape, viewers, seeded }) =>
  viewers.every(({ now }) => now.peers.length >= (viewers.length - 1 + (seeded ? 1 : 0)) * swarmsOf(shape));

/**
 * Parties play beside each other; what each of them loads once it has met is counted.
 * @param {Scene} scene
 * @param {Crowd} crowd
 */
async function share(scene, { kind, counts, seeded = false }) {
  const entries = /** @type {[Shape, number][]} */ (Object.entries(counts));
  const parties = await Promise.all(entries.map(([shape, count]) => gather(scene, shape, { kind, count, seeded })));
  await scene.until('all have met', () => parties.every(haveMet));
  if (kind === 'live') await scene.untilAllPlayed(WARM_S);
  await scene.look();
  const before = await Promise.all(parties.map(({ viewers }) => scene.books(viewers)));
  await scene.playsOnFor(COUNTED_S);
  const enough = () => scene.viewers.every((viewer) => viewer.mediaGiven >= GIVEN_MIN);
  await scene.until(`each was given ${GIVEN_MIN} segments`, enough);
  const after = await Promise.all(parties.map(({ viewers }) => scene.books(viewers)));
  const warm = parties.map((_, i) => shareOf(added(before[i], after[i])));
  for (const [i, { shape, viewers }] of parties.entries()) tellOf(scene, `${kind} ${shape}: ${warm[i].toFixed(4)} from peers`, viewers);
  scene.assertNoStalls();
  for (const [i, party] of parties.entries()) assertShared(party, warm[i]);
}

function tellOf(/** @type {Scene} */ scene, /** @type {string} */ what, /** @type {Viewer[]} */ viewers) {
  const through = viewers.map(({ mediaThroughEngine, mediaGiven }) => `${mediaThroughEngine} of ${mediaGiven}`);
  scene.tell(`${what}; through the engine ${through.join(', ')}`);
}

function assertShared(/** @type {Party} */ { shape, viewers, seeded }, /** @type {number} */ warm) {
  for (const { name, now, mediaThroughEngine, mediaGiven } of viewers) {
    assert.deepEqual(now.errors, {}, `${name} met errors`);
    const through = `${mediaThroughEngine} of ${mediaGiven}`;
    assert.ok(mediaThroughEngine >= mediaGiven * THROUGH_ENGINE, `${name}, ${shape}: only ${through} segments went through the engine`);
  }
  const least = seeded ? SHARE_WITH_SEEDER : SHARES[viewers.length];
  assert.ok(warm >= least, `${shape}: only ${warm.toFixed(4)} came from peers, expected ${least} or more`);
}

/** @typedef {{ kind: 'live' | 'vod', counts: Partial<Record<Shape, number>>, seeded?: boolean }} Crowd */

/** No more than six viewers at a time: two cores must also do what else is going on. @type {Crowd[]} */
const CROWDS = [
  { kind: 'live', counts: { ts: 2, hls: 2, number: 2 } },
  { kind: 'live', counts: { timeline: 4 } },
  { kind: 'vod', counts: { ts: 2, hls: 2 } },
  { kind: 'vod', counts: { number: 2, timeline: 2, sidx: 2 } },
  { kind: 'live', counts: { ts: 2, hls: 2 }, seeded: true },
  { kind: 'live', counts: { number: 2, timeline: 2 }, seeded: true },
  { kind: 'vod', counts: { ts: 2, hls: 2 }, seeded: true },
  { kind: 'vod', counts: { number: 2, timeline: 2, sidx: 2 }, seeded: true },
];

// One after the other, beside the other scenarios.
describe('crowds with Shaka Player', { concurrency: 1 }, () => {
  for (const crowd of CROWDS) {
    const shapes = Object.entries(crowd.counts).map(([shape, count]) => `${count} of ${shape}`);
    const what = crowd.seeded ? 'leave the origin to the seeder' : 'share';
    scenario(`Shaka Player 4 and 5, ${crowd.kind}: viewers ${what}: ${shapes.join(', ')}`, (scene) => share(scene, crowd));
  }
});

const middle = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[values.length >> 1];

scenario('Shaka Player 4 and 5, live: ours is no later than the player alone', async (scene) => {
  const stream = await publish(scene, 'number', { live: true });
  /** @type {{ viewer: Viewer, alone: Viewer, seen: number[], seenAlone: number[] }[]} */
  const pairs = [];
  for (const version of /** @type {const} */ ([4, 5])) {
    const alone = await plain(scene, version, stream, { beside: true });
    pairs.push({ viewer: await ours(scene, version, stream), alone, seen: [], seenAlone: [] });
  }
  let lookedAt = 0;
  await scene.until(`all played ${SETTLED_S + LOOKED_AT_S} s`, () => {
    if (Date.now() - lookedAt >= LOOK_MS && scene.viewers.every(({ now }) => now.playedS > SETTLED_S)) {
      lookedAt = Date.now();
      for (const { viewer, alone, seen, seenAlone } of pairs) {
        seen.push(viewer.now.latencyS ?? Infinity);
        seenAlone.push(alone.now.latencyS ?? Infinity);
      }
    }
    return scene.viewers.every(({ now }) => now.playedS > SETTLED_S + LOOKED_AT_S);
  });
  for (const { viewer, alone, seen, seenAlone } of pairs) {
    const [ours, theirs] = [middle(seen), middle(seenAlone)];
    const starved = [viewer, alone].map(({ now }) => now.stalls.starvedMs);
    scene.tell(`${viewer.name}: ${ours.toFixed(2)} s behind, alone ${theirs.toFixed(2)} s; starved ${starved} ms`);
    assert.ok(ours <= theirs + LATER_S, `${viewer.name} is ${ours} s behind, the player alone ${theirs} s`);
  }
});

/** @type {Record<'live' | 'vod', Shape[]>} */
const SHAPES = {
  live: ['ts', 'hls', 'number', 'timeline'],
  vod: ['ts', 'hls', 'number', 'timeline', 'sidx'],
};

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  for (const shape of SHAPES[kind]) {
    for (const count of [4, 8]) {
      longScenario(`${count} viewers with Shaka Player 4 and 5 share ${kind} ${shape}`, (scene) =>
        share(scene, { kind, counts: { [shape]: count } }));
    }
  }
}
