// The engine for hls.js. It uses hls.js's public options (fLoader, pLoader) and events only.

import type Hls from "hls.js";
import type {
    AudioTrackUpdatedData,
    FragmentLoaderConstructor,
    HlsConfig,
    LevelUpdatedData,
    ManifestLoadedData,
    PlaylistLoaderConstructor,
} from "hls.js";
import type { CoreConfig, DefinedCoreConfig, DynamicCoreConfig } from "./config.js";
import { Core } from "./core.js";
import { fragmentLoaderClass } from "./hlsjs-fragment-loader.js";
import { playlistLoaderClass } from "./hlsjs-playlist-loader.js";
import { listFragments, streamsOf } from "./hlsjs-streams.js";
import type { Stats } from "./stats.js";
import type { CoreEventMap, Peer } from "./types.js";

/** All settings. */
export interface HlsJsP2PEngineConfig {
    core: DefinedCoreConfig;
}

/** What a page may set. */
export interface PartialHlsJsP2PEngineConfig {
    core?: CoreConfig;
}

/** What a page may change while playing. */
export interface DynamicHlsJsP2PEngineConfig {
    core?: DynamicCoreConfig;
}

/** An instance of a class that {@link HlsJsP2PEngine.injectMixin} made. */
export type HlsWithP2PInstance<H> = H & { readonly p2pEngine: HlsJsP2PEngine };

/** Options of a class that {@link HlsJsP2PEngine.injectMixin} made. */
export type HlsWithP2PConfig<H> = Partial<HlsConfig> & {
    p2p?: PartialHlsJsP2PEngineConfig & { onHlsJsCreated?: (hls: HlsWithP2PInstance<H>) => void };
};

type AnyHls = new (config?: Partial<HlsConfig>) => Hls;

/** Media events after which the engine has to know anew where the player is. */
const MEDIA_EVENTS = ["timeupdate", "seeking", "ratechange", "play", "pause"];

/**
 * Lets an hls.js player share segments.
 *
 * ```js
 * const engine = new HlsJsP2PEngine({ core: { announceTrackers: ["wss://tracker.example"] } });
 * const hls = new Hls({ ...engine.getConfigForHlsJs() });
 * engine.bindHls(hls);
 * ```
 */
export class HlsJsP2PEngine {
    readonly #core: Core;
    #getHls: () => Hls | undefined = () => undefined;
    #hls: Hls | undefined;
    /** Ends the listening to the media element. */
    #following = new AbortController();

    /** A subclass of hls.js's class whose option `p2p` configures an engine for each instance. */
    static injectMixin<H extends typeof Hls>(
        HlsClass: H,
    ): (new (config?: HlsWithP2PConfig<InstanceType<H>>) => HlsWithP2PInstance<InstanceType<H>>) & H {
        class HlsWithP2P extends (HlsClass as unknown as AnyHls) {
            readonly p2pEngine: HlsJsP2PEngine;

            constructor(config: HlsWithP2PConfig<InstanceType<H>> = {}) {
                const { p2p, ...hlsConfig } = config;
                const engine = new HlsJsP2PEngine(p2p);
                super({ ...hlsConfig, ...engine.getConfigForHlsJs() });
                this.p2pEngine = engine;
                engine.bindHls(this);
                p2p?.onHlsJsCreated?.(this as unknown as HlsWithP2PInstance<InstanceType<H>>);
            }
        }
        return HlsWithP2P as never;
    }

    constructor(config: PartialHlsJsP2PEngineConfig = {}) {
        this.#core = new Core(config.core);
    }

    addEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#core.addEventListener(name, listener);
    }

    removeEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#core.removeEventListener(name, listener);
    }

    /** The two loader classes, to be spread into hls.js's options. */
    getConfigForHlsJs(): { fLoader: FragmentLoaderConstructor; pLoader: PlaylistLoaderConstructor } {
        return {
            fLoader: fragmentLoaderClass(this.#core, () => this.#hls),
            pLoader: playlistLoaderClass(() => this.#bound()),
        };
    }

    /** A copy of all settings. */
    getConfig(): HlsJsP2PEngineConfig {
        return { core: this.#core.getConfig() };
    }

    /** Changes settings while playing. */
    applyDynamicConfig(config: DynamicHlsJsP2PEngineConfig): void {
        if (config.core) this.#core.applyDynamicConfig(config.core);
    }

    /** How sharing goes: bytes by source, peers, stalls, buffer. */
    getStats(): Stats {
        return this.#core.getStats();
    }

    /** The connected peers. */
    getPeers(): Peer[] {
        return this.#core.getPeers();
    }

    /** Names the hls.js instance, or a function that gives it once it exists. */
    bindHls<T = unknown>(hls: T | (() => T)): void {
        this.#getHls = (typeof hls === "function" ? hls : () => hls) as () => Hls | undefined;
    }

    /** Leaves all swarms and lets go of hls.js. Playback goes on over HTTP. */
    readonly destroy = (): void => {
        this.#core.destroy();
        this.#listen("off");
        this.#detach();
        this.#hls = undefined;
    };

    /** The hls.js instance, listened to since it made its first playlist loader. */
    #bound(): Hls | undefined {
        const hls = this.#getHls();
        if (hls !== this.#hls) {
            if (this.#hls) this.destroy();
            this.#hls = hls;
            this.#listen("on");
            this.#attach();
        }
        return hls;
    }

    /** hls.js events that are heard, by their names, so that hls.js itself need not be imported. */
    readonly #heard: Record<string, (name: string, data: never) => void> = {
        ManifestLoading: () => this.#core.destroy(),
        ManifestLoaded: (_, data: ManifestLoadedData) => {
            this.#core.setManifestResponseUrl(responseUrl(data), this.#hls?.url ?? undefined);
            for (const stream of streamsOf(data)) this.#core.addStreamIfNoneExists(stream);
        },
        LevelUpdated: (_, { details, level }: LevelUpdatedData) =>
            listFragments(this.#core, details, this.#hls?.levels[level]?.url),
        AudioTrackUpdated: (_, { details, id }: AudioTrackUpdatedData) =>
            listFragments(this.#core, details, this.#hls?.audioTracks[id]?.url),
        MediaAttached: () => this.#attach(),
        MediaDetaching: () => this.#detach(),
        Destroying: () => this.destroy(),
    };

    #listen(method: "on" | "off"): void {
        const hls = this.#hls as unknown as Record<"on" | "off", (name: string, f: object) => void> | undefined;
        for (const [name, heard] of Object.entries(this.#heard)) hls?.[method](`hls${name}`, heard);
    }

    #attach(): void {
        this.#detach();
        const media = this.#hls?.media;
        const { signal } = (this.#following = new AbortController());
        this.#core.meter.watch(media);
        // Before there is media the playhead stands at 0, far from where a live stream will begin.
        const played = () =>
            media?.readyState && this.#core.updatePlayback(media.currentTime, media.paused ? 0 : media.playbackRate);
        for (const name of MEDIA_EVENTS) media?.addEventListener(name, played, { signal });
    }

    #detach(): void {
        this.#following.abort();
        this.#core.meter.watch();
    }
}

/** After redirects, where the loader tells. */
function responseUrl({ networkDetails, url }: ManifestLoadedData): string {
    const { responseURL, url: responded } = (networkDetails ?? {}) as Partial<XMLHttpRequest & Response>;
    return responseURL || responded || url;
}
