// @ts-check
// Playback never gets worse than plain HTTP: whatever part is killed or missing.

import assert from 'node:assert/strict';
import { deafTracker, startTracker } from '../harness/servers.mjs';
import { OURS, P2PML_LIVE_SYNC, SEEDER, SMALL_STEPS, longScenario, scenario } from '../harness/scenario.mjs';

/** Longer than a live window and than the windows below: all that was loaded before is used up. */
const BEYOND_BUFFER_S = 26;

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

for (const victim of /** @type {const} */ (['seeder', 'tracker'])) {
  longScenario(`8 live viewers go on when the ${victim} is killed`, async (scene) => {
    const stream = await scene.live();
    const tracker = scene.use(await startTracker());
    const seeder = await scene.seeder(stream, { tracker: tracker.address });
    const choice = { tracker: tracker.address };
    for (let i = 0; i < 4; i++) await scene.ours(stream, choice);
    for (let i = 0; i < 4; i++) await scene.p2pml(stream, choice);
    const served = () => [true, false].every((isOurs) => scene.viewers.some((it) => it.isOurs === isOurs && it.tookFrom(SEEDER)));
    await scene.until('viewers of both kinds took from the seeder', served);
    await scene.untilAllPlayed(10);
    await scene.playsOnFor(BEYOND_BUFFER_S, () => ({ seeder, tracker })[victim].kill9());
    scene.assertNoStalls();
  });
}

/** An outage that every viewer's buffer outlasts: they are 18 s behind the live edge. */
const OUTAGE_S = 8;
const BUFFERED = { hls: { liveSyncDurationCount: P2PML_LIVE_SYNC } };
/** Beyond the outage, so that what it delayed is played. */
const AFTERWARDS_S = 15;

for (const trouble of /** @type {const} */ (['unavailable', 'silent'])) {
  for (const seeded of [true, false]) {
    const name = `viewers of a live stream ${seeded ? 'with' : 'without'} a seeder outlast an origin that is ${trouble} for a while`;
    // Without a seeder is the harder case.
    const declare = seeded ? longScenario : scenario;
    declare(name, async (scene) => {
      const stream = await scene.live();
      if (seeded) await scene.seeder(stream);
      for (let i = 0; i < 2; i++) await scene.ours(stream, BUFFERED);
      await scene.p2pml(stream, { beside: true });
      await scene.plain(stream, { ...BUFFERED, beside: true });
      await scene.until('ours are connected', () => scene.promised.every(({ now }) => now.peers.length > 0));
      await scene.until('ours have a buffer', () => scene.promised.every(({ now }) => now.aheadS > OUTAGE_S));
      const mend = stream.breakDown(trouble);
      await scene.playsOnFor(OUTAGE_S);
      await scene.playsOnFor(AFTERWARDS_S, mend);
      scene.assertNoStalls();
      for (const { now, name: who } of scene.viewers) scene.tell(`${who}: stalls ${JSON.stringify(now.stalls)}, fatal ${now.fatal}`);
    });
  }
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
