// hls.js's fragment loader: segments come through the core where it takes them, else through
// hls.js's own loader, as if we were not there.

import type Hls from "hls.js";
import type {
    FragmentLoaderConstructor,
    FragmentLoaderContext,
    HlsConfig,
    Loader,
    LoaderCallbacks,
    LoaderConfiguration,
    LoaderStats,
} from "hls.js";
import type { Core } from "./core.js";
import { runtimeIdOf } from "./hlsjs-streams.js";
import { bufferAhead } from "./stats.js";
import type { SegmentResponse } from "./types.js";

/** What hls.js should take for the time to the first byte; p2p-media-loader 2.3.1 says the same. */
const FIRST_BYTE_MS = 10;

/** How often a waiting loader looks whether the player runs dry. */
const RESCUE_CHECK_MS = 1_000;

/**
 * A player that has run dry while not one byte came for so long gets its segment by hls.js's own
 * loader. The engine turns to HTTP long before; this holds should it ever be wrong.
 */
const RESCUE_SILENCE_MS = 5_000;

/** Seconds of buffer below which a player counts as dry. */
const DRY_BUFFER_S = 0.5;

/** A loader class for hls.js's option `fLoader`. */
export function fragmentLoaderClass(core: Core, hls: () => Hls | undefined): FragmentLoaderConstructor {
    return class implements Loader<FragmentLoaderContext> {
        context!: FragmentLoaderContext;
        stats: LoaderStats = newStats();
        /** Whether the core is to bring it. */
        #isAsked = false;
        #own: Loader<FragmentLoaderContext> | undefined;
        #callbacks: LoaderCallbacks<FragmentLoaderContext> | undefined;
        #loaderConfig: LoaderConfiguration | undefined;
        #rescue: ReturnType<typeof setInterval> | undefined;
        #heardAt = 0;
        readonly #config: HlsConfig;

        constructor(config: HlsConfig) {
            this.#config = config;
        }

        load(
            context: FragmentLoaderContext,
            config: LoaderConfiguration,
            callbacks: LoaderCallbacks<FragmentLoaderContext>,
        ): void {
            this.context = context;
            this.#loaderConfig = config;
            this.#callbacks = callbacks;
            if (!this.#loadByCore()) {
                this.#loadByOwn();
            }
        }

        abort(): void {
            if (this.#own) {
                return this.#own.abort();
            }
            const aborted = this.#isAsked;
            this.#leaveCore();
            this.stats.aborted = true;
            if (aborted) this.#callbacks?.onAbort?.(this.stats, this.context, null);
        }

        destroy(): void {
            this.#own?.destroy();
            this.#leaveCore();
            this.#callbacks = undefined;
        }

        getCacheAge(): number | null {
            return this.#own?.getCacheAge?.() ?? null;
        }

        getResponseHeader(name: string): string | null {
            return this.#own?.getResponseHeader?.(name) ?? null;
        }

        /** False when the core does not take it: initialisation, parts, tests of bandwidth, subtitles, unknown. */
        #loadByCore(): boolean {
            const { frag, part } = this.context;
            if (part || frag.sn === "initSegment" || frag.bitrateTest || frag.type === "subtitle") {
                return false;
            }
            this.#isAsked = true;
            this.#heardAt = this.stats.loading.start = performance.now();
            const taken = core.loadSegment(
                runtimeIdOf(frag),
                {
                    // hls.js does not expect an answer from within `load`.
                    onSuccess: (response) => queueMicrotask(() => this.#succeed(response)),
                    onError: () => queueMicrotask(() => this.#fallBack()),
                    onProgress: (bytes, total) => this.#progress(bytes, total),
                },
                frag.sn,
            );
            if (taken) {
                this.#rescue = setInterval(() => this.#rescueIfDry(), RESCUE_CHECK_MS);
            }
            return taken;
        }

        #loadByOwn(): void {
            this.#isAsked = false;
            Object.assign(this.stats, newStats(), { retry: this.stats.retry });
            const callbacks = this.#callbacks;
            if (!callbacks || !this.#loaderConfig) {
                return;
            }
            const own = new this.#config.loader(this.#config) as Loader<FragmentLoaderContext>;
            this.#own = own;
            // hls.js watches the object that it got from us.
            own.stats = this.stats;
            own.load(this.context, this.#loaderConfig, {
                ...callbacks,
                onSuccess: (...args) => {
                    core.meter.bytes.http += this.stats.loaded;
                    callbacks.onSuccess(...args);
                },
            });
        }

        #fallBack(): void {
            if (this.#isAsked) {
                clearInterval(this.#rescue);
                this.#loadByOwn();
            }
        }

        #leaveCore(): void {
            clearInterval(this.#rescue);
            if (this.#isAsked) {
                const { frag } = this.context;
                core.abortSegmentLoading(runtimeIdOf(frag), Number(frag.sn));
            }
            this.#isAsked = false;
        }

        /**
         * Keeps the figures of a running load honest, so that hls.js can still give a level up that
         * comes too slowly; the time before the first byte was waited on purpose and does not count.
         */
        #progress(bytes: number, total: number): void {
            const { stats } = this;
            const { loading } = stats;
            this.#heardAt = performance.now();
            if (!loading.first) {
                loading.first = this.#heardAt;
                loading.start = Math.max(loading.start, this.#heardAt - FIRST_BYTE_MS);
            }
            stats.loaded += bytes;
            stats.total = total;
            stats.chunkCount++;
        }

        #succeed({ data, bandwidth }: SegmentResponse): void {
            if (!this.#isAsked) {
                return;
            }
            this.#isAsked = false;
            clearInterval(this.#rescue);
            const { stats, context } = this;
            const callbacks = this.#callbacks;
            stats.loaded = stats.total = data.byteLength;
            stats.loading = timing(stats.loading, data.byteLength, bandwidth || hls()?.bandwidthEstimate);
            callbacks?.onProgress?.(stats, context, data, null);
            callbacks?.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
        }

        #rescueIfDry(): void {
            const media = hls()?.media;
            const silent = performance.now() - this.#heardAt > RESCUE_SILENCE_MS;
            if (media && silent && bufferAhead(media) < DRY_BUFFER_S) {
                this.#leaveCore();
                this.#loadByOwn();
            }
        }
    };
}

/** Times from which hls.js computes the bandwidth that the engine measured. */
function timing(
    measured: LoaderStats["loading"],
    bytes: number,
    bandwidthBps: number | undefined,
): LoaderStats["loading"] {
    const end = performance.now();
    if (!bandwidthBps) {
        return { ...measured, first: measured.first || end, end };
    }
    const first = end - (bytes * 8 * 1000) / bandwidthBps;
    return { start: first - FIRST_BYTE_MS, first, end };
}

function newStats(): LoaderStats {
    return {
        aborted: false,
        loaded: 0,
        total: 0,
        retry: 0,
        chunkCount: 0,
        bwEstimate: 0,
        loading: { start: 0, first: 0, end: 0 },
        parsing: { start: 0, end: 0 },
        buffering: { start: 0, first: 0, end: 0 },
    };
}
