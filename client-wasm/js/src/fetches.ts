// HTTP requests for segments, streamed into the store.

import type { HttpRequestSetup, SegmentValidator } from "./config.js";
import { Input } from "./input.js";
import type { SegmentName, SegmentStore } from "./store.js";
import type { ByteRange } from "./types.js";
import type { Tell } from "./wasm.js";

/** Where a segment is and what the page wants of its request. */
export interface Origin {
    url: string;
    byteRange: ByteRange | undefined;
    /** A request without a response for so many milliseconds has failed; 0 for no limit. */
    firstByteMs: number;
    /** Gives it from the page's own storage, from an offset on; nothing when it is not there after all. */
    stored?: ((offset: number) => Promise<Response | undefined>) | undefined;
    setup: HttpRequestSetup | undefined;
    validate: SegmentValidator | undefined;
}

/** In place of an HTTP status: the page's `validateHTTPSegment` said no. */
export const REFUSED = 1;

/** The part of a segment that a response brings. */
interface Part {
    /** Of its first byte, in the segment. */
    offset: number;
    /** Bytes of the whole segment, if told. */
    total?: number | undefined;
}

export class Fetches {
    readonly #running = new Map<number, AbortController>();

    /** After {@link Fetches.cancel} nothing more is told of a fetch. */
    constructor(
        private readonly store: SegmentStore,
        private readonly tell: Tell,
    ) {}

    /** Asks for a segment from `offset` to its end. */
    start(fetch: number, name: SegmentName, origin: Origin, offset: number): void {
        const abort = new AbortController();
        this.#running.set(fetch, abort);
        this.#run(fetch, name, origin, offset, abort.signal).then(
            () => this.#finished(Input.FetchDone, fetch),
            (error: unknown) => {
                abort.abort();
                this.#finished(Input.FetchFailed, fetch, error instanceof BadStatus ? error.status : 0);
            },
        );
    }

    cancel(fetch: number): void {
        const abort = this.#running.get(fetch);
        this.#running.delete(fetch);
        abort?.abort();
    }

    cancelAll(): void {
        for (const fetch of this.#running.keys()) this.cancel(fetch);
    }

    async #run(fetch: number, name: SegmentName, origin: Origin, asked: number, signal: AbortSignal): Promise<void> {
        const response = (await origin.stored?.(asked)) ?? (await request(origin, asked, signal));
        const { offset, total } = partOf(response, origin.byteRange, asked);
        const reader = response.body?.getReader();
        signal.throwIfAborted();
        this.tell(Input.FetchStarted, fetch, offset, total ?? NaN);
        for (let at = offset; reader; ) {
            const { done, value } = await reader.read();
            signal.throwIfAborted();
            if (done) break;
            // A response that is longer than it said.
            if (!this.store.write(name, at, value, total)) throw new BadStatus(0);
            at += value.length;
            this.tell(Input.FetchProgress, fetch, value.length);
            // The engine may have cancelled it on hearing of these bytes.
            signal.throwIfAborted();
        }
        const buffer = this.store.get(name);
        buffer?.finish();
        const { url, byteRange, validate } = origin;
        if (validate && buffer && !(await validate(url, byteRange, buffer.copy()))) {
            throw new BadStatus(REFUSED);
        }
    }

    #finished(kind: Input, fetch: number, status?: number): void {
        if (this.#running.delete(fetch)) this.tell(kind, fetch, status);
    }
}

class BadStatus extends Error {
    constructor(readonly status: number) {
        super();
    }
}

async function request(origin: Origin, offset: number, signal: AbortSignal): Promise<Response> {
    const { url, byteRange, setup, firstByteMs } = origin;
    const start = (byteRange?.start ?? 0) + offset;
    const end = byteRange?.end;
    const range = byteRange || offset > 0 ? { start, ...(end !== undefined && { end }) } : undefined;
    const headers: HeadersInit = range ? { Range: `bytes=${start}-${end ?? ""}` } : {};
    const own = await setup?.(url, byteRange, signal, range);
    const asked = fetch(own ?? new Request(url, { headers }), { signal });
    const late = new Promise<never>((_, reject) => firstByteMs > 0 && setTimeout(reject, firstByteMs));
    const response = await Promise.race([asked, late]);
    if (!response.ok) {
        throw new BadStatus(response.status);
    }
    return response;
}

/** Which bytes of the segment a response brings; throws when they are of no use. */
function partOf({ status, headers }: Response, byteRange: ByteRange | undefined, asked: number): Part {
    const length = Number(headers.get("Content-Length"));
    // Of an encoded response the length is that of the code.
    const bytes = (headers.get("Content-Encoding") ?? "identity") === "identity" && length > 0 ? length : undefined;
    if (status !== 206) {
        // The whole file, where a part was asked for: the player's loader knows what to do.
        if (byteRange) throw new BadStatus(status);
        return { offset: 0, total: bytes };
    }
    const size = byteRange && byteRange.end - byteRange.start + 1;
    // `bytes 5-99/100`, or with `*` for the size (RFC 9110, 14.4).
    const [, start, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("Content-Range") ?? "") ?? [];
    if (!start) {
        // Across origins the header is hidden unless the server exposes it: trust the status then.
        return { offset: asked, total: size ?? (bytes && asked + bytes) };
    }
    const offset = Number(start) - (byteRange?.start ?? 0);
    if (offset < 0) throw new BadStatus(status);
    return { offset, total: size ?? (Number(whole) || undefined) };
}
