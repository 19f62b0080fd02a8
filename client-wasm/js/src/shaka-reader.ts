// The reader of manifests: a WebAssembly module of its own, which only pages with Shaka Player load.

import { readerBytes } from "./shaka-reader-bytes.js";
import type { ListedSegment } from "./streams.js";
import type { Stream, StreamType } from "./types.js";

/** What a manifest lists, by the name that the streams have among our own. */
export interface ReadManifest {
    /** An HLS media playlist that no other lists is both manifest and playlist. */
    kind: "hls" | "media" | "dash";
    /** What the presentation's clock is said to show now, in milliseconds since 1970 UTC. */
    clockMs: number | undefined;
    streams: Stream[];
}

/** What a stream lists at a time. */
export interface ReadSegments {
    /** Whether more may come. */
    live: boolean;
    /** When the next will have come without a newer manifest, in milliseconds since 1970 UTC. */
    nextMs: number | undefined;
    segments: ListedSegment[];
}

/** An index in the media that lists a stream's segments. */
export interface ReadIndex {
    place: number;
    url: string;
    /** First and last byte; the whole file when not given. */
    start: number | undefined;
    end: number | undefined;
}

/** What the module exports (`playlist/src/calls.rs`; the build compares the names). All but the memory take and give numbers. */
export const READER_NAMES = [
    "close", "index", "indexes", "manifest", "open", "playlist", "room", "segments", "size",
] as const;
type Calls = Record<(typeof READER_NAMES)[number], (...numbers: number[]) => number> & { memory: WebAssembly.Memory };

/** What a manifest says of a presentation, and later states of it (`playlist/src/reader.rs`). */
export class Reader {
    readonly #number: number;

    constructor(private readonly calls: Calls) {
        this.#number = calls.open();
    }

    /** Nothing when it is no manifest. */
    manifest(text: Uint8Array, url: string): ReadManifest | undefined {
        const fields = this.#answer(this.calls.manifest(this.#number, this.#give(text, url)));
        const kind = fields.text() as ReadManifest["kind"] | "";
        if (kind === "") return undefined;
        const clockMs = fields.number();
        const streams: Stream[] = [];
        while (fields.has()) streams.push(streamOf(fields));
        return { kind, clockMs, streams };
    }

    /** False when it is no media playlist. */
    playlist(stream: number, text: Uint8Array, url: string): boolean {
        return this.calls.playlist(this.#number, stream, this.#give(text, url)) > 0;
    }

    /** Where a stream's segments are listed in the media itself, and that was not read yet. */
    indexes(stream: number): ReadIndex[] {
        const fields = this.#answer(this.calls.indexes(this.#number, stream));
        const indexes: ReadIndex[] = [];
        while (fields.has()) {
            const [place = 0, start, end] = [fields.number(), fields.number(), fields.number()];
            indexes.push({ place, start, end, url: fields.text() });
        }
        return indexes;
    }

    /** False when the bytes are no index. */
    index(stream: number, place: number, bytes: Uint8Array): boolean {
        this.#give(bytes);
        return this.calls.index(this.#number, stream, place) > 0;
    }

    /** What there is at a time, in milliseconds since 1970 UTC. */
    segments(stream: number, nowMs: number): ReadSegments {
        const fields = this.#answer(this.calls.segments(this.#number, stream, nowMs));
        const live = fields.number() === 1;
        const nextMs = fields.number();
        const segments: ListedSegment[] = [];
        while (fields.has()) segments.push(segmentOf(fields));
        return { live, nextMs, segments };
    }

    close(): void {
        this.calls.close(this.#number);
    }

    /** Lays down what the next call takes in; gives the length of the address. */
    #give(bytes: Uint8Array, url = ""): number {
        const address = new TextEncoder().encode(url);
        const at = this.calls.room(address.length + bytes.length);
        const memory = new Uint8Array(this.calls.memory.buffer);
        memory.set(address, at);
        memory.set(bytes, at + address.length);
        return address.length;
    }

    #answer(at: number): Fields {
        const bytes = new Uint8Array(this.calls.memory.buffer, at, this.calls.size());
        return new Fields(new TextDecoder().decode(bytes).split("\0"));
    }
}

/** Fields in their order (`playlist/src/fields.rs`). Each was ended, so what follows the last one is none. */
class Fields {
    #next = 0;

    constructor(private readonly all: string[]) {}

    has(): boolean {
        return this.#next < this.all.length - 1;
    }

    text(): string {
        return this.all[this.#next++] ?? "";
    }

    number(): number | undefined {
        const text = this.text();
        return text === "" ? undefined : Number(text);
    }
}

function streamOf(fields: Fields): Stream {
    const runtimeId = fields.text();
    const type = typeOf(fields.number());
    const index = fields.number() ?? 0;
    const properties = {
        bitrate: fields.number() ?? Number.NaN,
        codecs: fields.text(),
        width: fields.number(),
        height: fields.number(),
        language: fields.text(),
        channels: fields.text(),
        name: fields.text(),
        frameRate: fields.text(),
        videoRange: fields.text(),
    };
    const writtenType = fields.number();
    const asWritten = fields.text();
    const known = writtenType === undefined ? {} : { asWritten, writtenType: typeOf(writtenType) };
    return { runtimeId, type, index, properties, ...known };
}

function typeOf(isMain: number | undefined): StreamType {
    return isMain === 1 ? "main" : "secondary";
}

function segmentOf(fields: Fields): ListedSegment {
    const [externalId = 0, sequence = 0, startMs = 0, durationMs = 0] = [
        fields.number(), fields.number(), fields.number(), fields.number(),
    ];
    const [start, end, url] = [fields.number(), fields.number(), fields.text()];
    const byteRange = start === undefined || end === undefined ? undefined : { start, end };
    return {
        runtimeId: byteRange ? `${url}|${start}-${end}` : url,
        externalId,
        sequence,
        url,
        ...(byteRange && { byteRange }),
        startTime: startMs / 1000,
        endTime: (startMs + durationMs) / 1000,
    };
}

/** What the rest sees of a {@link Reader}. */
export type ManifestReader = Pick<Reader, "manifest" | "playlist" | "indexes" | "index" | "segments" | "close">;

let loading: Promise<Calls> | undefined;

/** Loads the module, by default from beside this script, once for the page; after a failure the next call tries again. */
export async function newReader(url?: string): Promise<Reader> {
    loading ??= start(url).catch((error: unknown) => {
        loading = undefined;
        throw error;
    });
    return new Reader(await loading);
}

async function start(url: string | undefined): Promise<Calls> {
    const response = await readerBytes(url);
    if (!response.ok) {
        throw new Error(`http status ${response.status} for ${response.url}, expected the reader's WebAssembly module`);
    }
    const { instance } = await WebAssembly.instantiate(await response.arrayBuffer());
    return instance.exports as Calls;
}
