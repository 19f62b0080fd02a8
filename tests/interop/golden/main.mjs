// @ts-check
// Golden files: which streams and segments each generation of p2p-media-loader sees in a manifest.
//
//   node golden/main.mjs           makes them anew and compares; a difference fails
//   node golden/main.mjs --write   makes them anew and keeps them
//   node golden/main.mjs [--write] NAME…    only these cases
//
// See README.md.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { launch } from './browser.mjs';
import { CASES } from './cases.mjs';
import { makeGolden } from './golden.mjs';
import { FIXTURES, startServer } from './server.mjs';
import { difference, write } from './text.mjs';

/** Cases read at a time; they mostly wait for the browser. */
const CONCURRENCY = 3;

const writing = argv.includes('--write');
const names = argv.slice(2).filter((argument) => !argument.startsWith('--'));
const chosen = CASES.filter(({ name }) => names.length === 0 || names.includes(name));

const server = await startServer();
const browser = await launch(server.port);
/** @type {string[]} */
const faults = [];
const waiting = [...chosen];
await Promise.all(
  Array.from({ length: CONCURRENCY }, async () => {
    for (let it = waiting.shift(); it; it = waiting.shift()) {
      await check(it).catch((error) => faults.push(`${it?.name}: ${error.stack ?? error}`));
    }
  }),
);
await browser.close();
server.stop();
for (const fault of faults.sort()) console.error(fault);
console.log(`${chosen.length - faults.length} of ${chosen.length} golden files ${writing ? 'written' : 'agree'}`);
exit(faults.length === 0 ? 0 : 1);

/** @param {import('./cases.mjs').Case} it */
async function check(it) {
  const path = join(FIXTURES, `${it.name}.json`);
  const fresh = write(await makeGolden(browser, it));
  if (writing) return writeFile(path, fresh);
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (kept !== fresh) {
    faults.push(`${it.name}: the foreign clients see something else than ${path} says\n${difference(kept, fresh)}`);
  }
}
