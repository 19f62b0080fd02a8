// @ts-check
// Serves the cases' documents, the players and the page they run in. Segments are not there: 404.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASES, ORIGIN } from './cases.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const MODULES = join(here, '../node_modules');
export const FIXTURES = join(here, '../../fixtures/golden');

/** Where the page's imports come from; `v2_index` and `v2` are the generations' names. */
const FOLDERS = {
  page: join(here, 'page'),
  hls: join(MODULES, 'hls.js/dist'),
  shaka: join(MODULES, 'shaka-player/dist'),
  'v2-core': join(MODULES, 'p2p-media-loader-core/dist'),
  'v2-hlsjs': join(MODULES, 'p2p-media-loader-hlsjs/dist'),
  'v2_index-core': join(MODULES, 'p2p-media-loader-core-2-2/dist'),
  'v2_index-hlsjs': join(MODULES, 'p2p-media-loader-hlsjs-2-2/dist'),
  'v2_index-shaka': join(MODULES, 'p2p-media-loader-shaka-2-2/dist'),
};

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.mp4': 'video/mp4',
};

/** Listens on a free port of this machine and gives it; `stop` ends the server. */
export async function startServer() {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port, stop };
}

/**
 * Which document an address is answered with, after redirects.
 * @param {string} address
 * @returns {{ answered: string, file: string }} `file` is relative to the fixtures
 */
export function documentAt(address) {
  const url = new URL(address, ORIGIN);
  const redirect = redirectOf(url);
  if (redirect) return documentAt(redirect);
  const [, folder, rest] = /^\/([^/]+)(\/.*)$/.exec(decodeURIComponent(url.pathname)) ?? [];
  const found = CASES.find(({ name }) => name === folder);
  const file = found?.files?.[rest] ?? normalize(`/${rest}`).slice(1);
  url.hash = '';
  return { answered: url.href, file: `${folder}/${file}` };
}

/** @param {URL} url */
function redirectOf({ pathname }) {
  const found = CASES.find(({ name }) => pathname.startsWith(`/${name}/`));
  const target = found?.redirects?.[pathname.slice(found.name.length + 1)];
  return target && `${ORIGIN}/${found?.name}${target}`;
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(request, response) {
  const url = new URL(request.url ?? '/', ORIGIN);
  const redirect = redirectOf(url);
  if (redirect) return void response.writeHead(302, { location: redirect }).end();
  const file = fileAt(url.pathname) ?? join(FIXTURES, documentAt(url.href).file);
  const content = await readFile(file).catch(() => null);
  if (!content) return void response.writeHead(404).end();
  const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? 'application/octet-stream';
  const head = { 'content-type': type, 'cache-control': 'no-store', 'accept-ranges': 'bytes' };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined) return void response.writeHead(200, head).end(content);
  const part = content.subarray(Number(from), to ? Number(to) + 1 : undefined);
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`;
  response.writeHead(206, { ...head, 'content-range': range }).end(part);
}

/** The file of the page or of a package. */
function fileAt(/** @type {string} */ pathname) {
  const [, mount, path] = /^\/([^/]+)\/(.*)$/.exec(pathname) ?? [];
  const folder = FOLDERS[/** @type {keyof typeof FOLDERS} */ (mount)];
  return folder && join(folder, normalize(`/${path}`));
}
