// Shaka Player with one engine, and all that is to be told about it.

import { Account } from './account.js';

/** Shaka's own words for what it could not get over (shaka.util.Error.Severity). */
const CRITICAL = 2;
/** What is loaded: segments (shaka.net.NetworkingEngine.RequestType). */
const SEGMENT = 1;
/** Of those, the ones that hold media (shaka.net.NetworkingEngine.AdvancedRequestType). */
const INIT_SEGMENT = 0;

/** Plays one stream, and tells what it was really given. */
export class Player {
  #video;
  #account;
  #shaka;
  #engine;
  #overlay;
  #retries = 0;

  constructor(video) {
    this.#video = video;
    this.#account = new Account(video);
  }

  /** Begins to play. The options are those of `start` in viewer.js; `library` names the build of Shaka Player. */
  async start({ engine, library, manifestUrl, player: config, core, quality }) {
    await scriptOf(library);
    const { shaka } = window;
    if (!window.shakaReady) shaka.polyfill.installAll();
    window.shakaReady = true;
    if (engine) await this.#makeEngine(engine, core);
    this.#shaka = new shaka.Player();
    if (library.includes('.ui.')) this.#showControls(shaka);
    await this.#shaka.attach(this.#video);
    this.#engine?.bindShakaPlayer(this.#shaka);
    this.#shaka.configure({ abr: { enabled: quality === 'auto' }, ...config });
    this.#followPlayer(quality);
    this.#video.autoplay = true;
    await this.load(manifestUrl);
  }

  /** Loads a stream, instead of the one before if there was one. */
  async load(manifestUrl) {
    try {
      await this.#shaka.load(manifestUrl);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends playback; another `load` may follow. */
  async unload() {
    await this.#shaka.unload();
  }

  /** Throws the buffer away and goes on in another rendition. */
  switchTo(quality) {
    const tracks = this.#tracks();
    this.#shaka.selectVariantTrack(quality === 'low' ? tracks[0] : tracks.at(-1), true);
  }

  /** Ends player and engine; what was counted can still be asked for. */
  async destroy() {
    this.#account.playhead.destroy();
    this.#engine?.destroy();
    await (this.#overlay ?? this.#shaka)?.destroy();
  }

  report() {
    return { ...this.#account.report(), latencyS: this.#latencyS() };
  }

  /** Behind the clock, where the stream says what the clock showed. */
  #latencyS() {
    const date = this.#shaka?.isLive?.() ? this.#shaka.getPlayheadTimeAsDate() : null;
    return date ? (Date.now() - date.getTime()) / 1000 : null;
  }

  async #makeEngine(url, core) {
    const { ShakaP2PEngine } = await import(url);
    ShakaP2PEngine.registerPlugins(window.shaka);
    this.#engine = new ShakaP2PEngine({ core }, window.shaka);
    this.#account.followEngine(this.#engine);
  }

  #showControls(shaka) {
    const container = document.createElement('div');
    this.#video.replaceWith(container);
    container.append(this.#video);
    this.#overlay = new shaka.ui.Overlay(this.#shaka, container, this.#video);
    this.#overlay.getControls();
  }

  /** Variants, lowest first. */
  #tracks() {
    return this.#shaka.getVariantTracks().sort((a, b) => a.bandwidth - b.bandwidth);
  }

  #failed(error) {
    this.#account.countError(`${error.category}/${error.code}`);
    if (error.severity === CRITICAL || error.severity === undefined) this.#account.state.fatal.push(describe(error));
  }

  #followPlayer(quality) {
    const [player, account] = [this.#shaka, this.#account];
    player.addEventListener('error', ({ detail }) => this.#failed(detail));
    player.addEventListener('manifestparsed', () => this.#choose(quality));
    for (const change of ['adaptation', 'variantchanged']) {
      player.addEventListener(change, () => account.reachLevel(this.#tracks().findIndex(({ active }) => active)));
    }
    const network = player.getNetworkingEngine();
    network.addEventListener('retry', ({ error }) => account.countError(`retry ${error?.category}/${error?.code}`));
    network.registerResponseFilter((type, response, context) => {
      if (type !== SEGMENT) return;
      const range = /^bytes=(\d+)-(\d+)$/.exec(response.originalRequest?.headers.Range ?? '');
      const kind = context?.type === INIT_SEGMENT ? 'init' : 'media';
      const ends = range && [Number(range[1]), Number(range[2]) + 1];
      account.recordDelivery(response.originalUri ?? response.uri, ends, response.data, { kind, track: context?.stream?.type });
    });
  }

  /** Before the first segment is chosen. */
  #choose(quality) {
    if (quality === 'auto') return;
    const heights = this.#tracks().map(({ height }) => height ?? 0);
    const height = quality === 'low' ? Math.min(...heights) : Math.max(...heights);
    if (height > 0) this.#shaka.configure({ restrictions: { minHeight: height, maxHeight: height } });
  }
}

/** Loads a build of Shaka Player, once. */
async function scriptOf(url) {
  if (document.querySelector(`script[src="${url}"]`)) return;
  const script = document.createElement('script');
  script.src = url;
  const loaded = new Promise((done, failed) => Object.assign(script, { onload: done, onerror: failed }));
  document.head.append(script);
  await loaded;
}

const describe = ({ category, code, message, data }) => `${category}/${code}: ${message} ${JSON.stringify(data)?.slice(0, 300)}`;
