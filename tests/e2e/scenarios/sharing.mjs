// @ts-check
// Viewers of ours among themselves: two and four, live and on demand.

import { HANDICAP_MS, OURS, scenario } from '../harness/scenario.mjs';

for (const count of [2, 4]) {
  scenario(`${count} viewers of a live stream take segments from each other`, async (scene) => {
    const stream = await scene.live();
    for (let i = 0; i < count; i++) await scene.ours(stream);
    await scene.until('each took from a peer', () => scene.viewers.every((viewer) => viewer.tookFrom(OURS)));
    await scene.untilAllPlayed(15);
  });

  scenario(`${count} viewers of a stream on demand: the later take from the earlier`, async (scene) => {
    const stream = await scene.vod();
    await scene.ours(stream);
    await scene.untilAllPlayed(4);
    for (let i = 1; i < count; i++) await scene.ours(stream, { handicapMs: HANDICAP_MS });
    const later = scene.viewers.slice(1);
    await scene.until('each later one took from a peer', () => later.every((viewer) => viewer.tookFrom(OURS)));
    await scene.untilAllPlayed(8);
  });
}

scenario('a viewer that changes to another rendition takes it from peers', async (scene) => {
  const stream = await scene.vod();
  await scene.ours(stream, { quality: 'high' });
  await scene.untilAllPlayed(4);
  const second = await scene.ours(stream, { quality: 'low', handicapMs: HANDICAP_MS });
  await scene.until('the second plays', () => second.now.playedS > 2);
  await second.switchTo('high');
  await scene.until('it took from the first', () => second.tookFrom(OURS));
});
