// @ts-check
// A scenario: some viewers, some servers, conditions that must come true; and at its end, always,
// no fatal error in any player and no byte other than the origin's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { books } from './books.mjs';
import { launchBehind, launchSleepy } from './browser.mjs';
import { reportFailure } from './failure.mjs';
import { CONDITION_MS_MAX, LONG, LONG_SCENARIO_MS_MAX, ONLY, POLL_MS, SCENARIO_MS_MAX } from './settings.mjs';
import { LowLatencyStream } from './low-latency.mjs';
import { withBreaks } from './media.mjs';
import { clientEntry } from './site.mjs';
import { startSeeder } from './servers.mjs';
import { stage } from './stage.mjs';
import { Viewer } from './viewer.mjs';

/** How the peer ids of each kind of peer begin. */
export const OURS = '-BK';
export const SEEDER = '-BS';
export const P2PML = '-PM';
/** The same for each of the two versions of p2p-media-loader. */
export const P2PML_2_3 = '-PM0203-';
export const P2PML_2_2 = '-PM0202-';

/**
 * Segments behind the live edge at which p2p-media-loader plays here. It asks peers only for what
 * is played in more than 15 s, and left alone it often moves back too late to be that far behind.
 */
export const P2PML_LIVE_SYNC = 9;

/**
 * Keeps a viewer of a stream on demand busy loading. Left alone, player and engine load the whole
 * stream within seconds, before anybody is met or anything can happen to them.
 */
export const SMALL_STEPS = {
  hls: { maxBufferLength: 8, maxMaxBufferLength: 8 },
  core: { httpDownloadTimeWindow: 12, p2pDownloadTimeWindow: 12 },
};

/**
 * A viewer that fetches only what is played soon, and takes from peers all that they have: so there is much
 * left to take when it meets them, however late that is.
 */
export const TAKES_FROM_PEERS = {
  hls: SMALL_STEPS.hls,
  core: { httpDownloadTimeWindow: SMALL_STEPS.core.httpDownloadTimeWindow },
};

/**
 * p2p-media-loader asks peers only for what is played in more than 15 s, and fetches what nobody has in any
 * order, without end. From whom it is to take must have twice as much before it comes.
 */
export const HEAD_START_SEGMENTS = 16;

/**
 * So long does the origin keep a taker waiting: longer than the giver needs to fetch and announce
 * a segment, shorter than p2p-media-loader's patience with HTTP (3 s). On demand it leaves half a minute to
 * meet somebody before all is fetched.
 */
export const HANDICAP_MS = 1_500;

/** The player's worker is off because p2p-media-loader 2.3.1 shares emptied buffers with it. */
const P2PML_HLS = { enableWorker: false };
const P2PML_PLACED = { ...P2PML_HLS, liveSyncDurationCount: P2PML_LIVE_SYNC };

/**
 * @typedef {object} Choice what a scenario may choose for a viewer
 * @property {string} [tracker] instead of the shared one
 * @property {string | null} [stun] instead of the shared one; null for none
 * @property {object} [hls] more of the player's configuration
 * @property {string} [library] the build of Shaka Player that plays; empty for hls.js
 * @property {object} [core] more of the engine's configuration
 * @property {import('./viewer.mjs').Quality} [quality] 'high' if absent: one swarm for all
 * @property {RegExp} [blocked] requests that fail
 * @property {RegExp} [held] requests that wait for `release`
 * @property {import('./browser.mjs').Line} [line] a browser of its own behind this line
 * @property {Viewer} [onPageOf] a second player on that viewer's page
 * @property {boolean} [sleepy] a browser of its own whose page can be frozen
 * @property {boolean} [watched] its page's connections are counted
 * @property {number} [handicapMs] so long the origin lets it wait for each segment, from the first one on
 * @property {boolean} [beside] it is only compared with: its stalls and fatal errors fail nothing
 */

let scenesMade = 0;

/**
 * Declares a scenario.
 * @param {string} name
 * @param {(scene: Scene) => Promise<void>} body
 */
export function scenario(name, body) {
  declare(name, SCENARIO_MS_MAX, body);
}

/**
 * Declares a scenario that runs only when long ones are wanted.
 * @param {string} name
 * @param {(scene: Scene) => Promise<void>} body
 * @param {number} [playsMs] how long it plays
 */
export function longScenario(name, body, playsMs = 0) {
  if (LONG) declare(name, LONG_SCENARIO_MS_MAX + playsMs, body);
}

/**
 * @param {string} name
 * @param {number} timeout milliseconds
 * @param {(scene: Scene) => Promise<void>} body
 */
