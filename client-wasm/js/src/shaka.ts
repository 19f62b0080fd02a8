// The engine for Shaka Player 4 and 5, HLS and DASH. It uses Shaka's public interfaces only: a scheme plugin, request and
// response filters, events. Names follow p2p-media-loader-shaka 2.2.

import type { HttpRequestSetup } from "./config.js";
import { Core } from "./core.js";
import { type LoaderContext, loadPlainly, loadSegment } from "./shaka-loader.js";
import { type Asked, type Document, Presentation } from "./shaka-presentation.js";
import { newReader } from "./shaka-reader.js";
import { mark, register, type Take, unregister } from "./shaka-scheme.js";
import { firstPicture } from "./shaka-start.js";
import type {
    DynamicShakaP2PEngineConfig,
    PartialShakaEngineConfig,
    Player,
    Request as ShakaRequest,
    RequestContext,
    RequestType,
    Response,
    Shaka,
    ShakaP2PEngineConfig,
} from "./shaka-types.js";
import type { Stats } from "./stats.js";
import type { ByteRange, CoreEventMap, Peer } from "./types.js";

export type { DynamicShakaP2PEngineConfig, PartialShakaEngineConfig, ShakaP2PEngineConfig } from "./shaka-types.js";

/** Media events after which the engine has to know anew where the player is. */
const MEDIA_EVENTS = ["timeupdate", "seeking", "ratechange", "play", "pause"] as const;

/** The longest index in the media that is looked at (`INDEX_BYTES_MAX` in core/playlist). */
const INDEX_BYTES_MAX = 4 * 1024 * 1024;

/** Manifests of preloaded presentations that are kept until one of these is played. */
const PRELOADED_MAX = 32;

/**
 * Lets a Shaka player share segments.
 *
 * ```js
 * ShakaP2PEngine.registerPlugins();
 * const engine = new ShakaP2PEngine({ core: { announceTrackers: ["wss://tracker.example"] } });
 * const player = new shaka.Player();
 * engine.bindShakaPlayer(player);
 * await player.attach(video);
 * await player.load("https://origin.example/live.mpd");
 * ```
 */
export class ShakaP2PEngine {
    readonly #shaka: Shaka;
    readonly #core: Core;
    readonly #readerUrl: string | undefined;
    #player: Player | undefined;
    #media: HTMLMediaElement | null = null;
    #presentation: Presentation | undefined;
    #preloaded: Document[] = [];
    /** How the page's filters want segments to be asked for: the core's requests do as the last one that they have seen. */
    #manner: RequestInit | undefined;
    #hasWarned = false;

    /** Lets engines have the requests of their players. To be called before a player loads something. */
    static registerPlugins(shaka = globalShaka()): void {
        register(known(shaka));
    }

    /** Gives all requests back to Shaka. */
    static unregisterPlugins(shaka = globalShaka()): void {
        unregister(known(shaka));
    }

