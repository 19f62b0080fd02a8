// @ts-check
// Bad lines: a long way, lost packets, hardly enough for the stream. Each viewer has its own.

import assert from 'node:assert/strict';
import { shareOf } from '../harness/books.mjs';
import { scenario } from '../harness/scenario.mjs';

/** To the servers and back 50 ms, between viewers twice as long; 4 times what the stream needs. */
const LINE = { delayMs: 25, loss: 0.01, mbit: 3 };

const COUNT = 3;
const PLAYED_S = 60;

for (const kind of /** @type {const} */ (['live', 'vod'])) {
  scenario(`${kind}: on bad lines ours shares no less and stalls no longer than p2p-media-loader`, async (scene) => {
    const streams = { ours: await scene[kind](), rivals: await scene[kind]() };
    // By turns, so that both meet the same load of the machine.
    for (let i = 0; i < COUNT; i++) {
      await scene.ours(streams.ours, { line: LINE, beside: true });
      await scene.rival(streams.rivals, { line: LINE });
    }
    const enough = () => scene.viewers.every(({ now }) => now.playedS >= PLAYED_S || now.ended);
    await scene.until(`all played ${PLAYED_S} s`, enough, 4 * PLAYED_S * 1_000);
    const measure = async (/** @type {boolean} */ isOurs) => {
      const viewers = scene.viewers.filter((viewer) => viewer.isOurs === isOurs);
      const starvedMs = viewers.reduce((sum, { now }) => sum + now.stalls.starvedMs, 0);
      return { share: shareOf(await scene.books(viewers)), starvedMs };
    };
    const [ours, theirs] = [await measure(true), await measure(false)];
    scene.tell(`ours ${JSON.stringify(ours)}, p2p-media-loader ${JSON.stringify(theirs)}`);
    assert.ok(ours.share >= theirs.share, `ours shares ${ours.share}, p2p-media-loader ${theirs.share}`);
    assert.ok(ours.starvedMs <= theirs.starvedMs, `ours starved ${ours.starvedMs} ms, p2p-media-loader ${theirs.starvedMs}`);
  });
}
