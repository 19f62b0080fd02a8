// @ts-check
// Playback never gets worse than plain HTTP: whatever part is killed or missing.

import assert from 'node:assert/strict';
import { deafTracker, startTracker } from '../harness/servers.mjs';
import { OURS, SEEDER, scenario } from '../harness/scenario.mjs';

/** Longer than a live window and than the windows below: all that was loaded before is used up. */
const BEYOND_BUFFER_S = 26;

/**
 * Keeps a viewer of a stream on demand busy loading. Left alone, player and engine would load the
 * whole stream within seconds, and the kill would hit nobody.
 */
const SMALL_STEPS = {
  hls: { maxBufferLength: 8, maxMaxBufferLength: 8 },
  core: { httpDownloadTimeWindow: 12, p2pDownloadTimeWindow: 12 },
};

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  scenario(`${kind}: nobody stalls when the seeder and the tracker are killed`, async (scene) => {
    const stream = await scene[kind]();
    const tracker = scene.use(await startTracker());
    const seeder = await scene.seeder(stream, { tracker: tracker.address });
    const choice = { tracker: tracker.address, ...(stream.live ? {} : SMALL_STEPS) };
    const viewers = [await scene.ours(stream, choice), await scene.ours(stream, choice), await scene.p2pml(stream, choice)];
    const [first, second] = viewers;
    await scene.until('ours took from the seeder', () => first.tookFrom(SEEDER) || second.tookFrom(SEEDER));
    await scene.untilAllPlayed(3);
    await scene.playsOnFor(BEYOND_BUFFER_S, () => Promise.all([seeder.kill9(), tracker.kill9()]));
  });
}

scenario('plays over HTTP when the WASM cannot be loaded', async (scene) => {
  const viewer = await scene.ours(await scene.vod(), { blocked: /\.wasm/ });
  await scene.playsOnFor(8, async () => {});
  assert.equal(viewer.bytesFromPeers(), 0);
});

scenario('plays over HTTP while the WASM is loading, then shares', async (scene) => {
  const stream = await scene.vod();
  await scene.ours(stream);
  await scene.untilAllPlayed(2);
  const late = await scene.ours(stream, { held: /\.wasm/, ...SMALL_STEPS });
  await scene.until('the late one plays', () => late.now.playedS > 2);
  late.release();
  await scene.until('it took from its peer', () => late.tookFrom(OURS));
});

scenario('plays over HTTP when the tracker does not answer', async (scene) => {
  const deaf = await deafTracker();
  scene.atEnd(deaf.stop);
  await scene.ours(await scene.live(), { tracker: deaf.address });
  await scene.playsOnFor(8, async () => {});
});

scenario('plays over HTTP when the tracker refuses connections', async (scene) => {
  const deaf = await deafTracker();
  await deaf.stop();
  await scene.ours(await scene.live(), { tracker: deaf.address });
  await scene.playsOnFor(8, async () => {});
});