    constructor(config: PartialShakaEngineConfig = {}, shaka = globalShaka()) {
        this.#shaka = known(shaka);
        const mayShare = config.core?.consent ?? (() => true);
        const consent = async () => {
            await firstPicture(this.#player?.getMediaElement());
            return mayShare();
        };
        this.#core = new Core({ httpRequestSetup: this.#setup, ...config.core, consent });
        this.#readerUrl = config.playlistWasmUrl;
        // So that it is there when the first manifest comes.
        void newReader(this.#readerUrl).then((reader) => reader.close(), () => undefined);
    }

    addEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#core.addEventListener(name, listener);
    }

    removeEventListener<K extends keyof CoreEventMap>(name: K, listener: CoreEventMap[K]): void {
        this.#core.removeEventListener(name, listener);
    }

    /** Follows a player, before it loads something. */
    bindShakaPlayer(player: Player): void {
        if (this.#player === player) {
            return;
        }
        if (this.#player) this.destroy();
        this.#player = player;
        configure(player);
        const net = player.getNetworkingEngine();
        net?.registerRequestFilter(this.#requested);
        net?.registerResponseFilter(this.#responded);
        player.addEventListener("loading", this.#loading);
        player.addEventListener("unloading", this.#unloading);
    }

    /** The same, by the name that it had in p2p-media-loader 0.6 to 1.0. */
    configureAndInitShakaPlayer(player: Player): void {
        this.bindShakaPlayer(player);
    }

    /** A copy of all settings. */
    getConfig(): ShakaP2PEngineConfig {
        return { core: this.#core.getConfig() };
    }

    /** Changes settings while playing. */
    applyDynamicConfig(config: DynamicShakaP2PEngineConfig): void {
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

    /** Leaves all swarms and lets go of the player. Playback goes on over HTTP. */
    destroy(): void {
        const player = this.#player;
        this.#player = undefined;
        this.#unloading();
        this.#preloaded = [];
        const net = player?.getNetworkingEngine();
        net?.unregisterRequestFilter(this.#requested);
        net?.unregisterResponseFilter(this.#responded);
        player?.removeEventListener("loading", this.#loading);
        player?.removeEventListener("unloading", this.#unloading);
    }

    readonly #loading = (): void => {
        this.#unloading();
        this.#adopt();
    };

    /** A preloaded presentation is played: its manifests have come before. */
    #adopt(): void {
        const address = this.#player?.getAssetUri();
        const isIts = ({ requestedUrl }: Document) => Boolean(address) && requestedUrl === addressOf(address ?? "");
        if (this.#preloaded.some(isIts)) {
            // The manifest first: the rest may be playlists of it.
            const kept = [...this.#preloaded].sort((a, b) => Number(isIts(b)) - Number(isIts(a)));
            this.#preloaded = [];
            for (const document of kept) this.#loaded().manifest(document);
        }
    }

    readonly #unloading = (): void => {
        this.#attach(null);
        this.#presentation?.close();
        this.#presentation = undefined;
        this.#core.destroy();
    };

    /** The presentation that is being loaded or played. */
    #loaded(): Presentation {
        return (this.#presentation ??= new Presentation(this.#core, this.#newReader()));
    }

    async #newReader() {
        try {
            return await newReader(this.#readerUrl);
        } catch (reason) {
            // Where the engine's module is missing too the core has said so.
            const isSaid = this.#hasWarned || this.#core.getStats().state === "failed";
            if (!isSaid) console.warn("beekeepr: manifests cannot be read; playing over HTTP alone", reason);
            this.#hasWarned = true;
            return undefined;
        }
    }

    /** Segments are marked for us; everything else is not looked at. */
    readonly #requested = (type: RequestType, request: ShakaRequest, context?: RequestContext): void => {
        if (type === this.#shaka.net.NetworkingEngine.RequestType.SEGMENT) {
            mark(request, context ?? {}, this.#take);
        }
    };

    readonly #take: Take = (context, ...request) => {
        this.#attach(this.#player?.getMediaElement() ?? null);
        const [, { method, headers, allowCrossSiteCredentials }] = request;
        this.#manner = mannerOf(headers, allowCrossSiteCredentials);
        const asked = method === "GET" && !context.isPreload ? askedFor(context, request[0], headers) : undefined;
        if (!this.#presentation) this.#adopt();
        const segment = asked && this.#presentation?.find(asked);
        return (segment && loadSegment(this.#loader(), segment, request)) ?? loadPlainly(this.#loader(), request);
    };

    /** The core's own requests, unless the page sets them up itself. */
    readonly #setup: HttpRequestSetup = async (url, _, signal, range) => {
        if (!this.#manner) {
            return undefined;
        }
        const headers = new Headers(this.#manner.headers);
        if (range) headers.set("Range", `bytes=${range.start}-${range.end ?? ""}`);
        return new Request(url, { ...this.#manner, headers, signal });
    };

    #loader(): LoaderContext {
        return {
            shaka: this.#shaka,
            core: this.#core,
            media: () => this.#media,
            estimate: () => this.#player?.getStats().estimatedBandwidth || 0,
        };
    }

    /** Overhears manifests, indexes and the time. */
    readonly #responded = (type: RequestType, response: Response, context?: RequestContext): void => {
        const { MANIFEST, SEGMENT, TIMING } = this.#shaka.net.NetworkingEngine.RequestType;
        if (type === MANIFEST && context?.isPreload) {
            this.#preloaded = [...this.#preloaded, documentOf(response)].slice(-PRELOADED_MAX);
        } else if (type === MANIFEST) {
            this.#loaded().manifest(documentOf(response));
        } else if (type === TIMING) {
            this.#presentation?.clock(timeOf(response), Date.now());
        } else if (type === SEGMENT && !context?.segment && response.data.byteLength <= INDEX_BYTES_MAX) {
            this.#presentation?.index(documentOf(response));
        }
    };

    #attach(media: HTMLMediaElement | null): void {
        if (this.#media === media) {
            return;
        }
        for (const name of MEDIA_EVENTS) {
            this.#media?.removeEventListener(name, this.#played);
            media?.addEventListener(name, this.#played);
        }
        this.#media = media;
        this.#core.meter.watch(media);
    }

    readonly #played = (): void => {
        const media = this.#media;
        // Before there is media the playhead stands at 0, far from where a live stream will begin.
        if (media && media.readyState > 0) this.#core.updatePlayback(media.currentTime, media.paused ? 0 : media.playbackRate);
    };
}

/** Settings without which nothing can be shared, unless the page has chosen. */
function configure(player: Player): void {
    const { streaming } = player.getConfiguration();
    // What the browser plays by itself never passes through here.
    for (const name of ["useNativeHlsOnSafari", "preferNativeHls"]) {
        if (name in streaming) player.configure(`streaming.${name}`, false);
    }
}

/** Headers beside the range, and cookies; nothing when there is nothing special. */
function mannerOf({ Range: _, ...headers }: Record<string, string>, withCookies: boolean): RequestInit | undefined {
    const isPlain = Object.keys(headers).length === 0 && !withCookies;
    return isPlain ? undefined : { headers, credentials: withCookies ? "include" : "same-origin" };
}

/** What Shaka asks for; nothing for what is not shared: initialisations, parts, parts of files without an end. */
function askedFor(context: RequestContext, uri: string, headers: Record<string, string>): Asked | undefined {
    const { segment, stream, type } = context;
    const isShared = stream === undefined || stream.type === "video" || stream.type === "audio";
    if (!isShared || segment?.isPartial() || (type !== undefined && type !== MEDIA_SEGMENT)) {
        return undefined;
    }
    const range = rangeOf(headers["Range"]);
    if (headers["Range"] && !range) {
        return undefined;
    }
    // Filters of the page may have changed the address of this request.
    const urls = [...new Set([...(segment?.getUris() ?? []), uri].map(addressOf))];
    return { urls, range, startTime: segment?.getStartTime(), stream, streamName: stream?.originalId };
}

/** `AdvancedRequestType.MEDIA_SEGMENT` of Shaka 4.3 to 5. */
const MEDIA_SEGMENT = 1;

/** Bytes `start-end`; nothing for all or for an open end. */
function rangeOf(header: string | undefined): ByteRange | undefined {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(header ?? "") ?? [];
    return start && end ? { start: Number(start), end: Number(end) } : undefined;
}

function documentOf({ data, uri, originalUri, originalRequest }: Response): Document {
    const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
    return {
        bytes: bytes.slice(),
        url: addressOf(uri),
        requestedUrl: addressOf(originalUri || uri),
        writtenUrl: absolute(originalUri || uri),
        range: rangeOf(originalRequest?.headers["Range"]),
        receivedMs: Date.now(),
    };
}

/** What a time server says: in the body, or in its Date header. */
function timeOf({ data, headers }: Response): number {
    const text = new TextDecoder().decode(data).trim();
    return Date.parse(text || headers["date"] || "");
}

/** As it is written, save for addresses that lean on the page's: Shaka makes `http:/live.mpd` of `/live.mpd`. */
function absolute(uri: string): string {
    return /^https?:\/\//i.test(uri) ? uri : addressOf(uri);
}

/** As the reader writes addresses. */
function addressOf(uri: string): string {
    try {
        return new URL(uri, location.href).href;
    } catch {
        return uri;
    }
}

function globalShaka(): Shaka | undefined {
    return (globalThis as { shaka?: Shaka }).shaka;
}

function known(shaka: Shaka | undefined): Shaka {
    if (!shaka) {
        throw new Error("no Shaka Player found: load it before, or pass it as an argument");
    }
    return shaka;
}
