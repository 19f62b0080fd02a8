// @ts-check
// One viewer: a page in a browser profile of its own.

import { VIEWER_HEADER } from './origin.mjs';

/** Console lines of a page that a failure report shows. */
const CONSOLE_LINES_MAX = 20;

/**
 * @typedef {object} Report what a page tells of itself, see page/viewer.js
 * @property {number} httpBytes
 * @property {Record<string, number>} peerBytes by peer id
 * @property {Record<string, number>} uploadedBytes by peer id
 * @property {string[]} peers now connected, once per swarm
 * @property {string[]} peersSeen ever connected
 * @property {{ url: string, bytes: number, sha256: string, kind?: 'init' | 'media', track?: string }[]} delivered
 * @property {{ http: number, p2p: number }} loaded segments, by the engine
 * @property {Record<string, number>} loadedFrom the same, by URL
 * @property {string[]} fatal
 * @property {Record<string, number>} errors the player's, by details
 * @property {Record<string, number>} engineErrors
 * @property {number} position
 * @property {number} playedS
 * @property {number} aheadS
 * @property {boolean} paused
 * @property {boolean} ended
 * @property {{ waiting: number, starvedMs: number, longestStillMs: number, atS: number[] }} stalls since the start
 * @property {number | null} placed segments from the first one played to the live edge, both included
 * @property {{ atS: number, level: number }[]} levels renditions played, by their place from the lowest
 * @property {string[]} history what happened to peers, for people
 * @property {number} longestAwayMs for how long the page did nothing at all
 * @property {number | null} latencyS behind the clock, where the stream names its times
 */

/** @typedef {'high' | 'low' | 'auto'} Quality the rendition to stay at; with `auto` the player chooses */

/**
 * @typedef {object} ViewerOptions
 * @property {string} name unique among all viewers of a run
 * @property {string} engine module the page imports the engine from; empty for the player alone
 * @property {import('./stream.mjs').Stream} stream
 * @property {object} player the player's configuration
 * @property {string} library the build of Shaka Player that plays; empty for hls.js
 * @property {object} core the engine's configuration
 * @property {Quality} quality
 * @property {boolean} beside it is only compared with: its stalls and fatal errors fail nothing
 * @property {RegExp} [blocked] requests that fail
 * @property {RegExp} [held] requests that wait for `release`
 * @property {Viewer} [onPageOf] its page has this player too
 * @property {boolean} [sleepy] its page can be frozen
 * @property {boolean} [watched] its connections are counted, see `connections`
 */

/** @returns {Report} */
const blankReport = () => ({
  ...{ httpBytes: 0, peerBytes: {}, uploadedBytes: {}, peers: [], peersSeen: [], delivered: [] },
  ...{ loaded: { http: 0, p2p: 0 }, loadedFrom: {}, fatal: [], errors: {}, engineErrors: {} },
  ...{ position: 0, playedS: 0, aheadS: 0, paused: false, ended: false },
  stalls: { waiting: 0, starvedMs: 0, longestStillMs: 0, atS: [] },
  ...{ placed: null, levels: [], history: [], longestAwayMs: 0, latencyS: null },
});

const sum = (/** @type {number[]} */ numbers) => numbers.reduce((a, b) => a + b, 0);

export class Viewer {
  /** The latest report; `look` renews it. */
  now = blankReport();
  /** @type {string[]} */
  console = [];
  /** @type {string[]} exceptions nobody caught */
  pageErrors = [];
  /** Its page does not answer at the moment and is not looked at. */
  away = false;

  /** @type {import('playwright-core').CDPSession | undefined} what it was told lasts as long as the session */
  #browserSession;

  /** Lets the held requests go. */
  release = () => {};
  #released = new Promise((done) => (this.release = () => done(undefined)));

  /**
   * @param {import('playwright-core').Page} page
   * @param {import('./origin.mjs').Origin} origin
   * @param {ViewerOptions} options
   */
  constructor(page, origin, options) {
    this.page = page;
    this.origin = origin;
    this.options = options;
    page.on('console', (message) => {
      this.console.push(message.text());
      if (this.console.length > CONSOLE_LINES_MAX) this.console.shift();
    });
    page.on('pageerror', (error) => this.pageErrors.push(String(error.stack ?? error)));
  }

