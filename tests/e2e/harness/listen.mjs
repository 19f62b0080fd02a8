// @ts-check
// What the harness's own HTTP servers share.

import { HOST } from './settings.mjs';

/**
 * Listens on a free port and gives the server's address.
 * @param {import('node:http').Server} server
 */
export async function listen(server) {
  await new Promise((done) => server.listen(0, HOST, () => done(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://${HOST}:${address.port}`;
}

/**
 * Ends a server and whoever is connected.
 * @param {import('node:http').Server} server
 */
export function unlisten(server) {
  server.close();
  server.closeAllConnections();
}
