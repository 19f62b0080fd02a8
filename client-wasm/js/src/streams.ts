// Which streams and segments there are, by the player's names and by the engine's numbers.

import type { Generation } from "./identity.js";
import type { Shell } from "./shell.js";
import { nameOf, type SegmentName } from "./store.js";
import type { Segment, Stream } from "./types.js";

/** A segment as an adapter lists it: `sequence` tells segments of the same URL apart. */
export interface ListedSegment extends Segment {
    readonly sequence: number;
    /** When it was on air, in ms of the wall's clock, if the playlist says so. */
    readonly onAir?: number | null;
}

/** A segment with where it belongs. */
export interface KnownSegment extends ListedSegment {
    readonly name: SegmentName;
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
    /** Whose engine it is in. */
    readonly shell: Shell;
}

/** A stream of the manifest, with its playlist. */
export interface Entry {
    readonly stream: Stream;
    /** As the adapter listed them. */
    segments: readonly ListedSegment[];
    /** Undefined before there is a playlist. */
    live: boolean | undefined;
    /** Once there is an engine. */
    swarm: Swarm | undefined;
    /** What the engine knows of. */
    known: readonly KnownSegment[];
}

/** The streams of one manifest. */
export class Streams {
    /** By the player's names. */
    readonly entries = new Map<string, Entry>();
    /** By the engine's; also those that left the playlist but not the store. */
    readonly segments = new Map<SegmentName, KnownSegment>();

    /** All swarms, each once. */
    get swarms(): Swarm[] {
        const swarms = [...this.entries.values()].flatMap(({ swarm }) => swarm ?? []);
        return [...new Set(swarms)];
    }

    /** The swarm that has this name. */
    named(name: string): Swarm | undefined {
        return this.swarms.find(({ names }) => [...names.values()].includes(name));
    }

    /**
     * Takes a playlist, which replaces the previous one; one segment for each id: the first. Others go to the player's
     * loader. True when ids name other segments than before.
     */
    list(entry: Entry, swarm: Swarm, keep: (name: SegmentName) => boolean): boolean {
        const before = entry.known;
        for (const { name } of before) {
            if (!keep(name)) this.segments.delete(name);
        }
        const known = new Map<number, KnownSegment>();
        for (const segment of entry.segments) {
            const id = segment.externalId;
            if (!known.has(id)) known.set(id, { ...segment, name: nameOf(swarm.key, id), swarm });
        }
        entry.known = [...known.values()];
        for (const segment of entry.known) this.segments.set(segment.name, segment);
        return before.some((one) => differs(one, known.get(one.externalId) ?? one));
    }

    /** The listed segment of this name; of several, the one with this sequence number. */
    find(runtimeId: string, sequence?: number): KnownSegment | undefined {
        const named = this.#listed().filter((segment) => segment.runtimeId === runtimeId);
        return named.find((segment) => segment.sequence === sequence) ?? named[0];
    }

    /** The store has dropped a segment; if it is not listed any more nobody will ask for it. */
    dropped(name: SegmentName): void {
        if (!this.#listed().some((segment) => segment.name === name)) this.segments.delete(name);
    }

    #listed(): KnownSegment[] {
        return [...this.entries.values()].flatMap(({ known }) => known);
    }
}

/** Whether a number names another segment than before: another file, or what was on air at another time. */
function differs(before: ListedSegment, now: ListedSegment): boolean {
    const moved = Math.abs((before.onAir ?? NaN) - (now.onAir ?? NaN));
    return fileOf(before) !== fileOf(now) || moved > 1000 * (now.endTime - now.startTime);
}

/** Hosts, folders and queries change with the server and its tokens. */
function fileOf({ url }: Segment): string | undefined {
    return url.split(/[?#]/)[0]?.split("/").pop();
}

/** Id, start and end in milliseconds, as the engine takes them. */
export function flat(segments: readonly Segment[]): Float64Array {
    const numbers = segments.flatMap(({ externalId, startTime, endTime }) => [
        externalId,
        Math.round(startTime * 1000),
        Math.round(endTime * 1000),
    ]);
    return Float64Array.from(numbers);
}
