// A segment's way through the core, as Shaka's networking engine wants it: an operation that can be aborted, that tells
// of progress, and whose time and size keep Shaka's bandwidth estimate honest. When the core cannot, Shaka's own plugin
// goes on within the same operation.

import type { Core } from "./core.js";
import { ownPlugin } from "./shaka-scheme.js";
import type { Operation, PluginArguments, Request, Response, Shaka } from "./shaka-types.js";
import { bufferAhead } from "./stats.js";
import type { SegmentResponse } from "./types.js";

/**
 * Shaka gives a connection up that is silent, by default after 5 or 10 s. While the core waits for a peer on purpose it hears
 * so often that all is well, and at least twice in its patience.
 */
const ALIVE_MS = 1_000;

/** As hls.js's loader does it (`hlsjs-fragment-loader.ts`): a dry player that hears nothing gets its segment by HTTP. */
const RESCUE_SILENCE_MS = 5_000;
const DRY_BUFFER_S = 0.5;

/** Requests that the core has failed: when Shaka tries again, maybe elsewhere, its own plugin does it. */
const givenUp = new WeakSet<Request>();

/** Where a loader belongs. */
export interface LoaderContext {
    shaka: Shaka;
    core: Core;
    media(): HTMLMediaElement | null | undefined;
    /** What Shaka makes of the line, in bits per second; for segments of which the core does not know. */
    estimate(): number;
}

/** Loads a segment by the core; nothing when that does not take it. */
export function loadSegment(
    context: LoaderContext,
    segment: { runtimeId: string; sequence: number },
    request: PluginArguments,
): Operation | undefined {
    if (givenUp.has(request[1])) {
        return undefined;
    }
    const loader = new Loader(context, segment, request);
    return loader.start() ? loader.operation() : undefined;
}

/** Loads by Shaka's own plugin and counts the bytes. */
export function loadPlainly({ shaka, core }: Pick<LoaderContext, "shaka" | "core">, request: PluginArguments): Operation {
    const operation = ownPlugin(shaka)(...request);
    operation.promise.then(
        ({ data }) => void (core.meter.bytes.http += data.byteLength),
        () => undefined,
    );
    return operation;
}

class Loader {
    readonly #began = performance.now();
    readonly #promise: Promise<Response>;
    #resolve!: (response: Response | Promise<Response>) => void;
    #reject!: (reason: unknown) => void;
    #own: Operation | undefined;
    #isOver = false;
    #alive: ReturnType<typeof setInterval> | undefined;
    #heardAt = this.#began;
    #loaded = 0;
    #left = 0;

    constructor(
        private readonly context: LoaderContext,
        private readonly segment: { runtimeId: string; sequence: number },
        private readonly request: PluginArguments,
    ) {
        this.#promise = new Promise((resolve, reject) => {
            this.#resolve = resolve;
            this.#reject = reject;
        });
    }

    /** False when the core does not take it. */
    start(): boolean {
        const { runtimeId, sequence } = this.segment;
        const taken = this.context.core.loadSegment(
            runtimeId,
            {
                onSuccess: (response) => this.#succeed(response),
                onError: () => this.#fallBack(),
                onProgress: (bytes, total) => this.#progress(bytes, total),
            },
            sequence,
        );
        if (taken) {
            const { connectionTimeout, stallTimeout } = this.request[1].retryParameters;
            const patience = Math.min(connectionTimeout || Infinity, stallTimeout || Infinity, 2 * ALIVE_MS);
            this.#alive = setInterval(() => this.#stayAlive(), patience / 2);
        }
        return taken;
    }

    operation(): Operation {
        return new this.context.shaka.util.AbortableOperation(this.#promise, () => this.#abort());
    }

    async #abort(): Promise<void> {
        if (this.#own) {
            return this.#own.abort();
        }
        if (this.#isOver) {
            return;
        }
        this.#end();
        this.context.core.abortSegmentLoading(this.segment.runtimeId, this.segment.sequence);
        const { Error: ShakaError } = this.context.shaka.util;
        const { Severity, Category, Code } = ShakaError;
        const [uri, , type] = this.request;
        this.#reject(new ShakaError(Severity.RECOVERABLE, Category.NETWORK, Code.OPERATION_ABORTED, uri, type));
    }

    #succeed({ data, bandwidth }: SegmentResponse): void {
        if (this.#isOver) {
            return;
        }
        this.#end();
        const [uri, originalRequest, , progress, headersReceived] = this.request;
        const bps = bandwidth || this.context.estimate();
        const timeMs = bps > 0 ? (data.byteLength * 8_000) / bps : performance.now() - this.#began;
        if (this.#loaded === 0) headersReceived({});
        // All bytes at once, in the time that the core has measured: Shaka's estimate is made of this.
        progress(timeMs, data.byteLength, 0);
        const status = originalRequest.headers["Range"] ? 206 : 200;
        this.#resolve({ uri, originalUri: uri, originalRequest, data, headers: {}, status, timeMs, fromCache: false });
    }

    #progress(bytes: number, total: number): void {
        const [, , , progress, headersReceived] = this.request;
        if (this.#isOver) {
            return;
        }
        if (this.#loaded === 0) headersReceived({});
        this.#heardAt = performance.now();
        this.#loaded += bytes;
        this.#left = Math.max(0, total - this.#loaded);
        progress(0, 0, this.#left);
    }

    #stayAlive(): void {
        const media = this.context.media();
        const isSilent = performance.now() - this.#heardAt > RESCUE_SILENCE_MS;
        if (media && isSilent && bufferAhead(media) < DRY_BUFFER_S) {
            this.context.core.abortSegmentLoading(this.segment.runtimeId, this.segment.sequence);
            this.#fallBack();
        } else {
            const [, , , progress] = this.request;
            progress(0, 0, this.#left);
        }
    }

    /** From now on it is as if the core had not taken it. */
    #fallBack(): void {
        if (!this.#isOver) {
            this.#end();
            givenUp.add(this.request[1]);
            this.#own = loadPlainly(this.context, this.request);
            this.#resolve(this.#own.promise);
        }
    }

    #end(): void {
        this.#isOver = true;
        clearInterval(this.#alive);
    }
}
