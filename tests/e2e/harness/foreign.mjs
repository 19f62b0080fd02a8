// @ts-check
// A foreign tracker: npm's bittorrent-tracker, for the control scenario that has nothing of ours.

// @ts-expect-error: the package has no types
import Server from 'bittorrent-tracker/server';

/** @returns {Promise<{ address: string, stop(): Promise<unknown> }>} */
export async function startForeignTracker() {
  const server = new Server({ udp: false, http: false, ws: true, stats: false });
  server.on('warning', () => {});
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  // Closing ends when the last client is gone: viewers must be closed before.
  const stop = () => new Promise((done) => server.close(done));
  return { address: `ws://127.0.0.1:${server.ws.address().port}`, stop };
}
