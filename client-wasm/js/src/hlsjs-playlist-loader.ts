// hls.js's own playlist loader, overheard: the engine binds itself and places the live player.

import type Hls from "hls.js";
import type {
    HlsConfig,
    Loader,
    LoaderCallbacks,
    LoaderConfiguration,
    PlaylistLoaderConstructor,
    PlaylistLoaderContext,
} from "hls.js";

/**
 * Seconds behind the live edge at which a player should stay: the time that the swarm has to bring
 * the newest segment before it must come over HTTP. hls.js alone stays 3 segments behind.
 */
const LIVE_DELAY_S = 10;

/** hls.js's own default; never closer to the edge than that. */
const SYNC_COUNT_MIN = 3;

/** `bind` is called for each playlist loader that hls.js makes; it gives the hls.js instance. */
export function playlistLoaderClass(bind: () => Hls | undefined): PlaylistLoaderConstructor {
    return class {
        constructor(config: HlsConfig) {
            const hls = bind();
            // An object of hls.js's loader class takes the place of `this`, so that hls.js finds
            // all it may look for.
            return overheard(new config.loader(config) as Loader<PlaylistLoaderContext>, (context, data) => {
                const text = typeof data === "string" ? data : "";
                if (hls && context.type === "level") place(hls, config, text);
            });
        }
    } as unknown as PlaylistLoaderConstructor;
}

function overheard(
    loader: Loader<PlaylistLoaderContext>,
    hear: (context: PlaylistLoaderContext, data: unknown) => void,
): Loader<PlaylistLoaderContext> {
    const load = loader.load.bind(loader);
    loader.load = (
        context: PlaylistLoaderContext,
        config: LoaderConfiguration,
        callbacks: LoaderCallbacks<PlaylistLoaderContext>,
    ) => {
        load(context, config, {
            ...callbacks,
            onSuccess(response, ...rest) {
                hear(context, response.data);
                callbacks.onSuccess(response, ...rest);
            },
        });
    };
    return loader;
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
    const wanted = Math.max(SYNC_COUNT_MIN, Math.ceil(LIVE_DELAY_S / target));
    return Math.max(1, Math.min(segments - 1, wanted));
}