function declare(name, timeout, body) {
  if (ONLY && !ONLY.test(name)) return;
  test(name, { timeout }, async (context) => {
    const scene = new Scene(`s${++scenesMade}`);
    try {
      await body(scene);
      await scene.verify();
      for (const line of [...scene.figures, ...scene.viewers.map(({ summary }) => summary)]) context.diagnostic(line);
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
  /** @type {string[]} what was measured, for people */
  figures = [];
  /** @type {(() => unknown)[]} */
  #endings = [];
  #streams = 0;
  #opened = 0;

  constructor(/** @type {string} */ id) {
    this.id = id;
  }

  /**
   * A live stream of this scenario alone.
   * @param {Partial<import('./stream.mjs').StreamOptions>} [options]
   */
  async live(options = {}) {
    return (await stage.origin()).publish(`${this.id}-live${++this.#streams}`, { ...options, live: true });
  }

  /**
   * A stream of another kind.
   * @template {import('./stream.mjs').Stream} T
   * @param {(name: string, originUrl: string) => T} make
   */
  async publish(make) {
    const origin = await stage.origin();
    return origin.add(make(`${this.id}-other${++this.#streams}`, origin.url ?? ''));
  }

  /**
   * A stream on demand of this scenario alone.
   * @param {number} [segments]
   * @param {Partial<import('./stream.mjs').StreamOptions>} [options]
   */
  async vod(segments, options = {}) {
    const name = `${this.id}-vod${++this.#streams}`;
    return (await stage.origin()).publish(name, { ...options, live: false, ...(segments && { segments }) });
  }

  /** A live stream whose player has three renditions to choose from. */
  async ladder() {
    const name = `${this.id}-ladder${++this.#streams}`;
    return (await stage.origin()).publish(name, { live: true, renditions: await stage.ladder() });
  }

  /**
   * A stream with breaks for advertising, of another encoding, early on.
   * @param {'live' | 'vod'} kind
   */
  async withAds(kind) {
    const origin = await stage.origin();
    const renditions = [{ ...origin.renditions[0], segments: withBreaks(origin.renditions) }];
    return origin.publish(`${this.id}-ads${++this.#streams}`, { live: kind === 'live', renditions });
  }

  /**
   * A stream whose segments are ranges of one file.
   * @param {'live' | 'vod'} kind
   */
  async oneFile(kind) {
    const origin = await stage.origin();
    return origin.publish(`${this.id}-file${++this.#streams}`, { live: kind === 'live', oneFile: true });
  }

  /** A stream on demand with sound apart, in two languages. */
  async languages() {
    const { video, audio } = await stage.languages();
    const options = { live: false, renditions: [video], audio };
    return (await stage.origin()).publish(`${this.id}-languages${++this.#streams}`, options);
  }

  /** A live stream with low latency. */
  async lowLatency() {
    const clip = await stage.parts();
    const name = `${this.id}-low${++this.#streams}`;
    return (await stage.origin()).add(new LowLatencyStream(name, clip, (await stage.origin()).url ?? ''));
  }

  /**
   * A viewer with our client, in its stock configuration.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async ours(stream, choice = {}) {
    return this.open('ours', clientEntry('hlsjs'), stream, choice);
  }

  /**
   * A viewer with unmodified p2p-media-loader, its engine in stock configuration.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async p2pml(stream, { hls, ...rest } = {}) {
    const choice = { ...rest, hls: { ...P2PML_PLACED, ...hls } };
    return this.open('p2pml', 'p2p-media-loader-hlsjs', stream, choice);
  }

  /**
   * The same, left alone with where it plays: what ours has to be better than.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async rival(stream, { hls, ...rest } = {}) {
    const choice = { ...rest, hls: { ...P2PML_HLS, ...hls }, beside: true };
    return this.open('rival', 'p2p-media-loader-hlsjs', stream, choice);
  }

  /**
   * A viewer with unmodified p2p-media-loader 2.2.2, whose swarms are others than 2.3.1's.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async oldP2pml(stream, { hls, ...rest } = {}) {
    const choice = { ...rest, hls: { ...P2PML_PLACED, ...hls } };
    return this.open('p2pml22', 'p2p-media-loader-hlsjs-2-2', stream, choice);
  }

  /**
   * A viewer with stock hls.js and nothing else.
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} [choice]
   */
  async plain(stream, choice = {}) {
    return this.open('plain', '', stream, choice);
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

  /** Those viewers of whom something is promised. */
  get promised() {
    return this.viewers.filter(({ options }) => !options.beside);
  }

  /**
   * Waits until the condition holds. All viewers are looked at before each try; a fatal error in
   * any of them ends the waiting.
   * @param {string} what
   * @param {() => boolean | Promise<boolean>} condition
   * @param {number} [msMax]
   */
  async until(what, condition, msMax = CONDITION_MS_MAX) {
    const end = Date.now() + msMax;
    for (;;) {
      await this.look();
      if (await condition()) return;
      for (const viewer of this.promised) assert.deepEqual(viewer.now.fatal, [], `${viewer.name} failed`);
      assert.ok(Date.now() < end, `waited ${msMax} ms in vain until ${what}`);
      await sleep(POLL_MS);
    }
  }

  /**
   * Waits until every viewer has played so long.
   * @param {number} seconds
   */
  async untilAllPlayed(seconds) {
    const playedEnough = () => this.promised.every(({ now }) => now.playedS >= seconds);
    await this.until(`all played ${seconds} s`, playedEnough, CONDITION_MS_MAX + seconds * 1_000);
  }

  /**
   * Does something, lets every viewer play on for `seconds`, and checks that none stood still.
   * @param {number} seconds
   * @param {() => unknown} [disturbance]
   */
  async playsOnFor(seconds, disturbance = () => {}) {
    await this.look();
    const before = new Map(this.promised.map((viewer) => [viewer, viewer.now]));
    await disturbance();
    const playedOn = (/** @type {Viewer} */ viewer) =>
      viewer.now.playedS >= (before.get(viewer)?.playedS ?? 0) + seconds;
    const all = () => this.promised.every((viewer) => viewer.away || playedOn(viewer));
    await this.until(`all played on for ${seconds} s`, all, CONDITION_MS_MAX + seconds * 1_000);
    for (const viewer of this.promised) {
      const { waiting, starvedMs } = viewer.now.stalls;
      const { stalls } = before.get(viewer) ?? viewer.now;
      const added = { waiting: waiting - stalls.waiting, starvedMs: starvedMs - stalls.starvedMs };
      assert.deepEqual(added, { waiting: 0, starvedMs: 0 }, `${viewer.name} stalled`);
    }
  }

  /** Nobody stood still since playback began. */
  assertNoStalls() {
    for (const { name, now } of this.promised) {
      const { waiting, starvedMs } = now.stalls;
      assert.deepEqual({ waiting, starvedMs }, { waiting: 0, starvedMs: 0 }, `${name} stalled`);
    }
  }

  /** The viewers' books as they are now. */
  async books(viewers = this.viewers) {
    await this.look();
    return books(viewers);
  }

  /** Says what was measured, for people. */
  tell(/** @type {string} */ figure) {
    this.figures.push(figure);
  }

  /** What must be true at the end of every scenario. */
  async verify() {
    await this.until('all deliveries are hashed', () => this.viewers.every((viewer) => viewer.settled));
    for (const viewer of this.viewers) this.#verify(viewer);
  }

  #verify(/** @type {Viewer} */ viewer) {
    assert.deepEqual(viewer.falseSegments, [], `${viewer.name} was delivered other bytes than the origin's`);
    assert.ok(viewer.now.httpBytes <= viewer.bytesOriginSent, `${viewer.name} counts HTTP bytes the origin never sent`);
    if (viewer.isOurs) assert.deepEqual(viewer.pageErrors, [], `${viewer.name} threw`);
    if (viewer.options.beside) return;
    assert.ok(viewer.now.delivered.length > 0, `${viewer.name} was delivered no segment`);
    assert.deepEqual(viewer.now.fatal, [], `${viewer.name} met fatal errors`);
  }

  /** Closes a viewer, who must have seen nothing wrong. */
  async leave(/** @type {Viewer} */ viewer) {
    await this.until(`${viewer.name} hashed its deliveries`, () => viewer.settled);
    this.#verify(viewer);
    this.viewers.splice(this.viewers.indexOf(viewer), 1);
    await viewer.close();
  }

  async end() {
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
    await Promise.all(this.#endings.map((end) => end()));
  }

  /** Asks every page how it is doing. */
  async look() {
    await Promise.all(this.viewers.map((viewer) => viewer.look()));
  }

  /**
   * The common one, or one of its own.
   * @param {Choice} choice
   * @param {string} siteUrl
   */
  async #browserFor({ line, sleepy }, siteUrl) {
    if (!line && !sleepy) return stage.browser();
    const { browser, close } = line ? await launchBehind(line, siteUrl) : await launchSleepy();
    this.atEnd(close);
    return browser;
  }

  /**
   * Any viewer.
   * @param {string} kind how it is called
   * @param {string} engine
   * @param {import('./stream.mjs').Stream} stream
   * @param {Choice} choice
   */
  async open(kind, engine, stream, choice) {
    const { hls: player = {}, core = {}, library = '', quality = 'high', ...others } = choice;
    const { beside = false, line: _, tracker, stun, handicapMs = 0, ...rest } = others;
    const name = `${this.id}-${kind}-${++this.#opened}`;
    const signalling = await signallingOf({ tracker, stun });
    const about = { player, library, core: { ...signalling, ...core }, quality };
    const options = { name, engine, stream, ...about, beside, ...rest };
    const [site, origin] = await Promise.all([stage.site(), stage.origin()]);
    const viewer = await Viewer.open(await this.#browserFor(choice, site.url ?? ''), origin, options);
    this.viewers.push(viewer);
    viewer.delayOrigin(handicapMs);
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
