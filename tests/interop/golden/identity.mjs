// @ts-check
// Names of streams and swarms by the foreign code, for properties and swarm ids that come as JSON on standard input:
//
//   { "properties": [{ bitrate, codecs, … }], "swarms": [{ "swarm_id", "kind", "index" }] }
//   → { "v2": [identity], "v3": [identity], "swarms": [{ "v2_index": info_hash, "v2": …, "v3": … }] }

import { readFileSync } from 'node:fs';
import { nameSwarm, shortId } from './names.mjs';
import { hashSwarm, identify } from './v3.mjs';

/** Golden values of upstream 5.x's own tests (stream-identity.test.ts): the derivation of v3 stands on them. */
const UPSTREAM = /** @type {const} */ ([
  [
    { bitrate: 4_521_000, codecs: 'avc1.64002a,mp4a.40.2', width: 1920, height: 1080, frameRate: '29.970', videoRange: 'SDR' },
    ...['main', 'iNz0Nm5CRoj3CPnATwZbzOR36hg=', 'jAztisioAey83yeI5VCy'],
  ],
  [
    { codecs: 'avc1.64002a', width: 1920, height: 1080, frameRate: '29.970', videoRange: 'SDR' },
    ...['main', 'SwyTBJzxGFOXIbAZMJWKG3nnIwc=', 'CS1X23XIwC3hMelxmX8z'],
  ],
  [
    { codecs: 'mp4a.40.2', language: 'en-US', channels: '2/0', name: 'English' },
    ...['secondary', 'GT17s2lVP9juJlJgLa8S/8amjhI=', 'A6g5A9j7J9F2myVq+nOB'],
  ],
  [{}, 'main', 'UYnLxGhQilEV4D0HbCx+kRv0ZF0=', 's/SEXqQzSgMtVKrBDDMm'],
]);

for (const [properties, kind, identity, infoHash] of UPSTREAM) {
  const swarm = `v3-https://example.com/hls/master.m3u8-${kind}-${identity}`;
  if (identify(/** @type {any} */ (properties)) !== identity || hashSwarm(swarm) !== infoHash) {
    throw new Error(`v3.mjs does not give upstream's golden values for ${JSON.stringify(properties)}`);
  }
}

const { properties, swarms } = JSON.parse(readFileSync(0, 'utf8'));
const answer = {
  // JSON has no NaN; null stands for it.
  v2: properties.map((/** @type {any} */ it) => shortId({ ...it, bitrate: it.bitrate ?? Number.NaN })),
  v3: properties.map(identify),
  swarms: swarms.map((/** @type {any} */ { swarm_id, kind, index }) => ({
    v2_index: nameSwarm('v2_index', swarm_id, { type: kind, index }).info_hash,
    v2: nameSwarm('v2', swarm_id, { type: kind, index }).info_hash,
    v3: hashSwarm(`v3-${swarm_id}-${kind}-${index}`),
  })),
};
process.stdout.write(JSON.stringify(answer));
