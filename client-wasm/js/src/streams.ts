// Which streams and segments there are, by the player's names and by the engine's numbers.

import type { Generation } from "./identity.js";
import type { SegmentKey } from "./store.js";
import { nameOf } from "./store.js";
import type { Segment, Stream } from "./types.js";

/** A segment with where it belongs. */
export interface KnownSegment extends Segment {
    readonly key: SegmentKey;
    readonly swarm: Swarm;
}

/** The streams that share one swarm: usually one, more when a manifest lists a stream twice. */
export interface Swarm {
    /** The engine's number for it. */
    readonly key: number;
    readonly infoHash: string;
    /** All its names, that one included, by the generation of clients that know it by them. */
    readonly names: ReadonlyMap<Generation, string>;
    /** Who we are in it. */
    readonly peerId: string;
    readonly stream: Stream;
}

/** A segment as an adapter lists it: `sequence` tells segments of the same URL apart. */
export interface ListedSegment extends Segment {
    readonly sequence: number;
}

interface Listing {
    readonly swarm: Swarm;
    segments: readonly ListedSegment[];
}

/** The streams of one manifest. */
export class Streams {
    readonly #listings = new Map<string, Listing>();
    readonly #swarms = new Map<string, Swarm>();
    /** By the engine's key; also segments that left the playlist but not the store. */
    readonly #segments = new Map<string, KnownSegment>();

    /** Puts a stream into its swarm, which is made when it is new. */
    add(stream: Stream, infoHash: string, make: () => Swarm): { swarm: Swarm; isNew: boolean } {
        const known = this.#swarms.get(infoHash);
        const swarm = known ?? make();
        this.#swarms.set(infoHash, swarm);
        this.#listings.set(stream.runtimeId, { swarm, segments: [] });
        return { swarm, isNew: !known };
    }

    /** Takes a playlist; returns what the engine has to hear, if the stream is known. */
    list(
        streamRuntimeId: string,
        segments: readonly ListedSegment[],
        keep: (key: SegmentKey) => boolean,
    ): { swarm: Swarm; numbers: Float64Array; pairs: Float64Array } | undefined {
        const listing = this.#listings.get(streamRuntimeId);
        if (!listing) {
            return undefined;
        }
        this.#forget(listing, keep);
        listing.segments = unique(segments);
        for (const segment of listing.segments) {
            const key = { stream: listing.swarm.key, id: segment.externalId };
            this.#segments.set(nameOf(key), { ...segment, key, swarm: listing.swarm });
        }
        return { swarm: listing.swarm, numbers: flat(listing.segments), pairs: sequences(listing.segments) };
    }

    /** The listed segment of this name; of several, the one with this sequence number. */
    find(runtimeId: string, sequence?: number): KnownSegment | undefined {
        let found: KnownSegment | undefined;
        for (const { swarm, segments } of this.#listings.values()) {
            for (const segment of segments) {
                if (segment.runtimeId === runtimeId && (!found || segment.sequence === sequence)) {
                    found = this.#segments.get(nameOf({ stream: swarm.key, id: segment.externalId }));
                }
            }
        }
        return found;
    }

    /** The segment of the engine's key. */
    get(key: SegmentKey): KnownSegment | undefined {
        return this.#segments.get(nameOf(key));
    }

    /** The swarm of the engine's stream key. */
    swarm(key: number): Swarm | undefined {
        return [...this.#swarms.values()].find((swarm) => swarm.key === key);
    }

    /** Whether a swarm has this name. */
    isNamed(name: string): boolean {
        return [...this.#swarms.values()].some(({ names }) => [...names.values()].includes(name));
    }

    swarms(): Iterable<Swarm> {
        return this.#swarms.values();
    }

    /** The store has dropped a segment; if it is not listed any more nobody will ask for it. */
    dropped(key: SegmentKey): void {
        const listings = [...this.#listings.values()];
        const listed = listings.some(
            ({ swarm, segments }) =>
                swarm.key === key.stream && segments.some(({ externalId }) => externalId === key.id),
        );
        if (!listed) {
            this.#segments.delete(nameOf(key));
        }
    }

    #forget(listing: Listing, keep: (key: SegmentKey) => boolean): void {
        for (const { externalId } of listing.segments) {
            const key = { stream: listing.swarm.key, id: externalId };
            if (!keep(key)) {
                this.#segments.delete(nameOf(key));
            }
        }
    }
}

/** One segment for each id: the first. Others go to the player's own loader. */
function unique(segments: readonly ListedSegment[]): ListedSegment[] {
    const ids = new Set<number>();
    return segments.filter(({ externalId }) => !ids.has(externalId) && ids.add(externalId));
}

/** Ids and sequence numbers, by which p2p-media-loader 5.x goes; nothing when these are the same. */
function sequences(segments: readonly ListedSegment[]): Float64Array {
    const differ = segments.some(({ externalId, sequence }) => externalId !== sequence);
    const pairs = segments.flatMap(({ externalId, sequence }) => (differ ? [externalId, sequence] : []));
    return Float64Array.from(pairs);
}

/** Id, start and end in milliseconds, as the engine takes them. */
function flat(segments: readonly Segment[]): Float64Array {
    const numbers = segments.flatMap((segment) => [
        segment.externalId,
        Math.round(segment.startTime * 1000),
        Math.round(segment.endTime * 1000),
    ]);
    return Float64Array.from(numbers);
}
