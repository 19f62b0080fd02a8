// HTTP requests for segments, streamed into the store.

import type { HttpRequestSetup, SegmentValidator } from "./config.js";
import type { SegmentKey, SegmentStore } from "./store.js";
import type { ByteRange } from "./types.js";

/** Where a segment is and what the page wants of its request. */
export interface Origin {
    url: string;
    byteRange: ByteRange | undefined;
    /** A request without a response for so many milliseconds has failed; 0 for no limit. */
    firstByteMs: number;
    /** Gives it from the page's own storage, which has it. */
    stored: (() => Promise<ArrayBuffer | undefined> | undefined) | undefined;
    setup: HttpRequestSetup | undefined;
    validate: SegmentValidator | undefined;
}

/** In place of an HTTP status: the page's `validateHTTPSegment` said no. */
export const REFUSED = 1;

/** What the engine is told. After {@link Fetches.cancel} nothing more is said of a fetch. */
export interface FetchCalls {
    fetchStarted(fetch: number, offset: number, total: number | undefined): void;
    fetchProgress(fetch: number, bytes: number): void;
    fetchDone(fetch: number): void;
    /** With the HTTP status, 0 when there was none. */
    fetchFailed(fetch: number, status: number): void;
}

/** The part of a segment that a response brings. */
interface Part {
    /** Of its first byte, in the segment. */
    offset: number;
    /** Bytes of the whole segment, if told. */
    total: number | undefined;
}

export class Fetches {
    readonly #running = new Map<number, AbortController>();

    constructor(
        private readonly store: SegmentStore,
        private readonly calls: FetchCalls,
    ) {}

    /** Asks for a segment from `offset` to its end. */
    start(fetch: number, key: SegmentKey, origin: Origin, offset: number): void {
        const abort = new AbortController();
        this.#running.set(fetch, abort);
        this.#run(fetch, key, origin, offset, abort.signal).then(
            () => this.#finished(fetch, (calls) => calls.fetchDone(fetch)),
            (error: unknown) => {
                const status = error instanceof BadStatus ? error.status : 0;
                abort.abort();
                this.#finished(fetch, (calls) => calls.fetchFailed(fetch, status));
            },
        );
    }

    cancel(fetch: number): void {
        const abort = this.#running.get(fetch);
        this.#running.delete(fetch);
        abort?.abort();
    }

    cancelAll(): void {
        for (const fetch of [...this.#running.keys()]) {
            this.cancel(fetch);
        }
    }

    async #run(
        fetch: number,
        key: SegmentKey,
        origin: Origin,
        offset: number,
        signal: AbortSignal,
    ): Promise<void> {
        const response = (await stored(origin, offset)) ?? (await request(origin, offset, signal));
        const part = partOf(response, origin.byteRange, offset);
        signal.throwIfAborted();
        this.calls.fetchStarted(fetch, part.offset, part.total);
        const reader = response.body?.getReader();
        for (let at = part.offset; reader; ) {
            const { done, value } = await reader.read();
            signal.throwIfAborted();
            if (done) break;
            if (!this.store.write(key, at, value, part.total)) {
                throw new Error("response is longer than it said");
            }
            at += value.length;
            this.calls.fetchProgress(fetch, value.length);
            // The engine may have cancelled it on hearing of these bytes.
            signal.throwIfAborted();
        }
        this.store.finish(key);
        await this.#validate(key, origin);
    }

    async #validate(key: SegmentKey, { url, byteRange, validate }: Origin): Promise<void> {
        const data = validate && this.store.copy(key);
        if (data && !(await validate(url, byteRange, data))) {
            throw new BadStatus(REFUSED);
        }
    }

    #finished(fetch: number, tell: (calls: FetchCalls) => void): void {
        if (this.#running.delete(fetch)) {
            tell(this.calls);
        }
    }
}

class BadStatus extends Error {
    constructor(readonly status: number) {
        super(`http status ${status}`);
    }
}

async function request(origin: Origin, offset: number, signal: AbortSignal): Promise<Response> {
    const { url, byteRange, setup, firstByteMs } = origin;
    const start = (byteRange?.start ?? 0) + offset;
    const end = byteRange?.end;
    const range = byteRange || offset > 0 ? { start, ...(end !== undefined && { end }) } : undefined;
    const headers = range && { Range: `bytes=${start}-${end ?? ""}` };
    const own = await setup?.(url, byteRange, signal, range);
    const asked = fetch(own ?? new Request(url, { headers: headers ?? {} }), { signal });
    const response = await (firstByteMs > 0 ? Promise.race([asked, late(firstByteMs)]) : asked);
    if (!response.ok) {
        throw new BadStatus(response.status);
    }
    return response;
}

async function late(ms: number): Promise<never> {
    await new Promise((done) => setTimeout(done, ms));
    throw new Error(`no response within ${ms} ms`);
}

/** What the page's storage has, as a response to the request. */
async function stored({ stored }: Origin, offset: number): Promise<Response | undefined> {
    const data = await stored?.();
    const bytes = data?.byteLength ?? 0;
    if (!data || bytes <= offset) {
        return undefined;
    }
    const range = { "Content-Range": `bytes ${offset}-${bytes - 1}/${bytes}` };
    return new Response(data.slice(offset), { status: 206, headers: range });
}

/** Which bytes of the segment a response brings; throws when they are of no use. */
function partOf(response: Response, byteRange: ByteRange | undefined, asked: number): Part {
    // Of an encoded response the length is that of the code.
    const encoded = response.headers.get("Content-Encoding") ?? "identity";
    const length = Number(response.headers.get("Content-Length") ?? Number.NaN);
    const bytes = encoded === "identity" && length > 0 ? length : undefined;
    if (response.status === 206) {
        const size = byteRange && byteRange.end - byteRange.start + 1;
        return partOfRange(response.headers.get("Content-Range"), byteRange?.start ?? 0, size)
            // Across origins the header is hidden unless the server exposes it: trust the status then.
            ?? { offset: asked, total: size ?? (bytes && asked + bytes) };
    }
    if (byteRange) {
        // The whole file, where a part was asked for: the player's loader knows what to do.
        throw new BadStatus(response.status);
    }
    return { offset: 0, total: bytes };
}

/** Reads `bytes 5-99/100`, or with `*` for the size (RFC 9110, 14.4). */
function partOfRange(header: string | null, first: number, size: number | undefined): Part | undefined {
    const [, start, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header ?? "") ?? [];
    if (start === undefined) {
        return undefined;
    }
    const offset = Number(start) - first;
    if (offset < 0) {
        throw new BadStatus(206);
    }
    const total = size ?? Number(whole);
    return { offset, total: Number.isNaN(total) ? undefined : total };
}
