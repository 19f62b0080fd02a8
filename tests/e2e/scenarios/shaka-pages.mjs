// @ts-check
// What pages with Shaka Player do besides playing one stream: other engines in the swarm, controls, several players,
// players that come and go, periods, encryption, and no WebAssembly.

import assert from 'node:assert/strict';
import { KEY_ID } from '../harness/cenc.mjs';
import { HANDICAP_MS, HEAD_START_SEGMENTS, OURS, P2PML_2_2, TAKES_FROM_PEERS, scenario } from '../harness/scenario.mjs';
import { ours, p2pml, plain, publish } from '../harness/shaka.mjs';

/** @typedef {import('../harness/viewer.mjs').Viewer} Viewer */

/** Told to meet every version, as p2p-media-loader-shaka 2.2.2 is older than the swarms' present names. */
const MEETS_ALL = { core: { generation: 'auto' } };

/** Fetches only what is played soon, so that there is much left to take when it meets somebody. */
const TAKES = { core: TAKES_FROM_PEERS.core };

/** Farther from the live edge than the player goes by itself: no matter how busy the machine is. */
const FAR_ENOUGH = { manifest: { defaultPresentationDelay: 12 }, streaming: { rebufferingGoal: 2 } };

/** Where p2p-media-loader-shaka puts its player: who is further behind the live edge has nothing to give. */
const AS_FAR_AS_P2PML = { manifest: { defaultPresentationDelay: 25 } };

/** Loads, unloads and new players on one page. */
const CYCLES = 10;

/** For how long connections may take to close. */
const CLOSED_MS_MAX = 10_000;

/** Plays beyond the end of the first period. */
const TWO_PERIODS_S = 24;

scenario('Shaka Player, on demand: ours takes from p2p-media-loader and gives to it', async (scene) => {
  const [given, taken] = [await publish(scene, 'ts', { live: false }), await publish(scene, 'ts', { live: false })];
  const giver = await ours(scene, 5, given, MEETS_ALL);
  await p2pml(scene, taken);
  await scene.untilAllPlayed(4);
  await scene.until('ours is ahead', () => giver.segmentsLoaded >= HEAD_START_SEGMENTS);
  const theirs = await p2pml(scene, given);
  const taker = await ours(scene, 4, taken, { core: { ...TAKES.core, ...MEETS_ALL.core } });
  await scene.until('ours took from p2p-media-loader', () => taker.tookFrom(P2PML_2_2));
  await scene.until('p2p-media-loader took from ours', () => theirs.tookFrom(OURS));
  await scene.untilAllPlayed(8);
});

scenario('Shaka Player, live: ours takes from p2p-media-loader and gives to it', async (scene) => {
  const [given, taken] = [await publish(scene, 'ts', { live: true }), await publish(scene, 'ts', { live: true })];
  const beside = { ...MEETS_ALL, player: AS_FAR_AS_P2PML };
  await ours(scene, 5, given, beside);
  await p2pml(scene, taken);
  const late = { handicapMs: HANDICAP_MS };
  const theirs = await p2pml(scene, given, late);
  const taker = await ours(scene, 4, taken, { ...beside, ...late });
  await scene.until('ours took from p2p-media-loader', () => taker.tookFrom(P2PML_2_2));
  await scene.until('p2p-media-loader took from ours', () => theirs.tookFrom(OURS));
  await scene.untilAllPlayed(8);
});

scenario('Shaka Player: viewers with controls and two players on a page share', async (scene) => {
  const streams = [await publish(scene, 'number', { live: false }), await publish(scene, 'hls', { live: false })];
  const first = await ours(scene, 'ui', streams[0], TAKES);
  await ours(scene, 'ui', streams[1], { ...TAKES, onPageOf: first });
  await scene.untilAllPlayed(3);
  const second = await ours(scene, 5, streams[0], TAKES);
  const other = await ours(scene, 5, streams[1], { ...TAKES, onPageOf: second });
  await scene.until('both players of the later page took from peers', () => second.tookFrom(OURS) && other.tookFrom(OURS));
  await scene.untilAllPlayed(6);
  scene.assertNoStalls();
  assert.ok(await first.page.locator('.shaka-controls-container').count(), 'there are no controls');
});

