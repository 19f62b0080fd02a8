// @ts-check
// Shaka Player 4 and 5 with our engine: every way of listing segments is shared, live and on demand.
// A viewer of either version is in each swarm, so that what the one gives the other plays.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { added, shareOf } from '../harness/books.mjs';
import { longScenario, scenario } from '../harness/scenario.mjs';
import { SEGMENT_S } from '../harness/settings.mjs';
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

/** Times that all players load anew, at the same moment: each time at another one of a segment's time. */
const ROUNDS = 6;
/** Until a player has found its place. */
const SETTLED_S = 4;
/**
 * How much later ours may be in the middle of all rounds: an eighth of a segment is what a start takes longer by chance, and a
 * stall would be a whole segment.
 */
const LATER_S = 0.5;
/** The same of all stalls of all rounds. */
const STARVED_MORE_MS = 2_000;

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
 * @param {Crowd} crowd
 */
async function prepare(scene, shape, { kind, seeded }) {
  const stream = await publish(scene, shape, { live: kind === 'live', segments: VOD_SEGMENTS });
  const seeder = seeded ? await scene.seeder(stream) : null;
  if (seeder) await scene.until('the seeder seeds', async () => (await seeder.metric('beekeepr_seeder_channel_up')) > 0);
  return { shape, stream };
}

/**
 * @param {Scene} scene
 * @param {{ shape: Shape, stream: Stream }} prepared
 * @param {number} count
 * @param {boolean} seeded
 * @returns {Promise<Party>}
 */
async function gather(scene, { shape, stream }, count, seeded) {
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
async function share(scene, crowd) {
  const { kind, counts, seeded = false } = crowd;
  const shapes = /** @type {Shape[]} */ (Object.keys(counts));
  // All streams before the first viewer: waiting for a seeder looks at every page, ready or not.
  const prepared = await Promise.all(shapes.map((shape) => prepare(scene, shape, crowd)));
  const parties = await Promise.all(prepared.map((it) => gather(scene, it, counts[it.shape] ?? 0, seeded)));
  await scene.until('all have met', () => parties.every(haveMet));
  // What was asked of the origin before they met is here by then.
  await scene.untilAllPlayed(WARM_S);
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

const pauseUntil = (/** @type {number} */ at) => new Promise((done) => setTimeout(done, at - Date.now()));

/** Everybody loads at one moment: how far a player is behind depends on when it looks for the live edge. */
async function loadTogether(/** @type {Scene} */ scene, /** @type {number} */ round) {
  const segmentMs = SEGMENT_S * 1000;
  const phaseMs = (segmentMs * round) / ROUNDS;
  await pauseUntil(Math.ceil(Date.now() / segmentMs) * segmentMs + phaseMs);
  // Who is told first would be ahead of the others: they take turns.
  const inTurn = round % 2 ? [...scene.viewers].reverse() : scene.viewers;
  await Promise.all(inTurn.map((viewer) => viewer.load()));
  await scene.look();
  const before = scene.viewers.map(({ now }) => now.playedS);
  const settled = () => scene.viewers.every(({ now }, i) => now.playedS > before[i] + SETTLED_S);
  await scene.until(`all found their place, round ${round}`, settled);
  return scene.viewers.map(({ now }) => now.latencyS ?? Infinity);
}

// What Shaka chooses by itself, 3 s with these manifests, leaves no time to wait for anything. Beside other scenarios chance
// decides who is first.
for (const shape of /** @type {const} */ (['number', 'timeline'])) {
  longScenario(`Shaka Player 4 and 5, live ${shape}: ours is no later than the player alone`, async (scene) => {
    const stream = await publish(scene, shape, { live: true });
    for (const version of /** @type {const} */ ([4, 5])) {
      await plain(scene, version, stream, { beside: true });
      await ours(scene, version, stream, { beside: true });
    }
    await scene.until('all play', () => scene.viewers.every(({ now }) => now.playedS > 1));
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await loadTogether(scene, round));
    for (const [i, viewer] of scene.viewers.entries()) {
      if (i % 2 === 0) continue;
      const alone = scene.viewers[i - 1];
      const later = middle(rounds.map((latencies) => latencies[i] - latencies[i - 1]));
      const starved = [viewer, alone].map(({ now }) => now.stalls.starvedMs);
      const seen = rounds.map((latencies) => `${latencies[i].toFixed(1)}/${latencies[i - 1].toFixed(1)}`);
      scene.tell(`${viewer.name}: ${later.toFixed(2)} s later (${seen.join(' ')} s behind); starved ${starved} ms`);
      assert.ok(later <= LATER_S, `${viewer.name} is ${later} s later than the player alone`);
      assert.ok(starved[0] <= starved[1] + STARVED_MORE_MS, `${viewer.name} starved ${starved[0]} ms, the player alone ${starved[1]} ms`);
      assert.deepEqual(viewer.now.errors, {}, `${viewer.name} met errors`);
    }
  });
}

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
