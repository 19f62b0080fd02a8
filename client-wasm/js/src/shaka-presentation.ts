// What the engine knows of the presentation that a player has loaded: Shaka's manifests, read once more, as streams and
// segments of the core, on Shaka's timeline.

import type { Core } from "./core.js";
import type { ManifestReader } from "./shaka-reader.js";
import type { ListedSegment } from "./streams.js";
import type { Stream } from "./types.js";

/** A difference in seconds between two clocks of one timeline that is not worth listing anew. */
const DRIFT_S_MAX = 0.25;

/** The longest sleep before a list is looked at again; timers take no more than 2^31 ms. */
const SLEEP_MS_MAX = 60_000;

/** A response with a manifest, a playlist or an index. */
export interface Document {
    /** A copy of our own. */
    bytes: Uint8Array;
    /** After redirects. */
    url: string;
    /** Before. */
    requestedUrl: string;
    /** The same as Shaka writes it: clients name swarms by that. */
    writtenUrl: string;
    /** First and last byte that were asked for, if not all. */
    range?: { start: number; end: number } | undefined;
    /** By the wall clock. */
    receivedMs: number;
}

/** A segment as Shaka asks for it. */
export interface Asked {
    /** Its addresses, best first. */
    urls: readonly string[];
    range: { start: number; end: number } | undefined;
    /** When it begins for Shaka, in seconds; nothing when Shaka does not say. */
    startTime: number | undefined;
    /** Whatever is always the same for one stream of Shaka's. */
    stream: object | undefined;
    /** Shaka's name for the stream in the manifest. */
    streamName: string | null | undefined;
}

/** A stream, with what is listed for it. */
interface Track {
    /** Its place among the streams of the manifest as it was read last. */
    place: number;
    stream: Stream;
    /** What the reader lists, by name; made when it is looked for. */
    known: Map<string, ListedSegment[]> | undefined;
    live: boolean;
    nextMs: number | undefined;
    /** What is to be added to the reader's times to get Shaka's; nothing before Shaka has asked for a segment. */
    shift: number | undefined;
}

/** The streams of one presentation. */
export class Presentation {
    #tracks: Track[] = [];
    readonly #byStream = new WeakMap<object, Track>();
    /** The reader, once it is loaded; nothing any more when the presentation is over. */
    #reader: ManifestReader | undefined;
    /** What came before the reader. */
    #waiting: (() => void)[] = [];
    #timer: ReturnType<typeof setTimeout> | undefined;
    /** By how much the presentation's clock is ahead of ours. */
    #aheadMs = 0;
    #isClockTold = false;
    #isOver = false;

    constructor(
        private readonly core: Core,
        reader: Promise<ManifestReader | undefined>,
    ) {
        void reader.then((loaded) => this.#begin(loaded));
    }

    /** Takes the manifest that was loaded first, an HLS playlist, or a newer state of either. */
    manifest(document: Document): void {
        this.#when(() => {
            const place = this.#placeOf(document);
            if (place !== undefined) this.#playlist(place, document);
            else if (this.#tracks.length === 0 || isDash(document)) this.#manifest(document);
        });
    }