scenario(`Shaka Player: ${CYCLES} loads and players on one page leave no connection`, async (scene) => {
  const stream = await publish(scene, 'timeline', { live: false });
  await ours(scene, 5, stream, TAKES);
  const restless = await ours(scene, 4, stream, { ...TAKES, watched: true });
  for (let i = 1; i < CYCLES; i++) {
    // By turns in the middle of things and when a peer is there; a new load, and a new player.
    if (i % 2) await scene.until('it has a peer', () => restless.now.peers.length > 0);
    if (i % 4 < 2) await restless.load();
    else await restless.restart();
  }
  await scene.until('the last one took from its peer', () => restless.tookFrom(OURS));
  const { made } = await restless.connections();
  const peersOpen = async () => (await restless.connections()).open.filter((/** @type {string} */ it) => !it.startsWith('socket'));
  await restless.unload();
  await scene.until('unloaded, it has no peers', async () => (await peersOpen()).length === 0, CLOSED_MS_MAX);
  await restless.load();
  await scene.until('loaded again, it has a peer', async () => (await peersOpen()).length > 0);
  await restless.stop();
  const allClosed = async () => (await restless.connections()).open.length === 0;
  await scene.until('all is closed', allClosed, CLOSED_MS_MAX);
  scene.tell(`${CYCLES} loads made ${made} connections, none is open`);
  assert.ok(made >= CYCLES, `only ${made} connections were seen`);
});

scenario('Shaka Player: several periods are played and shared', async (scene) => {
  const vod = await publish(scene, 'timeline', { live: false, periods: true });
  const live = await publish(scene, 'number', { live: true, periods: true });
  const choice = { ...TAKES, player: FAR_ENOUGH };
  for (const stream of [vod, live]) for (const version of /** @type {const} */ ([5, 4])) await ours(scene, version, stream, choice);
  await scene.untilAllPlayed(TWO_PERIODS_S);
  scene.assertNoStalls();
  for (const viewer of scene.viewers) {
    const { name, mediaThroughEngine, mediaGiven } = viewer;
    scene.tell(`${name}: ${mediaThroughEngine} of ${mediaGiven} segments through the engine`);
    assert.ok(mediaThroughEngine >= (mediaGiven * 20) / 24, `${name}: only ${mediaThroughEngine} of ${mediaGiven} went through the engine`);
  }
  for (const [i, stream] of [vod, live].entries()) {
    const watching = scene.viewers.filter((viewer) => viewer.options.stream === stream);
    const shared = () => watching.some((viewer) => viewer.tookFrom(OURS));
    await scene.until(`one of two took from the other (${i ? 'live' : 'on demand'})`, shared);
  }
});

scenario('Shaka Player: encrypted segments are shared, and licences asked for as without us', async (scene) => {
  const stream = await publish(scene, 'number', { live: false, encrypted: true });
  const alone = await plain(scene, 5, stream);
  await ours(scene, 5, stream, TAKES);
  await scene.untilAllPlayed(3);
  const later = await ours(scene, 4, stream, TAKES);
  const tookSound = () => later.segmentsFromPeers.some((path) => path.startsWith('2/'));
  await scene.until('the later one took encrypted sound', () => later.tookFrom(OURS) && tookSound());
  await scene.untilAllPlayed(6);
  scene.assertNoStalls();
  const { licences } = /** @type {import('../harness/cmaf-stream.mjs').CmafStream} */ (stream);
  for (const viewer of scene.viewers) {
    const asked = licences.filter((it) => it.viewer === viewer.name).map(({ keyIds }) => keyIds);
    assert.deepEqual(asked, [[KEY_ID.toString('base64url')]], `${viewer.name} asked for its licence in another way`);
  }
  assert.equal(alone.bytesFromPeers(), 0);
});

for (const [what, blocked] of /** @type {const} */ ([['WASM', /\.wasm/], ['manifest reader', /playlist.*\.wasm/]])) {
  scenario(`Shaka Player plays over HTTP when the ${what} cannot be loaded`, async (scene) => {
    const streams = [await publish(scene, 'ts', { live: false }), await publish(scene, 'timeline', { live: true })];
    for (const stream of streams) await ours(scene, 5, stream, { blocked, player: FAR_ENOUGH });
    await scene.playsOnFor(8);
    for (const viewer of scene.viewers) assert.deepEqual(viewer.now.errors, {}, `${viewer.name} met errors`);
  });
}
