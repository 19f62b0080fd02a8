// @ts-check
// A torrent client of a foreign make, in a real browser, meets its like through our tracker.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONDITION_MS_MAX, ONLY, PACKAGE_DIR, POLL_MS } from '../harness/settings.mjs';
import { stage } from '../harness/stage.mjs';

const NAME = 'webtorrent seeds a file and another page leeches it through our tracker';

/** A hundred pieces or more, so that the transfer is more than one message. */
const FILE_BYTES = 5 * 1024 * 1024;
const SCRIPT = '/foreign/webtorrent.js';
const SCRIPT_FILE = join(PACKAGE_DIR, 'node_modules/webtorrent/dist/webtorrent.min.js');

if (!ONLY || ONLY.test(NAME)) {
  test(NAME, async () => {
    const [browser, site, tracker] = await Promise.all([stage.browser(), stage.site(), stage.tracker()]);
    const answersBefore = await tracker.metric('beekeepr_tracker_answers_relayed_total');
    // Contexts of their own: two strangers' browsers share no storage.
    const contexts = await Promise.all([browser.newContext(), browser.newContext()]);
    try {
      const pages = await Promise.all(contexts.map((context) => open(context, `${site.url}/page/viewer.html`)));
      const seeded = await pages[0].evaluate(seed, { script: SCRIPT, tracker: tracker.address, bytes: FILE_BYTES });
      const leeched = await pages[1].evaluate(leech, { script: SCRIPT, magnet: seeded.magnet });
      assert.equal(leeched.digest, seeded.digest, 'the same bytes by SHA-256');
      assert.equal(leeched.bytes, FILE_BYTES);
      assert.ok(leeched.received >= FILE_BYTES, `${leeched.received} bytes came from the peer`);
      assert.ok((await tracker.metric('beekeepr_tracker_answers_relayed_total')) > answersBefore, 'introduced by us');
      await untilComplete(tracker, seeded.infoHash, 2);
      await pages[1].evaluate(leave);
      await untilComplete(tracker, seeded.infoHash, 1);
    } finally {
      await Promise.all(contexts.map((context) => context.close()));
    }
  });
}

/**
 * An empty page of the site, beside which the foreign script is to be had.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} url
 */
async function open(context, url) {
  const page = await context.newPage();
  await page.route(`**${SCRIPT}`, (route) => route.fulfill({ path: SCRIPT_FILE, contentType: 'text/javascript' }));
  await page.goto(url);
  return page;
}

/**
 * The tracker is told by both ends: "completed" when the file is whole, "stopped" when a page leaves.
 * @param {import('../harness/servers.mjs').Role} tracker
 * @param {string} infoHash
 * @param {number} complete
 */
async function untilComplete(tracker, infoHash, complete) {
  const giveUp = Date.now() + CONDITION_MS_MAX;
  for (;;) {
    const { swarms } = await (await fetch(`${tracker.ready.admin}/v1/swarms`)).json();
    const swarm = swarms.find((/** @type {any} */ it) => it.info_hash === infoHash);
    if (swarm?.complete === complete && swarm.incomplete === 0) return;
    assert.ok(Date.now() < giveUp, `expected ${complete} complete peers, the tracker has ${JSON.stringify(swarm)}`);
    await sleep(POLL_MS);
  }
}

/** Runs in the page. @param {{ script: string, tracker: string, bytes: number }} options */
async function seed({ script, tracker, bytes }) {
  const { default: WebTorrent } = await import(script);
  const client = new WebTorrent({ dht: false, tracker: { rtcConfig: { iceServers: [] } } });
  const content = new Uint8Array(bytes);
  // getRandomValues gives 64 KiB at a time.
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(content.subarray(at, at + 65_536));
  const file = new File([content], 'random.bin');
  const torrent = await new Promise((done, failed) => {
    client.on('error', failed);
    client.seed(file, { announce: [tracker] }, done);
  });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return { magnet: torrent.magnetURI, infoHash: torrent.infoHash, digest: digest.join() };
}

/** Runs in the page. @param {{ script: string, magnet: string }} options */
async function leech({ script, magnet }) {
  const { default: WebTorrent } = await import(script);
  const client = new WebTorrent({ dht: false, tracker: { rtcConfig: { iceServers: [] } } });
  Object.assign(globalThis, { client });
  const torrent = await new Promise((done, failed) => {
    client.on('error', failed);
    client.add(magnet, (/** @type {any} */ added) => added.on('done', () => done(added)));
  });
  const content = await torrent.files[0].arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return { bytes: content.byteLength, received: torrent.received, digest: digest.join() };
}

/** Runs in the page: the torrent ends in good order. */
async function leave() {
  const { client } = /** @type {any} */ (globalThis);
  await new Promise((done) => client.destroy(done));
}
