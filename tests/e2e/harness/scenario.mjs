// @ts-check
// A scenario: some viewers, some servers, conditions that must come true; and at its end, always,
// no fatal error in any player and no byte other than the origin's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportFailure } from './failure.mjs';
import { CONDITION_MS_MAX, ONLY, POLL_MS, SCENARIO_MS_MAX } from './settings.mjs';
import { clientEntry } from './site.mjs';
import { startSeeder } from './servers.mjs';
import { stage } from './stage.mjs';
import { Viewer } from './viewer.mjs';

/** How the peer ids of each kind of peer begin. */
export const OURS = '-BK';
export const SEEDER = '-BS';
export const P2PML = '-PM';

/**
 * Segments behind the live edge at which p2p-media-loader plays here. It asks peers only for what
 * is played in more than 15 s, and left alone it often moves back too late to be that far behind.
 */
export const P2PML_LIVE_SYNC = 9;

/** The player's worker is off because p2p-media-loader 2.3.1 shares emptied buffers with it. */
const P2PML_HLS = { enableWorker: false, liveSyncDurationCount: P2PML_LIVE_SYNC };

/**
 * @typedef {object} Choice what a scenario may choose for a viewer
 * @property {string} [tracker] instead of the shared one
 * @property {string | null} [stun] instead of the shared one; null for none
 * @property {object} [hls] more of the player's configuration
 * @property {object} [core] more of the engine's configuration
 * @property {import('./viewer.mjs').Quality} [quality] 'high' if absent: one swarm for all
 * @property {RegExp} [blocked] requests that fail
 * @property {RegExp} [held] requests that wait for `release`
 */

let scenesMade = 0;

/**
 * Declares a scenario.
 * @param {string} name
 * @param {(scene: Scene) => Promise<void>} body
 */
export function scenario(name, body) {
  if (ONLY && !ONLY.test(name)) return;
  test(name, { timeout: SCENARIO_MS_MAX }, async (context) => {
    const scene = new Scene(`s${++scenesMade}`);
    try {
      await body(scene);
      await scene.verify();
      for (const viewer of scene.viewers) context.diagnostic(viewer.summary);
    } catch (error) {
      await reportFailure(name, scene);
      throw error;
    } finally {
      await scene.end();
    }
  });
}

export class Scene {
  /** @type {Viewer[]} */
  viewers = [];
  /** @type {import('./servers.mjs').Role[]} those of this scenario alone */
  roles = [];
  /** @type {import('playwright-core').Page[]} pages that are not ours to look into */
  pages = [];
  /** @type {(() => unknown)[]} */
  #endings = [];

  constructor(/** @type {string} */ id) {
    this.id = id;
  }

  /** A live stream of this scenario alone. */
  async live() {
    return (await stage.origin()).publish(`${this.id}-live`, { live: true });
  }

  /** A stream on demand of this scenario alone. */
  async vod() {
    return (await stage.origin()).publish(`${this.id}-vod`, { live: false });
  }

  /**
   * A viewer with our client, in its stock configuration.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async ours(stream, choice = {}) {
    return this.#open('ours', clientEntry(), stream, choice);
  }

  /**
   * A viewer with unmodified p2p-media-loader, its engine in stock configuration.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async p2pml(stream, { hls, ...rest } = {}) {
    const choice = { ...rest, hls: { ...P2PML_HLS, ...hls } };
    return this.#open('p2pml', 'p2p-media-loader-hlsjs', stream, choice);
  }

  /** Opens a page in so many tabs of one browser window. */
  async tabs(/** @type {string} */ url, /** @type {number} */ count) {
    const context = await (await stage.browser()).newContext({ viewport: { width: 1280, height: 900 } });
    this.atEnd(() => context.close());
    for (let i = 0; i < count; i++) {
      const page = await context.newPage();
      this.pages.push(page);
      await page.goto(url);
    }
    return this.pages;
  }

  /**
   * A seeder of this stream, ready.
   * @param {import('./stream.mjs').Stream} stream
   * @param {{ tracker?: string }} [choice]
   */
  async seeder(stream, { tracker } = {}) {
    const at = tracker ?? (await stage.tracker()).address;
    return this.use(await startSeeder({ manifestUrl: stream.manifestUrl, tracker: at }));
  }

