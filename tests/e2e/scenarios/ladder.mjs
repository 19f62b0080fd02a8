// @ts-check
// The player chooses the rendition as if there were no peers: their speed is no measure of what the
// viewer's line can bear, and must not make it go up and down.

import assert from 'node:assert/strict';
import { scenario } from '../harness/scenario.mjs';
import * as shaka from '../harness/shaka.mjs';

/** Each viewer's line: enough for the second of three renditions (500 kbit/s), not for the first (1050). */
const LINE_BPS = 900_000;

/** The same for picture and sound apart: enough for the lower picture (250 + 128), not for the higher (600 + 128). */
const SHAKA_LINE_BPS = 550_000;

/** The player has found its rendition by then; from there on it is counted. */
const SETTLED_S = 14;
const COUNTED_S = 30;

/** Changes of rendition that ours may make beyond those of stock hls.js. */
const MORE_CHANGES_MAX = 2;

/** @typedef {import('../harness/viewer.mjs').Viewer} Viewer */

/**
 * The rendition of most of the counted seconds, and how often it changed.
 * @param {Viewer} viewer
 */
function chosen({ now }) {
  /** @type {Map<number, number>} */
  const seconds = new Map();
  let changes = 0;
  for (const [i, { atS, level }] of now.levels.entries()) {
    const from = Math.max(SETTLED_S, atS);
    const to = now.levels[i + 1]?.atS ?? now.playedS;
    if (atS > SETTLED_S) changes += 1;
    if (to > from) seconds.set(level, (seconds.get(level) ?? 0) + to - from);
  }
  const [[level]] = [...seconds].sort(([, a], [, b]) => b - a);
  return { level, changes };
}

/**
 * Ours plays within one rendition of what the player plays alone, and changes hardly more often.
 * @param {import('../harness/scenario.mjs').Scene} scene
 * @param {Viewer} alone
 * @param {Viewer[]} ours
 * @param {number} [apart] renditions
 */
function assertChosen(scene, alone, ours, apart = 1) {
  const expected = chosen(alone);
  scene.tell(`the player alone: rendition ${expected.level}, ${expected.changes} changes; ${JSON.stringify(alone.now.levels)}`);
  for (const viewer of ours) {
    const { level, changes } = chosen(viewer);
    scene.tell(`${viewer.name}: rendition ${level}, ${changes} changes; ${JSON.stringify(viewer.now.levels)}`);
    const isNear = Math.abs(level - expected.level) <= apart;
    assert.ok(isNear, `${viewer.name} plays rendition ${level}, the player alone ${expected.level}`);
    const most = expected.changes + MORE_CHANGES_MAX;
    assert.ok(changes <= most, `${viewer.name} changed its rendition ${changes} times, expected ${most} or less`);
  }
}

scenario('on slow lines ours plays the rendition that stock hls.js plays, and stays there', async (scene) => {
  const stream = await scene.ladder();
  stream.limit({ viewerBps: LINE_BPS });
  const plain = await scene.plain(stream, { quality: 'auto', beside: true });
  const ours = [await scene.ours(stream, { quality: 'auto' }), await scene.ours(stream, { quality: 'auto' })];
  await scene.untilAllPlayed(SETTLED_S + COUNTED_S);
  scene.assertNoStalls();
  assertChosen(scene, plain, ours);
});

scenario('on slow lines ours plays the rendition that Shaka Player plays alone, and stays there', async (scene) => {
  const stream = await shaka.publish(scene, 'number', { live: true, ladder: true });
  stream.limit({ viewerBps: SHAKA_LINE_BPS });
  // Told nothing, Shaka Player begins with as little as it has, and stumbles at once on a slow line, also without us.
  const player = { manifest: { defaultPresentationDelay: 20 }, streaming: { rebufferingGoal: 2 } };
  const choice = /** @type {const} */ ({ quality: 'auto', player });
  const plain = await shaka.plain(scene, 5, stream, { ...choice, beside: true });
  const ours = [await shaka.ours(scene, 5, stream, choice), await shaka.ours(scene, 4, stream, choice)];
  await scene.untilAllPlayed(SETTLED_S + COUNTED_S);
  scene.assertNoStalls();
  assertChosen(scene, plain, ours, 0);
});
