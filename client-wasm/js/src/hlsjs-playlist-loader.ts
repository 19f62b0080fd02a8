// hls.js's own playlist loader, overheard: the engine binds itself and places the live player.

import type Hls from "hls.js";
import type {
    HlsConfig,
    Loader,
    LoaderCallbacks,
    LoaderConfiguration,
    PlaylistLoaderConstructor,
    PlaylistLoaderContext,
    RetryConfig,
} from "hls.js";

/**
 * Seconds behind the live edge at which a player stays at most. p2p-media-loader does the same: nobody
 * is far from the others, and all have time to bring the newest segment and to outlast an outage.
 */
const LIVE_DELAY_S_MAX = 120;

/** hls.js's own default; never closer to the edge than that. */
const SYNC_COUNT_MIN = 3;

/** A failed reload of a live playlist is tried again for 11.5 s before hls.js, which gives up after 3 s, hears of it. */
const RELOADS_MAX = 5;
const RELOAD_DELAY_MS = 500;
const RELOAD_DELAY_MS_MAX = 4_000;
/** As long as so many seconds are left to play. */
const RELOAD_BUFFER_S_MIN = 1;

/** `bind` is called for each playlist loader that hls.js makes; it gives the hls.js instance. */
export function playlistLoaderClass(bind: () => Hls | undefined): PlaylistLoaderConstructor {
    // Playlists that were live when they were last read.
    const live = new Set<string>();
    return class {
        constructor(config: HlsConfig) {
            const hls = bind();
            // An object of hls.js's loader class takes the place of `this`, so that hls.js finds
            // all it may look for.
            const loader = new config.loader(config) as Loader<PlaylistLoaderContext>;
            const persist = (context: PlaylistLoaderContext) => !!hls && live.has(address(context));
            return overheard(loader, hls, persist, (context, data) => {
                const text = typeof data === "string" ? data : "";
                if (isLive(text)) live.add(address(context));
                else live.delete(address(context));
                if (hls && context.type === "level") place(hls, config, text);
            });
        }
    } as unknown as PlaylistLoaderConstructor;
}

/** Without the query, in which delivery directives and tokens change. */
function address({ url }: PlaylistLoaderContext): string {
    return url.split("?")[0] as string;
}

function isLive(playlist: string): boolean {
    return playlist.includes("#EXTINF:") && !playlist.includes("#EXT-X-ENDLIST");
}

function overheard(
    loader: Loader<PlaylistLoaderContext>,
    hls: Hls | undefined,
    isPersistent: (context: PlaylistLoaderContext) => boolean,
    hear: (context: PlaylistLoaderContext, data: unknown) => void,
): Loader<PlaylistLoaderContext> {
    const load = loader.load.bind(loader);
    loader.load = (
        context: PlaylistLoaderContext,
        config: LoaderConfiguration,
        callbacks: LoaderCallbacks<PlaylistLoaderContext>,
    ) => {
        load(context, hls && isPersistent(context) ? persistent(config, hls) : config, {
            ...callbacks,
            onSuccess(response, ...rest) {
                hear(context, response.data);
                callbacks.onSuccess(response, ...rest);
            },
        });
    };
    return loader;
}

/** An origin that fails for seconds is outlasted: the segments until then come from peers. */
function persistent(config: LoaderConfiguration, hls: Hls): LoaderConfiguration {
    const errorRetry: RetryConfig = {
        maxNumRetry: RELOADS_MAX,
        retryDelayMs: RELOAD_DELAY_MS,
        maxRetryDelayMs: RELOAD_DELAY_MS_MAX,
        shouldRetry: (_, count, isTimeout, response) =>
            !isTimeout &&
            count < RELOADS_MAX &&
            mayPass(response?.code ?? 0) &&
            (hls.mainForwardBufferInfo?.len ?? 0) > RELOAD_BUFFER_S_MIN,
    };
    return { ...config, loadPolicy: { ...config.loadPolicy, errorRetry } };
}

/** Whether a server that answers so, or not at all (0), may answer otherwise in a moment. */
function mayPass(status: number): boolean {
    return status === 0 || status === 408 || status === 429 || status >= 500;
}

/**
 * Sets the distance to the live edge before hls.js reads its first live playlist: from then on it
 * has chosen where to play. What the page has chosen stays.
 */
function place(hls: Hls, config: HlsConfig, playlist: string): void {
    const { liveSyncDuration, liveSyncDurationCount, liveMaxLatencyDurationCount } = hls.userConfig;
    const chosen = liveSyncDuration ?? liveSyncDurationCount ?? liveMaxLatencyDurationCount;
    const count = syncCount(playlist);
    if (chosen === undefined && count !== undefined) {
        config.liveSyncDurationCount = count;
    }
}

/** Segments between the live edge and the player; nothing for playlists that are not simply live. */
export function syncCount(playlist: string): number | undefined {
    const target = Number(/^#EXT-X-TARGETDURATION:(\d+)/m.exec(playlist)?.[1] ?? 0);
    // Partial segments mean low latency: such a stream says itself how far behind to stay.
    if (!target || /^#EXT-X-(ENDLIST|PART-INF)/m.test(playlist)) {
        return undefined;
    }
    const segments = playlist.match(/^#EXTINF:/gm)?.length ?? 0;
    const wanted = Math.max(SYNC_COUNT_MIN, Math.floor(LIVE_DELAY_S_MAX / target));
    // One segment from the playlist's end would be lost to a slow start.
    const within = Math.max(segments - 2, Math.min(SYNC_COUNT_MIN, segments - 1), 1);
    return Math.min(within, wanted);
}
