// The page's settings: p2p-media-loader's keys by name, Beekeepr's defaults.

import type { ByteRange, StreamType } from "./types.js";
import settings from "./settings.json";

/** Settings of one kind of stream. */
export interface StreamConfig {
    /** Give nothing to peers. */
    isP2PUploadDisabled: boolean;
    /** Load nothing through the engine; the player's own loader does it all. */
    isP2PDisabled: boolean;
    /**
     * A segment whose playback begins within so many seconds is fetched over HTTP unless a peer delivers
     * it in time. It begins earlier by itself where HTTP was measured to be slow.
     */
    highDemandTimeWindow: number;
    /** So many seconds ahead of the playhead, segments are fetched over HTTP for the swarm. */
    httpDownloadTimeWindow: number;
    /** So many seconds ahead of the playhead, segments are asked of peers. */
    p2pDownloadTimeWindow: number;
    /** How long the very first segment is left to peers before HTTP is asked. */
    httpDownloadInitialTimeoutMs: number;
    /** HTTP requests at a time. */
    simultaneousHttpDownloads: number;
    /** Segments asked of peers at a time. */
    simultaneousP2PDownloads: number;
    /** Segments sent to peers at a time. */
    simultaneousP2PUploads: number;
    /** Kilobits per second to all peers together; 0 for no limit. */
    p2pUploadRateLimit: number;
    /** Bytes in the largest command message. */
    webRtcMaxMessageSize: number;
    /** A peer that is silent for so long while it should send has failed. */
    p2pNotReceivingBytesTimeoutMs: number;
    /** How long a swarm is kept after its stream was last used. */
    p2pInactiveLoaderDestroyTimeoutMs: number;
    /** An HTTP response that is silent for so long has failed. */
    httpNotReceivingBytesTimeoutMs: number;
    /** Failures after which a segment is left to the player's own loader. */
    httpErrorRetries: number;
    /** Failures after which a peer is left. */
    p2pErrorRetries: number;
    /** Most peers in one swarm. */
    p2pMaxPeers: number;
    /** Offers in one announce. */
    webRtcOffersCount: number;
    /** WebSocket URLs of the trackers. None by default: this is a private network. */
    announceTrackers: string[];
    /** For RTCPeerConnection. No STUN server by default: none of a third party learns of the viewers. */
    rtcConfig: RTCConfiguration;
    /** The stream's name for all its viewers; by default the manifest's URL without its query. */
    swarmId?: string;
    /** Parameters of the manifest's query that belong to that default, as they tell one stream from another. */
    swarmIdParameters: string[];
    /** Says whether a segment that came from peers is right. */
    validateP2PSegment?: SegmentValidator;
    /** Says whether a segment that came from the origin is right. */
    validateHTTPSegment?: SegmentValidator;
    /** Makes the HTTP request for a segment, e.g. to add a header; nothing for the ordinary one. */
    httpRequestSetup?: HttpRequestSetup;
}

/** Gets a copy of the bytes. */
export type SegmentValidator = (
    url: string,
    byteRange: ByteRange | undefined,
    data: ArrayBuffer,
) => Promise<boolean>;

/** `requestByteRange` is what the request has to ask for, `end` included. */
export type HttpRequestSetup = (
    segmentUrl: string,
    segmentByteRange: ByteRange | undefined,
    requestAbortSignal: AbortSignal,
    requestByteRange: { start: number; end?: number } | undefined,
) => Promise<Request | undefined | null>;

/** Settings that all streams share. */
export interface CommonCoreConfig {
    /** MiB of segments to keep for others. */
    segmentMemoryStorageLimit: number | undefined;
    /** Where the WebAssembly module is; by default beside the script. */
    wasmUrl?: string;
}

/**
 * What a page may set. The engine serves all streams with one set of numbers, those of the main
 * stream; `secondaryStream` differs in `isP2PDisabled`, `swarmId` and the functions.
 */
export type CoreConfig = Partial<StreamConfig> &
    Partial<CommonCoreConfig> & {
        mainStream?: Partial<StreamConfig>;
        secondaryStream?: Partial<StreamConfig>;
    };

/** Every setting with its value. */
export type DefinedCoreConfig = CommonCoreConfig & {
    mainStream: StreamConfig;
    secondaryStream: StreamConfig;
};

