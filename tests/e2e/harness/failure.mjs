// @ts-check
// What a failed scenario leaves behind: a compact report on the console, and the whole of it with
// screenshots under `target/e2e-artifacts`.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTIFACTS_DIR } from './settings.mjs';
import { sharedRoles } from './stage.mjs';

/** Deliveries per viewer on the console; the file has them all. */
const DELIVERIES_SHOWN = 4;

/**
 * @param {string} name the scenario's
 * @param {import('./scenario.mjs').Scene} scene
 */
export async function reportFailure(name, scene) {
  const folder = join(ARTIFACTS_DIR, name.replace(/[^a-z0-9]+/gi, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const text = [`scenario failed: ${name}`, ...scene.figures.map((figure) => `  ${figure}`)];
  for (const viewer of scene.viewers) {
    await viewer.look().catch(() => {});
    text.push(...describeViewer(viewer));
    await viewer.page.screenshot({ path: join(folder, `${viewer.name}.png`) }).catch(() => {});
    await writeFile(join(folder, `${viewer.name}.json`), JSON.stringify(viewer.now, null, 2));
  }
  for (const [index, page] of scene.pages.entries()) {
    await page.screenshot({ path: join(folder, `page-${index + 1}.png`) }).catch(() => {});
  }
  for (const role of [...scene.roles, ...(await sharedRoles())]) {
    text.push(`  ${role.name} (${role.running ? 'running' : 'ended'})`);
    for (const line of role.log) text.push(`    ${line}`);
  }
  text.push(`  more in ${folder}`);
  await writeFile(join(folder, 'report.txt'), text.join('\n'));
  console.error(text.join('\n'));
}

/** @param {import('./viewer.mjs').Viewer} viewer */
function describeViewer({ summary, now, console: lines, pageErrors }) {
  const { delivered, fatal, errors, engineErrors, peerBytes, uploadedBytes, peersSeen } = now;
  const { position, aheadS, paused, ended } = now;
  return [
    `  ${summary}`,
    `    at ${position.toFixed(1)} s, ${aheadS.toFixed(1)} s ahead${paused ? ', paused' : ''}${ended ? ', ended' : ''}`,
    `    ${JSON.stringify({ fatal, errors, engineErrors, peerBytes, uploadedBytes, peersSeen })}`,
    ...delivered.slice(-DELIVERIES_SHOWN).map(({ url, bytes }) => `    delivered ${url} ${bytes} B`),
    ...pageErrors.map((line) => `    exception: ${line}`),
    ...lines.map((line) => `    console: ${line}`),
  ];
}
