// @ts-check
// What the harness's own HTTP servers share.

/**
 * Listens on a free port and gives the server's address.
 * @param {import('node:http').Server} server
 */
export async function listen(server) {
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${address.port}`;
}

/**
 * Ends a server and whoever is connected.
 * @param {import('node:http').Server} server
 */
export function unlisten(server) {
  server.close();
  server.closeAllConnections();
}
