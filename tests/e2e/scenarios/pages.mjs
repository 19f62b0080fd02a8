// @ts-check
// What pages go through: several players, players that come and go, sleep, and no network.

import assert from 'node:assert/strict';
import { OURS, SMALL_STEPS, scenario } from '../harness/scenario.mjs';

/** Players made and destroyed on one page. */
const CYCLES = 20;

/** For how long a page sleeps: longer than engines wait for a word from each other, shorter than ICE does. */
const FROZEN_MS = 8_000;

/** Without a network, less than live viewers have in their buffers. */
const OFFLINE_MS = 6_000;

scenario('two players on one page take each from its own peers', async (scene) => {
  const streams = [await scene.vod(), await scene.live()];
  for (let i = 0; i < 2; i++) {
    const first = await scene.ours(streams[0], SMALL_STEPS);
    await scene.ours(streams[1], { onPageOf: first });
    if (i === 0) await scene.untilAllPlayed(2);
  }
  const later = scene.viewers.slice(2);
  await scene.until('both players of the later page took from peers', () => later.every((viewer) => viewer.tookFrom(OURS)));
  await scene.untilAllPlayed(6);
  scene.assertNoStalls();
});

scenario(`${CYCLES} players that come and go on one page leave no connection`, async (scene) => {
  const stream = await scene.vod();
  await scene.ours(stream, SMALL_STEPS);
  const restless = await scene.ours(stream, { ...SMALL_STEPS, watched: true });
  for (let i = 1; i < CYCLES; i++) {
    // By turns in the middle of things and when a peer is there.
    if (i % 2) await scene.until('it has a peer', () => restless.now.peers.length > 0);
    await restless.restart();
  }
  await scene.until('the last one took from its peer', () => restless.tookFrom(OURS));
  const { made } = await restless.connections();
  await restless.stop();
  const allClosed = async () => (await restless.connections()).open.length === 0;
  await scene.until('all is closed', allClosed, 10_000).catch(async (error) => {
    scene.tell(`open: ${JSON.stringify((await restless.connections()).open)}`);
    throw error;
  });
  scene.tell(`${CYCLES} players made ${made} connections, none is open`);
  assert.ok(made >= CYCLES, `only ${made} connections were seen`);
});

scenario('a page that was frozen loads and shares again', async (scene) => {
  const stream = await scene.live();
  const [sleeper, awake] = [await scene.ours(stream, { sleepy: true }), await scene.ours(stream)];
  await scene.until('they share', () => scene.viewers.some((viewer) => viewer.tookFrom(OURS)));
  await scene.untilAllPlayed(4);
  sleeper.away = true;
  await sleeper.tellBrowser('Page.setWebLifecycleState', { state: 'frozen' });
  await scene.playsOnFor(FROZEN_MS / 1_000);
  await sleeper.tellBrowser('Page.setWebLifecycleState', { state: 'active' });
  sleeper.away = false;
  await scene.look();
  assert.ok(sleeper.now.longestAwayMs > FROZEN_MS / 2, `the page stood still for ${sleeper.now.longestAwayMs} ms only`);
  scene.tell(`the page stood still for ${sleeper.now.longestAwayMs.toFixed(0)} ms`);
  // A headless browser never shows the page again, so its playhead stands; what it loads and gives is looked at.
  const before = { bytes: sleeper.bytesFromPeers(), given: awake.bytesFromPeers() };
  await scene.until('it takes and gives', () => sleeper.bytesFromPeers() > before.bytes && awake.bytesFromPeers() > before.given);
});

scenario('a page that was offline plays on and meets new peers', async (scene) => {
  const stream = await scene.live();
  const [gone, other] = [await scene.ours(stream), await scene.ours(stream)];
  await scene.until('they share', () => scene.viewers.some((viewer) => viewer.tookFrom(OURS)));
  await scene.until('they have a buffer', () => scene.viewers.every(({ now }) => now.aheadS * 1_000 > OFFLINE_MS));
  await gone.page.context().setOffline(true);
  const sent = gone.bytesOriginSent;
  await scene.playsOnFor(OFFLINE_MS / 1_000);
  assert.equal(gone.bytesOriginSent, sent, 'the page was not offline');
  await scene.playsOnFor(4, () => gone.page.context().setOffline(false));
  await scene.leave(other);
  const newcomer = await scene.ours(stream);
  await scene.until('they meet', () => newcomer.now.peers.length > 0);
  const before = gone.bytesFromPeers();
  await scene.until('it takes from who came later', () => gone.bytesFromPeers() > before);
  scene.assertNoStalls();
});