  /**
   * Ends a server together with the scenario.
   * @template {import('./servers.mjs').Role} T
   * @param {T} role
   */
  use(role) {
    this.roles.push(role);
    this.atEnd(() => role.stop());
    return role;
  }

  /** Does something when the scenario is over. */
  atEnd(/** @type {() => unknown} */ ending) {
    this.#endings.push(ending);
  }

  /**
   * Waits until the condition holds. All viewers are looked at before each try; a fatal error in
   * any of them ends the waiting.
   * @param {string} what
   * @param {() => boolean | Promise<boolean>} condition
   */
  async until(what, condition) {
    const end = Date.now() + CONDITION_MS_MAX;
    for (;;) {
      await this.#look();
      if (await condition()) return;
      for (const viewer of this.viewers) assert.deepEqual(viewer.now.fatal, [], `${viewer.name} failed`);
      assert.ok(Date.now() < end, `waited ${CONDITION_MS_MAX} ms in vain until ${what}`);
      await sleep(POLL_MS);
    }
  }

  /**
   * Waits until every viewer has played so long.
   * @param {number} seconds
   */
  async untilAllPlayed(seconds) {
    await this.until(`all played ${seconds} s`, () => this.viewers.every(({ now }) => now.playedS >= seconds));
  }

  /**
   * Does something, lets every viewer play on for `seconds`, and checks that none stood still.
   * @param {number} seconds
   * @param {() => Promise<unknown>} disturbance
   */
  async playsOnFor(seconds, disturbance) {
    await this.#look();
    const before = new Map(this.viewers.map((viewer) => [viewer, viewer.now]));
    await disturbance();
    const playedOn = (/** @type {Viewer} */ viewer) =>
      viewer.now.playedS >= (before.get(viewer)?.playedS ?? 0) + seconds;
    await this.until(`all played on for ${seconds} s`, () => this.viewers.every(playedOn));
    for (const viewer of this.viewers) {
      const { waiting, starvedMs } = viewer.now.stalls;
      const { stalls } = before.get(viewer) ?? viewer.now;
      const added = { waiting: waiting - stalls.waiting, starvedMs: starvedMs - stalls.starvedMs };
      assert.deepEqual(added, { waiting: 0, starvedMs: 0 }, `${viewer.name} stalled`);
    }
  }

  /** What must be true at the end of every scenario. */
  async verify() {
    await this.until('all deliveries are hashed', () => this.viewers.every((viewer) => viewer.settled));
    for (const viewer of this.viewers) {
      assert.ok(viewer.now.delivered.length > 0, `${viewer.name} was delivered no segment`);
      assert.deepEqual(viewer.now.fatal, [], `${viewer.name} met fatal errors`);
      assert.deepEqual(viewer.falseSegments, [], `${viewer.name} was delivered other bytes than the origin's`);
      assert.ok(viewer.now.httpBytes <= viewer.bytesOriginSent, `${viewer.name} counts HTTP bytes the origin never sent`);
      const ours = viewer.options.engine.startsWith('/client/');
      if (ours) assert.deepEqual(viewer.pageErrors, [], `${viewer.name} threw`);
    }
  }

  async end() {
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
    await Promise.all(this.#endings.map((end) => end()));
  }

  async #look() {
    await Promise.all(this.viewers.map((viewer) => viewer.look()));
  }

  /**
   * @param {string} kind
   * @param {string} engine
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} choice
   */
  async #open(kind, engine, stream, { hls = {}, core = {}, quality = 'high', blocked, held, ...servers }) {
    const name = `${this.id}-${kind}-${this.viewers.length + 1}`;
    const signalling = await signallingOf(servers);
    const options = { name, engine, stream, hls, core: { ...signalling, ...core }, quality, blocked, held };
    const [browser, site, origin] = await Promise.all([stage.browser(), stage.site(), stage.origin()]);
    const viewer = await Viewer.open(browser, origin, options);
    this.viewers.push(viewer);
    await viewer.play(site.url ?? '');
    return viewer;
  }
}

/**
 * The part of an engine's configuration that says by what means peers meet.
 * @param {Pick<Choice, 'tracker' | 'stun'>} servers
 */
async function signallingOf({ tracker, stun }) {
  const stunUrl = stun === undefined ? (await stage.stun()).address : stun;
  return {
    announceTrackers: [tracker ?? (await stage.tracker()).address],
    rtcConfig: { iceServers: stunUrl ? [{ urls: stunUrl }] : [] },
  };
}
