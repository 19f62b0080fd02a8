// @ts-check
// Starts browsers: one for all viewers, or one behind a bad line for each.

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHROMIUM, LOAD_BINARY, PACKAGE_DIR } from './settings.mjs';

/** Pages in the background must play and run timers like the one in front. */
const BROWSER_FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
  ...['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows'],
  '--disable-renderer-backgrounding',
];

/**
 * Headless=new with a new, empty profile; playwright deletes it afterwards.
 * @param {Omit<import('playwright-core').LaunchOptions, 'args'> & { args?: string[] }} [options]
 */
export function launchBrowser({ args = [], ...options } = {}) {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--headless=new', ...BROWSER_FLAGS, ...args], ...options });
}

/**
 * A browser whose pages can be frozen: playwright keeps those of its own browsers awake.
 * @returns {Promise<{ browser: import('playwright-core').Browser, close(): Promise<unknown> }>}
 */
export async function launchSleepy() {
  const port = await freePort();
  const launched = await launchBrowser({ args: [`--remote-debugging-port=${port}`] });
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  return { browser, close: () => browser.close().then(() => launched.close()) };
}

/** @returns {Promise<number>} */
function freePort() {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => done(port));
    });
  });
}

/**
 * A bad line between a browser and everybody else.
 * @typedef {object} Line
 * @property {number} delayMs from one end to the other
 * @property {number} loss share of packets
 * @property {number} mbit megabits per second, each way
 */

/**
 * @param {Line} line
 * @param {string} siteUrl treated as if it were https, so that pages may hash
 */
export async function launchBehind({ delayMs, loss, mbit }, siteUrl) {
  if (!existsSync(LOAD_BINARY)) {
    throw new Error(`no relay at ${LOAD_BINARY}: build it with \`cargo build -p beekeepr-load\` or set BEEKEEPR_LOAD_BIN`);
  }
  const shape = `--delay-ms ${delayMs} --loss ${loss} --mbit ${mbit}`;
  const env = { ...process.env, RELAY: LOAD_BINARY, RELAY_SHAPE: shape, RELAY_BROWSER: CHROMIUM };
  const executablePath = join(PACKAGE_DIR, 'harness/behind-relay.sh');
  const args = [`--unsafely-treat-insecure-origin-as-secure=${siteUrl}`];
  const browser = await launchBrowser({ executablePath, env, args });
  return { browser, close: () => browser.close() };
}
