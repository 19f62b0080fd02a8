// @ts-check
// Streams of other shapes: sound apart, ranges of one file, breaks for advertising.

import assert from 'node:assert/strict';
import { LANGUAGES } from '../harness/languages.mjs';
import { OURS, SMALL_STEPS, scenario } from '../harness/scenario.mjs';

/** @typedef {import('../harness/viewer.mjs').Viewer} Viewer */

/** Whether peers gave it segments of that track, by its place in URLs. */
const tookTrack = (/** @type {Viewer} */ viewer, /** @type {number} */ track) =>
  viewer.segmentsFromPeers.some((path) => path.startsWith(`${track}/`));

scenario('picture and each language are swarms of their own', async (scene) => {
  const stream = await scene.languages();
  const inLanguage = (/** @type {string} */ lang) => ({ hls: { ...SMALL_STEPS.hls, audioPreference: { lang } }, core: SMALL_STEPS.core });
  await scene.ours(stream, inLanguage(LANGUAGES[0]));
  await scene.untilAllPlayed(3);
  const same = await scene.ours(stream, inLanguage(LANGUAGES[0]));
  const other = await scene.ours(stream, inLanguage(LANGUAGES[1]));
  await scene.until('who hears the same took picture and sound', () => tookTrack(same, 0) && tookTrack(same, 1));
  await scene.until('who hears another took the picture', () => tookTrack(other, 0));
  await scene.untilAllPlayed(4);
  const heard = other.now.delivered.filter(({ url }) => url.includes(`${stream.name}/2/`));
  assert.ok(heard.length > 0, 'the other language was played');
  assert.ok(!tookTrack(other, 2), 'a language came from peers who have not got it');
  scene.assertNoStalls();
});

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  scenario(`${kind}: ranges of one file are shared`, async (scene) => {
    const stream = await scene.oneFile(kind);
    const choice = stream.live ? {} : SMALL_STEPS;
    await scene.ours(stream, choice);
    await scene.untilAllPlayed(2);
    const second = await scene.ours(stream, choice);
    await scene.until('the second took from the first', () => second.tookFrom(OURS));
    await scene.untilAllPlayed(8);
    scene.assertNoStalls();
  });

  scenario(`${kind}: breaks for advertising are played and shared`, async (scene) => {
    const stream = await scene.withAds(kind);
    const choice = stream.live ? {} : SMALL_STEPS;
    for (let i = 0; i < 2; i++) await scene.ours(stream, choice);
    const [first, ...rest] = stream.breaks.map((sequences) => sequences.map((sequence) => `0/${sequence}.ts`));
    // Sixteen seconds in the programme has resumed; live viewers begin less than a segment before the break.
    await scene.untilAllPlayed(20);
    scene.assertNoStalls();
    for (const { name, now } of scene.viewers) {
      const given = new Set(now.delivered.map(({ url }) => url.split('/').slice(-2).join('/')));
      for (const path of first) assert.ok(given.has(path), `${name} was not given ${path} of the break`);
    }
    // The first break may have been fetched before they met; then it is one of the next.
    const ads = new Set([first, ...rest].flat());
    const tookAd = () => scene.viewers.some((viewer) => viewer.segmentsFromPeers.some((path) => ads.has(path)));
    await scene.until('one took a segment of a break from the other', tookAd);
  });
}