    /** Takes bytes that may be an index in the media. */
    index(document: Document): void {
        this.#when(() => {
            for (const track of this.#tracks) this.#index(track, document);
        });
    }

    /** What time it was when a time server's answer came. */
    clock(toldMs: number, receivedMs: number): void {
        if (!Number.isNaN(toldMs)) {
            this.#aheadMs = toldMs - receivedMs;
            this.#isClockTold = true;
            this.#when(() => this.#relist());
        }
    }

    /** Finds a segment that Shaka asks for, and lets the core know what its stream lists. */
    find(asked: Asked): { runtimeId: string; sequence: number } | undefined {
        if (!this.#reader) {
            return undefined;
        }
        for (const track of this.#likely(asked)) {
            const found = this.#findIn(track, asked);
            if (found) {
                if (asked.stream) this.#byStream.set(asked.stream, track);
                return this.#place(track, found, asked) ? found : undefined;
            }
        }
        return undefined;
    }

    close(): void {
        this.#isOver = true;
        this.#waiting = [];
        clearTimeout(this.#timer);
        this.#reader?.close();
        this.#reader = undefined;
        this.#tracks = [];
    }

    #begin(reader: ManifestReader | undefined): void {
        if (this.#isOver) {
            return reader?.close();
        }
        this.#reader = reader;
        const waiting = this.#waiting;
        this.#waiting = [];
        if (reader) for (const work of waiting) work();
    }

    #when(work: () => void): void {
        if (this.#reader) work();
        else if (!this.#isOver) this.#waiting.push(work);
    }

    #manifest({ bytes, url, writtenUrl, receivedMs }: Document): void {
        const read = this.#reader?.manifest(bytes, url);
        if (!read) {
            return;
        }
        if (read.clockMs !== undefined && !this.#isClockTold) this.#aheadMs = read.clockMs - receivedMs;
        if (this.#tracks.length === 0) this.core.setManifestResponseUrl(url, writtenUrl);
        const before = new Map(this.#tracks.map((track) => [track.stream.runtimeId, track]));
        this.#tracks = read.streams.map((stream, place) => {
            const track = before.get(stream.runtimeId) ?? { ...NEW, place, stream };
            return Object.assign(track, { place, known: undefined });
        });
        for (const { stream } of this.#tracks) this.core.addStreamIfNoneExists(stream);
        this.#relist();
    }

    #playlist(place: number, { bytes, url }: Document): void {
        const track = this.#tracks[place];
        if (track && this.#reader?.playlist(place, bytes, url)) {
            track.known = undefined;
            if (track.shift !== undefined) this.#list(track);
        }
    }

    #index(track: Track, { bytes, url, requestedUrl, range }: Document): void {
        for (const index of this.#reader?.indexes(track.place) ?? []) {
            const isIts = [url, requestedUrl].some((one) => one === index.url);
            const isAll = index.start === undefined && !range;
            if (isIts && (isAll || (index.start === range?.start && index.end === range?.end))) {
                this.#reader?.index(track.place, index.place, bytes);
                track.known = undefined;
            }
        }
    }

    /** Which stream's playlist it is. */
    #placeOf({ url, requestedUrl }: Document): number | undefined {
        const ids = [requestedUrl, url];
        return this.#tracks.find(({ stream }) => ids.includes(stream.runtimeId))?.place;
    }

    /** All streams, the likeliest first. One stream of Shaka's can run through several, Period by Period. */
    #likely({ stream, streamName }: Asked): Track[] {
        const known = stream && this.#byStream.get(stream);
        const likelihood = (track: Track) =>
            track === known ? 2 : Number(Boolean(streamName && track.stream.runtimeId.endsWith(`/${streamName}`)));
        return [...this.#tracks].sort((a, b) => likelihood(b) - likelihood(a));
    }

    #findIn(track: Track, { urls, range, startTime }: Asked): ListedSegment | undefined {
        const names = urls.map((url) => (range ? `${url}|${range.start}-${range.end}` : url));
        let found = names.flatMap((name) => this.#known(track).get(name) ?? []);
        if (found.length === 0 && track.nextMs !== undefined && this.#nowMs() >= track.nextMs) {
            track.known = undefined;
            found = names.flatMap((name) => this.#known(track).get(name) ?? []);
        }
        const at = (startTime ?? 0) - (track.shift ?? 0);
        const distance = (segment: ListedSegment) => Math.abs(segment.startTime - at);
        return found.sort((a, b) => distance(a) - distance(b))[0];
    }

    /** What a stream lists now, by name. */
    #known(track: Track): Map<string, ListedSegment[]> {
        return (track.known ??= this.#read(track));
    }

    #read(track: Track): Map<string, ListedSegment[]> {
        const known = new Map<string, ListedSegment[]>();
        const read = this.#reader?.segments(track.place, this.#nowMs());
        track.live = read?.live ?? false;
        track.nextMs = read?.nextMs;
        for (const segment of read?.segments ?? []) {
            const same = known.get(segment.runtimeId);
            if (same) same.push(segment);
            else known.set(segment.runtimeId, [segment]);
        }
        return known;
    }

    /** Puts a stream where Shaka has it; false while that is not known. On demand both begin at 0. */
    #place(track: Track, { startTime }: ListedSegment, asked: Asked): boolean {
        const guess = track.shift ?? (track.live ? undefined : 0);
        const shift = asked.startTime === undefined ? guess : asked.startTime - startTime;
        const drift = Math.abs((shift ?? 0) - (track.shift ?? Infinity));
        if (shift !== undefined && drift > DRIFT_S_MAX) {
            track.shift = shift;
            this.#list(track);
            this.#wake();
        }
        return track.shift !== undefined;
    }

    /** Tells the core what a stream lists. */
    #list(track: Track): void {
        const shift = track.shift ?? 0;
        const segments = [...this.#known(track).values()].flat().map((segment) => ({
            ...segment,
            startTime: segment.startTime + shift,
            endTime: segment.endTime + shift,
        }));
        segments.sort((a, b) => a.startTime - b.startTime);
        this.core.setSegments(track.stream.runtimeId, segments, track.live);
    }

    /** Looks anew at the streams that are played. */
    #relist(): void {
        for (const track of this.#tracks) {
            track.known = undefined;
            if (track.shift !== undefined) this.#list(track);
        }
        this.#wake();
    }

    /** Sleeps until the next segment is there. */
    #wake(): void {
        clearTimeout(this.#timer);
        const next = this.#tracks.flatMap(({ shift, nextMs }) => (shift !== undefined && nextMs !== undefined ? [nextMs] : []));
        if (next.length > 0) {
            const sleepMs = Math.max(1, Math.min(Math.min(...next) - this.#nowMs() + 1, SLEEP_MS_MAX));
            this.#timer = setTimeout(() => this.#relist(), sleepMs);
        }
    }

    #nowMs(): number {
        return Date.now() + this.#aheadMs;
    }
}

const NEW = { known: undefined, live: false, nextMs: undefined, shift: undefined };

/** Manifests of DASH are read anew, those of HLS once. */
function isDash({ bytes }: Document): boolean {
    return new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().startsWith("<");
}
