// The swarms of a stream other than the default one: what clients of other generations of p2p-media-loader call it
// (1.x to 2.2 by its place in the manifest, 5.x by a hash of what the manifest says as written), and what the page's
// `streamSwarmIdBuilder` calls it. Few pages need any of this, so it is loaded on demand (rare.ts).

import type { StreamConfig } from "./config.js";
import type * as Identity from "./identity.js";
import type { Generation } from "./identity.js";
import { md5 } from "./md5.js";
import type { Stream, StreamProperties, StreamType } from "./types.js";

/** In which a viewer meets others when it is to meet all; first the one that most are in. */
const GENERATIONS: readonly Generation[] = ["v2", "v2_index", "v3"];

/** Codecs as p2p-media-loader 5.0 tells them apart, by how they begin (vhs-utils 4.1, `codecs.js`). */
const CODECS = {
    main: /^(av0?1|avc0?[1-4]|vp0?[89]|hvc1|hev1|theora|mp4v)/i,
    secondary: /^(mp4a|flac|vorbis|opus|ac-[34]|ec-3|alac|mp3|speex|aac)/i,
};

/** What `streamSwarmIdBuilder` is told, as by p2p-media-loader 4 and 5. */
export interface SwarmIdContext {
    /** The presentation's name: the option of that name, or the manifest's URL without its query. */
    swarmId: string;
    /** The stream's. */
    runtimeId: string;
    streamType: StreamType;
    properties: StreamProperties;
    /** A hash of the properties. */
    identityHash: string;
    /** What the stream would be called otherwise; different for each stream. */
    defaultStreamSwarmId: string;
    /** The generation of clients that the name is for. */
    peerProtocolVersion: "v2" | "v3";
}

/** Gives the same text to all viewers of a stream, and to no two streams; nothing for the default. */
export type SwarmIdBuilder = (context: SwarmIdContext) => string | undefined;

/** What naming a stream needs to know. */
export interface Naming {
    config: Pick<StreamConfig, "generation" | "streamSwarmIdBuilder">;
    /** The presentation's name for each generation, if there is one. */
    swarmId(generation: Generation): string | undefined;
    /** All streams of the manifest. */
    streams: readonly Stream[];
    /** The stream that has this swarm already. */
    holder(infoHash: string): Stream | undefined;
    /** This chunk has no copy of its own. */
    identity: Pick<typeof Identity, "identityHash" | "infoHash" | "numberForm" | "streamSwarmId"> & { hash(text: string): string };
}

/** A stream's swarms; what another stream's is called already is left out. Throws when the page's builder is at fault. */
export function namesOf(stream: Stream, naming: Naming): Map<Generation, string> {
    const { config, holder, identity } = naming;
    const names = new Map<Generation, string>();
    for (const generation of config.generation === "auto" ? GENERATIONS : [config.generation]) {
        const name = nameOf(stream, generation, naming);
        const other = name && holder(name);
        const isTwin = other && other.type === stream.type && identity.identityHash(other) === identity.identityHash(stream);
        if (other && !isTwin && config.streamSwarmIdBuilder) {
            const both = `"${stream.runtimeId}" the swarm of "${other.runtimeId}"`;
            throw new Error(`streamSwarmIdBuilder gave ${both}, expected one for each stream`);
        }
        const isNew = names.size === 0 || !other;
        if (name && isNew && ![...names.values()].includes(name)) names.set(generation, name);
    }
    return names;
}

function nameOf(stream: Stream, generation: Generation, naming: Naming): string | undefined {
    const { config, identity, swarmId: swarmIdOf } = naming;
    const { type, properties, index, runtimeId } = stream;
    const swarmId = swarmIdOf(generation);
    if (swarmId === undefined) {
        return undefined;
    }
    if (generation === "v2_index") {
        const bytes = md5(`v2-${swarmId}-${type}-${index}`);
        return index === undefined ? index : btoa(String.fromCharCode(...bytes.subarray(1)));
    }
    const text = generation === "v2" ? undefined : (stream.asWritten ?? asWritten(stream, naming));
    if (generation === "v3" && text === undefined) {
        return undefined;
    }
    const identityHash = text === undefined ? identity.identityHash(stream) : identity.hash(text);
    const typed = generation === "v3" && stream.writtenType ? { ...stream, type: stream.writtenType } : stream;
    const byDefault = identity.streamSwarmId(swarmId, typed, identityHash, generation);
    const chosen = config.streamSwarmIdBuilder?.({
        swarmId,
        runtimeId,
        streamType: typed.type,
        properties,
        identityHash,
        defaultStreamSwarmId: byDefault,
        peerProtocolVersion: generation,
    });
    if (chosen !== undefined && (typeof chosen !== "string" || chosen === "")) {
        throw new Error(`streamSwarmIdBuilder gave ${JSON.stringify(chosen)}, expected a text or nothing`);
    }
    return identity.infoHash(chosen ?? byDefault);
}

/**
 * What p2p-media-loader 5.x identifies a stream by: what its manifest says as written. It counts the bitrate only where
 * nothing else tells two streams apart, as some packagers change it all the time.
 */
function asWritten(stream: Stream, { streams, identity }: Naming): string | undefined {
    const textOf = ({ type, written }: Stream) => {
        if (!written?.variants.length) {
            return undefined;
        }
        const { RESOLUTION = "", LANGUAGE, CHANNELS, NAME, "FRAME-RATE": frameRate = "", "VIDEO-RANGE": range } = written.attrs;
        const codecs = written.variants.map(({ CODECS: text = "" }) =>
            text.split(",").map((codec) => codec.trim()).filter((codec) => CODECS[type].test(codec)).join(","),
        );
        const [width, height] = RESOLUTION.split("x").map(Number);
        const picture = [width || "", height || "", "", "", "", identity.numberForm(frameRate), range];
        const sound = ["", "", LANGUAGE, CHANNELS, NAME, "", ""];
        return [codecs.find(Boolean), ...(type === "main" ? picture : sound)].join("-");
    };
    const text = textOf(stream);
    const twins = streams.filter((other) => other.type === stream.type && textOf(other) === text);
    const bitrate = twins.length > 1 ? Number(stream.written?.attrs["BANDWIDTH"]) : 0;
    return text && `${bitrate || 0}-${text}`;
}

/** Ids and sequence numbers of segments, by which p2p-media-loader 5.x goes; nothing when these are the same. */
export function sequences(segments: readonly { externalId: number; sequence: number }[]): number[] {
    const differ = segments.some(({ externalId, sequence }) => externalId !== sequence);
    return segments.flatMap(({ externalId, sequence }) => (differ ? [externalId, sequence] : []));
}
