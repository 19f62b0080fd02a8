// @ts-check
// The swarms' names as the foreign packages' own modules compute them.
//
// The packages export only their engines; these modules are inside of them.

const inside = (/** @type {string} */ name, /** @type {string} */ module) =>
  import(new URL(`../node_modules/${name}/lib/utils/${module}.js`, import.meta.url).href);

const PACKAGES = { v2_index: 'p2p-media-loader-core-2-2', v2: 'p2p-media-loader-core' };

/** @typedef {keyof typeof PACKAGES} Generation */

/** @type {Record<Generation, { streams: any, peers: any }>} */
const modules = Object.fromEntries(
  await Promise.all(
    Object.entries(PACKAGES).map(async ([generation, name]) => [
      generation,
      { streams: await inside(name, 'stream'), peers: await inside(name, 'peer') },
    ]),
  ),
);

/**
 * What the engine tells the tracker about a stream.
 * @param {Generation} generation
 * @param {string} swarmId
 * @param {{ type: string, index: number | string }} stream
 */
export function nameSwarm(generation, swarmId, { type, index }) {
  const { streams, peers } = modules[generation];
  const swarm = streams.getStreamSwarmId(swarmId, { type, index });
  return { swarm, info_hash: peers.getStreamHash(swarm) };
}

/** 2.3's identity of a stream: the `index` of its streams. */
export const shortId = modules.v2.streams.generateStreamShortId;