/** Settings that cannot change while running. */
type FixedKey = "announceTrackers" | "rtcConfig" | "swarmId" | "swarmIdParameters";

/** What may change while running. */
export type DynamicCoreConfig = Partial<Omit<StreamConfig, FixedKey>> &
    Partial<Pick<CommonCoreConfig, "segmentMemoryStorageLimit">> & {
        mainStream?: Partial<Omit<StreamConfig, FixedKey>>;
        secondaryStream?: Partial<Omit<StreamConfig, FixedKey>>;
    };

const FIXED: readonly string[] = ["announceTrackers", "rtcConfig", "swarmId", "swarmIdParameters", "wasmUrl"];
const COMMON: readonly string[] = ["segmentMemoryStorageLimit", "wasmUrl"];

/** The settings of a running core. */
export class Settings {
    readonly #config: DefinedCoreConfig;

    constructor(page: CoreConfig = {}) {
        const storage = settings.find(({ name }) => name === "segmentMemoryStorageLimit");
        this.#config = {
            segmentMemoryStorageLimit: storage?.default,
            mainStream: streamDefaults(),
            secondaryStream: streamDefaults(),
        };
        this.#merge(page, []);
    }

    /** Of one kind of stream. */
    of(type: StreamType): StreamConfig {
        return type === "main" ? this.#config.mainStream : this.#config.secondaryStream;
    }

    /** Where the WebAssembly module is, if the page said so. */
    get wasmUrl(): string | undefined {
        return this.#config.wasmUrl;
    }

    /** A copy of everything. */
    copy(): DefinedCoreConfig {
        const { mainStream, secondaryStream, ...common } = this.#config;
        const copyOf = (config: StreamConfig) => ({
            ...config,
            announceTrackers: [...config.announceTrackers],
            swarmIdParameters: [...config.swarmIdParameters],
            rtcConfig: { ...config.rtcConfig },
        });
        return { ...common, mainStream: copyOf(mainStream), secondaryStream: copyOf(secondaryStream) };
    }

    /** Takes what may change while running, leaves the rest alone. */
    change(page: DynamicCoreConfig): void {
        this.#merge(page, FIXED);
    }

    /** The engine's numbers, in the order of `settings.json`. */
    numbers(): Float64Array {
        const { mainStream: main, secondaryStream: secondary } = this.#config;
        const special: Record<string, number> = {
            isP2PDisabled: Number(main.isP2PDisabled && secondary.isP2PDisabled),
            validateP2PSegment: Number(Boolean(main.validateP2PSegment ?? secondary.validateP2PSegment)),
            segmentMemoryStorageLimit: this.#config.segmentMemoryStorageLimit ?? Number.NaN,
            announceTrackers: main.announceTrackers.length,
        };
        const value = (name: string) => special[name] ?? Number(main[name as keyof StreamConfig]);
        return Float64Array.from(settings, ({ name, unit }) => value(name) * unit);
    }

    /** What is for all streams comes first, what is for one kind overrides it. */
    #merge({ mainStream, secondaryStream, ...page }: CoreConfig, refused: readonly string[]): void {
        const common = pick(page, (key) => COMMON.includes(key) && !refused.includes(key));
        const stream = pick(page, (key) => !COMMON.includes(key) && !refused.includes(key));
        Object.assign(this.#config, common);
        const allowed = (key: string) => !refused.includes(key);
        Object.assign(this.#config.mainStream, stream, pick(mainStream ?? {}, allowed));
        Object.assign(this.#config.secondaryStream, stream, pick(secondaryStream ?? {}, allowed));
    }
}

function streamDefaults(): StreamConfig {
    const numbers = settings.map(({ name, default: value }) => [name, value] as const);
    const { segmentMemoryStorageLimit: _, validateP2PSegment: __, ...rest } = Object.fromEntries(numbers);
    return {
        ...(rest as unknown as StreamConfig),
        isP2PDisabled: false,
        isP2PUploadDisabled: false,
        announceTrackers: [],
        swarmIdParameters: [],
        rtcConfig: { iceServers: [] },
    };
}

/** The entries that have a value and are wanted. */
function pick(from: object, wanted: (key: string) => boolean): object {
    return Object.fromEntries(
        Object.entries(from).filter(([key, value]) => value !== undefined && wanted(key)),
    );
}
