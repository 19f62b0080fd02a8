// @ts-check
// `beekeepr up`: what somebody sees who starts it for the first time.

import { startUp } from '../harness/servers.mjs';
import { scenario } from '../harness/scenario.mjs';

scenario('the demo page moves bytes between two tabs and from the seeder', async (scene) => {
  const up = scene.use(await startUp());
  const tabs = await scene.tabs(up.address, 2);
  const shows = (/** @type {string} */ id) => async (/** @type {import('playwright-core').Page} */ page) =>
    (await page.locator(id).textContent()) !== '0 KB';
  const everyTab = async (/** @type {string} */ id) => (await Promise.all(tabs.map(shows(id)))).every(Boolean);
  const someTab = async (/** @type {string} */ id) => (await Promise.all(tabs.map(shows(id)))).some(Boolean);
  await scene.until('each tab shows bytes from the seeder', () => everyTab('#total-seeder'));
  await scene.until('a tab shows bytes from the other', () => someTab('#total-peer'));
  await scene.until('a tab shows an upload', () => someTab('#total-upload'));
});
