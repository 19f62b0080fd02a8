// @ts-check
// Serves the viewers' page, the players and their engines, from another origin than the media's,
// as a real site does.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { listen, unlisten } from './listen.mjs';
import { CLIENT_DIR, PACKAGE_DIR } from './settings.mjs';

const MODULES = join(PACKAGE_DIR, 'node_modules');

const FOLDERS = {
  page: join(PACKAGE_DIR, 'page'),
  hls: join(MODULES, 'hls.js/dist'),
  'p2pml-core': join(MODULES, 'p2p-media-loader-core/dist'),
  'p2pml-hlsjs': join(MODULES, 'p2p-media-loader-hlsjs/dist'),
  'p2pml-core-2-2': join(MODULES, 'p2p-media-loader-core-2-2/dist'),
  'p2pml-hlsjs-2-2': join(MODULES, 'p2p-media-loader-hlsjs-2-2/dist'),
  'p2pml-shaka': join(MODULES, 'p2p-media-loader-shaka/dist'),
  'shaka-4': join(MODULES, 'shaka-player-4/dist'),
  'shaka-5': join(MODULES, 'shaka-player/dist'),
  client: CLIENT_DIR,
};

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export class Site {
  #server = createServer((request, response) => {
    this.#answer(request.url ?? '/', response).catch((error) => response.destroy(error));
  });

  /** Listens on a free port. */
  async start() {
    this.url = await listen(this.#server);
  }

  stop() {
    unlisten(this.#server);
  }

  /**
   * @param {string} url
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(url, response) {
    const [, mount, path] = /^\/([^/?]+)\/([^?]*)/.exec(url) ?? [];
    const folder = FOLDERS[/** @type {keyof typeof FOLDERS} */ (mount)];
    const safe = normalize(`/${path}`);
    const content = folder ? await readFile(join(folder, safe)).catch(() => null) : null;
    if (!content) return void response.writeHead(404).end();
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(safe))] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(content);
  }
}

/**
 * Where the page imports our engine from: what the client's package.json exports under the player's name.
 * @param {'hlsjs' | 'shaka'} player
 */
export function clientEntry(player) {
  const file = join(CLIENT_DIR, 'package.json');
  if (!existsSync(file)) {
    throw new Error(`no browser client at ${CLIENT_DIR}: build it with \`cargo xtask wasm\` or set BEEKEEPR_CLIENT_DIR`);
  }
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const exported = manifest.exports?.[`./${player}`];
  const entry = typeof exported === 'string' ? exported : (exported?.import ?? exported?.default);
  if (!entry || !existsSync(join(CLIENT_DIR, entry))) {
    throw new Error(`the browser client's entry ${entry} is not built in ${CLIENT_DIR}: run \`cargo xtask wasm\``);
  }
  return `/client/${entry.replace(/^\.\//, '')}`;
}
