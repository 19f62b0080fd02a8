// @ts-check
// Real Chromium, in which the foreign engines read the cases.

import { env } from 'node:process';
import { chromium } from 'playwright-core';
import { isDash, ORIGIN, requested } from './cases.mjs';

/** A page that has not read its manifest by then never will. */
const PAGE_MS_MAX = 20_000;

const FLAGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
];

/**
 * @typedef {{ runtimeId: string, type: 'main' | 'secondary', index: number | string, segments: [number, string][] }} SeenStream
 * @typedef {{ swarmId: string, streams: SeenStream[], variants?: any[] }} Seen
 */

/** Launches the browser for a server at `port`. */
export async function launch(/** @type {number} */ port) {
  const { host } = new URL(ORIGIN);
  return chromium.launch({
    executablePath: env.BEEKEEPR_CHROMIUM ?? '/usr/bin/chromium',
    args: [...FLAGS, `--host-resolver-rules=MAP ${host} 127.0.0.1:${port}`],
  });
}

/**
 * Pages that have loaded their players, kept for the next case: loading takes longer than reading.
 * @type {Map<string, import('playwright-core').Page[]>}
 */
const idle = new Map();

/**
 * What an engine knows of a case.
 * @param {import('playwright-core').Browser} browser
 * @param {'v2' | 'v2_index'} generation
 * @param {import('./cases.mjs').Case} it
 * @returns {Promise<Seen>}
 */
export async function watch(browser, generation, it) {
  const kind = `${generation} ${it.clock ?? ''}`;
  const page = idle.get(kind)?.pop() ?? (await openPage(browser, generation, it.clock));
  const read = isDash(it) ? 'readDash' : 'readHls';
  const seen = await withDeadline(page.evaluate(`window.${read}(${JSON.stringify(requested(it))})`), it.name);
  idle.set(kind, [...(idle.get(kind) ?? []), page]);
  return seen;
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {'v2' | 'v2_index'} generation
 * @param {string} [clock]
 */
async function openPage(browser, generation, clock) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PAGE_MS_MAX);
  if (clock) await page.clock.setFixedTime(clock);
  await page.goto(`${ORIGIN}/page/${generation}.html`);
  await page.waitForFunction('window.readHls && window.readDash');
  return page;
}

/**
 * @template T
 * @param {Promise<T>} reading
 * @param {string} name
 */
async function withDeadline(reading, name) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${name}: not read within ${PAGE_MS_MAX} ms`)), PAGE_MS_MAX);
  });
  return /** @type {Promise<any>} */ (Promise.race([reading, late]).finally(() => clearTimeout(timer)));
}
