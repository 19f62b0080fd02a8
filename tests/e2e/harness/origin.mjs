// @ts-check
// The HTTP origin of all streams. It counts, per viewer and segment, the bytes that really left it:
// the witness against which every viewer's own story is checked.

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, unlisten } from './listen.mjs';
import { readSegment } from './media.mjs';
import { Stream } from './stream.mjs';

/** Viewers name themselves in this request header; who sends none is a server. */
export const VIEWER_HEADER = 'x-viewer';
/** Under this name the origin counts requests without the header: the seeder's. */
export const SERVER = 'server';

/** By the ends of URLs. */
const TYPES = /** @type {Record<string, string>} */ ({
  ...{ m3u8: 'application/vnd.apple.mpegurl', mpd: 'application/dash+xml', ts: 'video/mp2t' },
  ...{ mp4: 'video/mp4', m4s: 'video/mp4' },
});
const typeOf = (/** @type {string} */ path) => TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'text/plain';

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
  'access-control-expose-headers': 'content-length, content-range, accept-ranges',
};

export class Origin {
  /** @type {Map<string, Stream>} */
  #streams = new Map();
  /** @type {Map<string, number>} bytes by `viewer path` */
  #served = new Map();
  /** @type {Map<string, number>} bytes of manifests by `viewer stream` */
  #manifests = new Map();
  #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.destroy(error));
  });

  /** @param {import('./media.mjs').Rendition[]} renditions */
  constructor(renditions) {
    this.renditions = renditions;
  }

  /** Listens on a free port. */
  async start() {
    this.url = await listen(this.#server);
  }

  stop() {
    unlisten(this.#server);
  }

  /**
   * Adds a stream under a name nobody used before.
   * @param {string} name
   * @param {Partial<import('./stream.mjs').StreamOptions> & { live: boolean }} options
   */
  publish(name, options) {
    return this.add(new Stream(name, { renditions: this.renditions, ...options }, this.url ?? ''));
  }

  /**
   * @template {Stream} T
   * @param {T} stream
   */
  add(stream) {
    this.#streams.set(stream.name, stream);
    return stream;
  }

  /** The segment behind a URL, or null when it is none of ours. Of a file with many, `#` and its first byte follow. */
  segmentAt(/** @type {string} */ url) {
    return this.#find(addressOf(url))?.segment ?? null;
  }

  /** How many bytes of the segment at `url` were sent to `viewer`. */
  bytesServed(/** @type {string} */ viewer, /** @type {string} */ url) {
    return this.#served.get(`${viewer} ${this.#find(addressOf(url))?.account}`) ?? 0;
  }

  /** How many bytes of all the stream's segments were sent to `viewer`. */
  bytesServedOf(/** @type {Stream} */ stream, /** @type {string} */ viewer) {
    const prefix = `${viewer} /${stream.name}/`;
    let sum = 0;
    for (const [key, bytes] of this.#served) if (key.startsWith(prefix)) sum += bytes;
    return sum;
  }

  /** How many bytes of the stream's manifests were sent to `viewer`. */
  manifestBytesOf(/** @type {Stream} */ stream, /** @type {string} */ viewer) {
    return this.#manifests.get(`${viewer} ${stream.name}`) ?? 0;
  }

  /**
   * How often the bytes of the segments that `viewer` asked for left the origin, on average: 1 when
   * each was sent once and whole.
   * @param {Stream} stream
   * @param {string} viewer
   */
  copiesSent(stream, viewer) {
    const prefix = `${viewer} /${stream.name}/`;
    const paths = [...this.#served.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(viewer.length + 1));
    const once = paths.reduce((sum, path) => sum + (this.#find(path)?.segment?.bytes ?? 0), 0);
    return this.bytesServedOf(stream, viewer) / once;
  }

  #find(/** @type {string} */ address) {
    const [, name, path, from = '0'] = /^\/([^/]+)\/([^#]*)#?(.*)$/.exec(address) ?? [];
    const stream = this.#streams.get(name);
    if (!stream) return undefined;
    const { segment = null, base = 0 } = stream.segment(path, Number.parseInt(from, 10)) ?? {};
    const account = base > 0 ? `/${name}/${path}#${base}` : `/${name}/${path}`;
    return { stream, path, manifest: stream.manifest(path), segment, base, account };
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(request, response) {
    if (request.method === 'OPTIONS') return void response.writeHead(204, CORS).end();
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const { stream, path = '' } = this.#find(pathname) ?? {};
    const trouble = stream?.trouble;
    if (trouble?.kind === 'unavailable') return void response.writeHead(503, CORS).end();
    await trouble?.over;
    await stream?.ready(path, searchParams);
    // Looked up only now: a manifest is as old as its answer.
    const from = /^bytes=(\d+)/.exec(request.headers.range ?? '')?.[1] ?? '0';
    const found = this.#find(`${pathname}#${from}`);
    const viewer = String(request.headers[VIEWER_HEADER] ?? SERVER);
    if (request.method === 'POST') return this.#sendLicence(request, response, stream, viewer);
    if (found?.manifest) return this.#sendManifest(response, { ...found, manifest: found.manifest }, viewer);
    if (!found?.segment) return void response.writeHead(404, CORS).end();
    await sleep(found.stream.delayOf(viewer));
    if (response.destroyed) return;
    await this.#sendSegment(request, response, { ...found, segment: found.segment }, viewer);
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   * @param {Stream | undefined} stream
   * @param {string} viewer
   */
  async #sendLicence(request, response, stream, viewer) {
    const licence = stream?.licence(await text(request), viewer);
    response.writeHead(licence ? 200 : 404, { ...CORS, 'content-type': 'application/json' }).end(licence);
  }

  /**
   * @param {import('node:http').ServerResponse} response
   * @param {{ stream: Stream, path: string, manifest: string }} found
   * @param {string} viewer
   */
  #sendManifest(response, { stream, path, manifest }, viewer) {
    const head = { ...CORS, 'content-type': typeOf(path), 'cache-control': 'no-store' };
    response.writeHead(200, head).end(manifest);
    const account = `${viewer} ${stream.name}`;
    this.#manifests.set(account, (this.#manifests.get(account) ?? 0) + manifest.length);
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   * @param {{ stream: Stream, path: string, segment: import('./media.mjs').Segment, base: number, account: string }} found
   * @param {string} viewer
   */
  async #sendSegment(request, response, { stream, path, segment, base, account }, viewer) {
    const whole = await readSegment(segment);
    const total = stream.oneFile ? '*' : whole.length;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? base) - base;
    const to = range?.[2] ? Math.min(Number(range[2]) + 1 - base, whole.length) : whole.length;
    const head = { ...CORS, 'content-type': typeOf(path), 'accept-ranges': 'bytes', 'cache-control': 'no-store' };
    if (from >= to) {
      const size = { 'content-range': `bytes */${total}` };
      return void response.writeHead(416, { ...head, ...size }).end();
    }
    const content = { 'content-range': `bytes ${base + from}-${base + to - 1}/${total}` };
    response.writeHead(range ? 206 : 200, { ...head, 'content-length': to - from, ...(range && content) });
    await stream.throttle.send(viewer, response, whole.subarray(from, to), (bytes) => {
      this.#served.set(`${viewer} ${account}`, (this.#served.get(`${viewer} ${account}`) ?? 0) + bytes);
    });
  }
}

/** Path, and the place in the file where one is named. */
function addressOf(/** @type {string} */ url) {
  const { pathname, hash } = new URL(url);
  return pathname + hash;
}
