// What a stream is called in any generation.

import { namesOf, type SwarmIdBuilder } from "../generations.js";
import { type Generation, identityHash, infoHash, numberForm, streamSwarmId } from "../identity.js";
import { sha1Base64 } from "../sha1.js";
import type { Stream } from "../types.js";

/** The stream's name among `streams`. */
export function nameOf(
    swarmId: string,
    stream: Stream,
    generation: Generation,
    streams: readonly Stream[] = [stream],
    streamSwarmIdBuilder?: SwarmIdBuilder,
): string | undefined {
    const identity = { identityHash, infoHash, numberForm, streamSwarmId, hash: sha1Base64 };
    const config = { generation, ...(streamSwarmIdBuilder && { streamSwarmIdBuilder }) };
    return namesOf(stream, { config, swarmId: () => swarmId, streams, holder: () => undefined, identity }).get(generation);
}
