// @ts-check
// How many bytes came from where, kept twice: by the engines, and by the origin, which knows what
// left it.

/**
 * @typedef {object} Books of some viewers together, since they began
 * @property {number} http bytes from the origin, as the engines count them
 * @property {number} peers bytes from peers, as the engines count them
 * @property {number} origin bytes of segments that the origin sent to these viewers
 */

/** @param {import('./viewer.mjs').Viewer[]} viewers lately looked at */
export function books(viewers) {
  const sum = (/** @type {(viewer: import('./viewer.mjs').Viewer) => number} */ of) =>
    viewers.reduce((total, viewer) => total + of(viewer), 0);
  return {
    http: sum((viewer) => viewer.now.httpBytes),
    peers: sum((viewer) => viewer.bytesFromPeers()),
    origin: sum((viewer) => viewer.bytesOriginSent),
  };
}

/**
 * What was added from one look to the next.
 * @param {Books} before
 * @param {Books} after
 * @returns {Books}
 */
export const added = (before, after) => ({
  http: after.http - before.http,
  peers: after.peers - before.peers,
  origin: after.origin - before.origin,
});

/**
 * Which part came from peers, by the witness that says less.
 * @param {Books} books
 */
export function shareOf({ http, peers, origin }) {
  const byEngines = peers / (http + peers);
  const byOrigin = 1 - origin / (http + peers);
  return Math.min(byEngines, byOrigin);
}