  get name() {
    return this.options.name;
  }

  /**
   * Opens an empty tab; `play` does the rest.
   * @param {import('playwright-core').Browser} browser
   * @param {import('./origin.mjs').Origin} origin
   * @param {ViewerOptions} options
   */
  static async open(browser, origin, options) {
    if (options.onPageOf) return new Viewer(options.onPageOf.page, origin, options);
    // Only the first context of a browser has pages that can be frozen.
    const context = options.sleepy ? browser.contexts()[0] : await browser.newContext();
    await context.setExtraHTTPHeaders({ [VIEWER_HEADER]: options.name });
    const viewer = new Viewer(await context.newPage(), origin, options);
    if (options.blocked) await context.route(options.blocked, (route) => route.abort());
    if (options.held) await context.route(options.held, (route) => viewer.#released.then(() => route.continue()));
    if (options.watched) await context.addInitScript(watchConnections);
    return viewer;
  }

  /** Loads the page and lets it play. */
  async play(/** @type {string} */ siteUrl) {
    if (!this.options.onPageOf) await this.page.goto(`${siteUrl}/page/viewer.html`);
    await this.restart();
  }

  /** Makes a new player, after it has destroyed the one before. */
  async restart() {
    const { engine, library, stream, player, core, quality } = this.options;
    const start = { engine, library, manifestUrl: stream.manifestUrl, player, core, quality };
    const given = { start, place: this.#place };
    await this.page.evaluate((it) => /** @type {any} */ (window).start(it.start, it.place), given);
  }

  /** Has the player load its stream anew. */
  async load() {
    const given = { manifestUrl: this.options.stream.manifestUrl, place: this.#place };
    await this.page.evaluate((it) => /** @type {any} */ (window).load(it.manifestUrl, it.place), given);
  }

  /** Has the player end playback; it may load again. */
  async unload() {
    await this.page.evaluate((place) => /** @type {any} */ (window).unload(place), this.#place);
  }

  /** Destroys the player; the page stays. */
  async stop() {
    await this.page.evaluate((place) => /** @type {any} */ (window).stop(place), this.#place);
  }

  /** Asks the page how it is doing. */
  async look() {
    if (this.away) return;
    this.now = await this.page.evaluate((place) => /** @type {any} */ (window).report(place), this.#place);
  }

  /** Connections that the page has made, and those that are not closed. */
  async connections() {
    return this.page.evaluate(() => /** @type {any} */ (window).connections());
  }

  /** A message to the browser about this page. */
  async tellBrowser(/** @type {string} */ method, /** @type {object} */ parameters) {
    this.#browserSession ??= await this.page.context().newCDPSession(this.page);
    await this.#browserSession.send(/** @type {any} */ (method), /** @type {any} */ (parameters));
  }

  get #place() {
    return this.options.onPageOf ? 1 : 0;
  }

  /** @returns {string} the name by which the origin knows the page */
  get #account() {
    return (this.options.onPageOf ?? this).name;
  }

  /** Lets the player throw its buffer away and go on in another rendition. */
  async switchTo(/** @type {Quality} */ quality) {
    const given = { quality, place: this.#place };
    await this.page.evaluate((it) => /** @type {any} */ (window).switchTo(it.quality, it.place), given);
  }

  async close() {
    await this.page.context().close();
  }

  /**
   * Bytes that came from peers whose id begins with `prefix`.
   * @param {string} [prefix]
   */
  bytesFromPeers(prefix = '') {
    return sum(Object.entries(this.now.peerBytes).map(([id, bytes]) => (id.startsWith(prefix) ? bytes : 0)));
  }

  /** Segments the engine has loaded, from wherever. */
  get segmentsLoaded() {
    return this.now.loaded.http + this.now.loaded.p2p;
  }

  /** Segments of media the player was given. */
  get mediaGiven() {
    return new Set(this.now.delivered.filter(({ kind }) => kind !== 'init').map(({ url }) => url)).size;
  }

  /** How many of those the engine had loaded. */
  get mediaThroughEngine() {
    /** @type {Map<string, Set<string>>} places in each file, one where the file is one segment */
    const given = new Map();
    for (const { url, kind } of this.now.delivered) {
      if (kind === 'init') continue;
      const file = url.replace(/#.*/, '');
      given.set(file, (given.get(file) ?? new Set()).add(url));
    }
    return sum([...given].map(([file, places]) => Math.min(places.size, this.now.loadedFrom[file] ?? 0)));
  }

  /** Whether the engine is ours. */
  get isOurs() {
    return this.options.engine.startsWith('/client/');
  }

  /** Bytes of segments the origin sent to this viewer, also those nobody waited for any more. */
  get bytesOriginSent() {
    return this.origin.bytesServedOf(this.options.stream, this.#account);
  }

  /** Bytes the player was given but the origin never sent to this viewer: proof of peers. */
  get bytesOriginNeverSent() {
    const unique = new Map(this.now.delivered.map(({ url, bytes }) => [url, bytes]));
    return sum([...unique].map(([url, bytes]) => Math.max(0, bytes - this.origin.bytesServed(this.#account, url))));
  }

  /** Segments of which the origin sent nothing to this viewer, by the end of their URL. */
  get segmentsFromPeers() {
    const urls = this.now.delivered.filter(({ url }) => this.origin.bytesServed(this.#account, url) === 0).map(({ url }) => url);
    return [...new Set(urls)].map((url) => url.slice(this.options.stream.baseUrl.length + 1));
  }

  /** Whether both the viewer and the origin say that peers with this id prefix gave it something. */
  tookFrom(/** @type {string} */ prefix) {
    return this.bytesFromPeers(prefix) > 0 && this.bytesOriginNeverSent > 0;
  }

  /** Delays every segment the origin sends to this viewer. */
  delayOrigin(/** @type {number} */ ms) {
    this.options.stream.delay(this.#account, ms);
  }

  /** Segments whose bytes differ from the origin's, described. */
  get falseSegments() {
    return this.now.delivered.flatMap(({ url, bytes, sha256 }) => {
      const original = this.origin.segmentAt(url);
      if (original?.sha256 === sha256) return [];
      return [`${url}: ${bytes} bytes ${sha256}, the origin has ${original?.bytes} bytes ${original?.sha256}`];
    });
  }

  /** Whether all deliveries are hashed. */
  get settled() {
    return this.now.delivered.every(({ sha256 }) => sha256 !== '');
  }

  /** One line for people. */
  get summary() {
    const { httpBytes, loaded, delivered, playedS, stalls, peers } = this.now;
    const fromPeers = this.bytesFromPeers();
    const share = Math.round((100 * fromPeers) / Math.max(1, fromPeers + httpBytes));
    return [
      `${this.name}: played ${playedS.toFixed(1)} s, delivered ${delivered.length}`,
      `http ${httpBytes} B in ${loaded.http}, peers ${fromPeers} B in ${loaded.p2p} (${share} %)`,
      `${peers.length} peers, stalls ${JSON.stringify(stalls)}`,
    ].join('; ');
  }
}

/** Runs in the page before all else: keeps what the page opens, to see whether it closes. */
function watchConnections() {
  /** @type {any[]} */
  const made = [];
  const kept = (/** @type {any} */ Class) =>
    class extends Class {
      constructor(/** @type {any[]} */ ...given) {
        super(...given);
        made.push(this);
      }
    };
  const page = /** @type {any} */ (window);
  page.RTCPeerConnection = kept(page.RTCPeerConnection);
  page.WebSocket = kept(page.WebSocket);
  const isOpen = (/** @type {any} */ { connectionState, readyState }) => connectionState !== 'closed' && readyState !== WebSocket.CLOSED;
  page.connections = () => ({ made: made.length, open: made.filter(isOpen).map((it) => it.connectionState ?? `socket ${it.readyState}`) });
}
