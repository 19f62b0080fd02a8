// The page's settings: p2p-media-loader's keys by name, Beekeepr's defaults.

import type { SwarmIdBuilder } from "./generations.js";
import type { Generation } from "./identity.js";
import { faultOf, NUMBERS } from "./options.js";
import type { SegmentStorage } from "./page-storage.js";
import type { TokenSource } from "./tokens.js";
import type { ByteRange, StreamType } from "./types.js";

/**
 * Where viewers meet when the page names no tracker: the public ones of p2p-media-loader 2.3, so that no
 * server is needed. `announceTrackers: []` turns them off.
 */
export const PUBLIC_TRACKERS = ["wss://tracker.novage.com.ua", "wss://tracker.openwebtorrent.com"];

/**
 * Who tells viewers their public addresses when the page names no STUN server: as p2p-media-loader 2.3.
 * `rtcConfig: { iceServers: [] }` turns them off.
 */
export const PUBLIC_STUN = ["stun:stun.l.google.com:19302", "stun:global.stun.twilio.com:3478"];

/** How the peer ids of this client begin: `BK`, version 00.01 (`PEER_ID_PREFIX_VIEWER` in core/model). */
const PEER_ID_PREFIX = "-BK0001-";

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
    /** An HTTP request without a response for so long has failed; 0 for no limit of its own. */
    httpFirstByteTimeoutMs: number;
    /** Failures after which a segment is left to the player's own loader. */
    httpErrorRetries: number;
    /** Failures after which a peer is left. */
    p2pErrorRetries: number;
    /** Most peers in one swarm. */
    p2pMaxPeers: number;
    /** When there are as many, a newcomer takes the place of a peer with whom nothing was exchanged for so long. */
    p2pChurnGracePeriodMs: number;
    /** Offers in one announce. */
    webRtcOffersCount: number;
    /** WebSocket URLs of the trackers; by default public ones. */
    announceTrackers: string[];
    /** For RTCPeerConnection; by default with public STUN servers. */
    rtcConfig: RTCConfiguration;
    /** How our peer ids begin, at most 20 characters. */
    trackerClientVersionPrefix: string;
    /** The stream's name for all its viewers; by default the manifest's URL without its query. */
    swarmId?: string;
    /**
     * Which clients to meet: those of p2p-media-loader 2.3 to 4.x ("v2", the default), 1.x to 2.2 ("v2_index"),
     * 5.x ("v3"), or all at the cost of two more announces ("auto").
     */
    generation: Generation | "auto";
    /** Names a stream's swarm in another way than by default; nothing for the default. As in p2p-media-loader 4 and 5. */
    streamSwarmIdBuilder?: SwarmIdBuilder;
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
    /** Makes a storage of the page's own, which keeps what has loaded. */
    customSegmentStorageFactory?: ((isLive: boolean) => SegmentStorage) | undefined;
    /**
     * Whom to share with: everybody ("mesh"), only the operator's super-peers, so that no viewer learns of
     * another ("super-peer-only"), or nobody ("off").
     */
    mode: "mesh" | "super-peer-only" | "off";
    /** Viewers in a swarm below which none is met. */
    minViewers: number;
    /** Asked once before anything is said to a tracker or a peer; no until it says yes. */
    consent?: (() => boolean | Promise<boolean>) | undefined;
    /** Give to peers also over cellular networks and where the user saves data. */
    isP2PUploadAllowedOnMetered: boolean;
    /** Give to peers also while nobody sees the page. */
    isP2PUploadAllowedWhenHidden: boolean;
    /** MiB given to peers after which no more is; 0 for no limit. */
    p2pUploadLimit: number;
    /** The token for the trackers (a JWT), or who gives one, asked again before it runs out. */
    token?: TokenSource | undefined;
    /** Where the WebAssembly module is; by default beside the script. */
    wasmUrl?: string | undefined;
}

/** What a page may set: for all streams, and what differs for one kind of them. */
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
type FixedKey =
    | "announceTrackers" | "generation" | "rtcConfig" | "swarmId" | "streamSwarmIdBuilder" | "swarmIdParameters"
    | "trackerClientVersionPrefix";

/** Settings for all streams that may change while running. */
type DynamicCommonKey =
    | "segmentMemoryStorageLimit" | "mode" | "minViewers" | "isP2PUploadAllowedOnMetered"
    | "isP2PUploadAllowedWhenHidden" | "p2pUploadLimit";

/** What may change while running. */
export type DynamicCoreConfig = Partial<Omit<StreamConfig, FixedKey>> &
    Partial<Pick<CommonCoreConfig, DynamicCommonKey>> & {
        mainStream?: Partial<Omit<StreamConfig, FixedKey>>;
        secondaryStream?: Partial<Omit<StreamConfig, FixedKey>>;
    };

const FIXED: readonly string[] = [
    "announceTrackers", "generation", "rtcConfig", "swarmId", "streamSwarmIdBuilder", "swarmIdParameters",
    "trackerClientVersionPrefix", "wasmUrl", "customSegmentStorageFactory", "consent", "token",
];

/** What all streams share. The last four have no value unless the page gives one. */
const COMMON = {
    segmentMemoryStorageLimit: 512,
    mode: "mesh",
    minViewers: 0,
    isP2PUploadAllowedOnMetered: false,
    isP2PUploadAllowedWhenHidden: true,
    p2pUploadLimit: 0,
    wasmUrl: undefined,
    customSegmentStorageFactory: undefined,
    consent: undefined,
    token: undefined,
} as const;

/** What page, user and machine allow now. */
export interface Allowed {
    /** Meeting peers at all. */
    sharing: boolean;
    /** Giving them something. */
    uploads: boolean;
}

/** The settings of a running core. */
export class Settings {
    readonly #config: DefinedCoreConfig;

    constructor(page: CoreConfig = {}) {
        this.#config = { ...COMMON, mainStream: streamDefaults(), secondaryStream: streamDefaults() } as DefinedCoreConfig;
        this.#merge(page, []);
    }

    /** Of one kind of stream. */
    of(type: StreamType): StreamConfig {
        return this.#config[`${type}Stream`];
    }

    /** For all streams. */
    get common(): CommonCoreConfig {
        return this.#config;
    }

    /** A copy of everything. */
    copy(): DefinedCoreConfig {
        const copyOf = (config: StreamConfig) => ({
            ...config,
            announceTrackers: [...config.announceTrackers],
            swarmIdParameters: [...config.swarmIdParameters],
            rtcConfig: { ...config.rtcConfig },
        });
        return { ...this.#config, mainStream: copyOf(this.of("main")), secondaryStream: copyOf(this.of("secondary")) };
    }

    /** Takes what may change while running, leaves the rest alone. */
    change(page: DynamicCoreConfig): void {
        this.#merge(page, FIXED);
    }

    /** The engine's numbers, in the order of `settings.json`, within what is allowed now; for one of several engines. */
    numbers(type: StreamType, { sharing, uploads }: Allowed, engines = 1): Float64Array {
        const { mode, minViewers, segmentMemoryStorageLimit: limit } = this.#config;
        const stream = this.of(type);
        const { isP2PDisabled, isP2PUploadDisabled, validateP2PSegment, announceTrackers } = stream;
        const values: Record<string, unknown> = {
            ...stream,
            isP2PDisabled: isP2PDisabled || !sharing,
            isP2PUploadDisabled: isP2PUploadDisabled || !uploads,
            mode: mode === "super-peer-only",
            minViewers,
            validateP2PSegment: !!validateP2PSegment,
            segmentMemoryStorageLimit: limit && limit / engines,
            announceTrackers: announceTrackers.length,
        };
        return Float64Array.from(NUMBERS, ([name, unit]) => Number(values[name]) * unit);
    }

    /** Whether both kinds of streams can have one engine: the same numbers, trackers and servers. */
    get isUniform(): boolean {
        const [main, secondary] = (["main", "secondary"] as const).map((type) => {
            const { announceTrackers, rtcConfig } = this.of(type);
            return JSON.stringify([this.numbers(type, { sharing: true, uploads: true }), announceTrackers, rtcConfig]);
        });
        return main === secondary;
    }

    /** Whether something is wanted that few pages want (rare.ts). */
    get isRare(): boolean {
        const { customSegmentStorageFactory, token } = this.#config;
        const streams = [this.of("main"), this.of("secondary")];
        const isNamed = streams.some(({ generation, streamSwarmIdBuilder: build }) => build || generation !== "v2");
        return isNamed || !!customSegmentStorageFactory || !!token;
    }

    /** What is for all streams comes first, what is for one kind overrides it. */
    #merge(page: CoreConfig, fixed: readonly string[]): void {
        const faults: string[] = [];
        const put = (given: object, path: string, streams: object[]) => {
            for (const [name, value] of Object.entries(given)) {
                const isCommon = name in COMMON;
                const standard = isCommon ? this.#config : streamDefaults();
                const fault = isCommon && !streams[1] ? "belongs to all streams" : faultOf(name, value, standard[name as never]);
                if (fault) faults.push(`${path}${name}: ${fault}`);
                else if (value !== undefined && !fixed.includes(name)) {
                    for (const config of isCommon ? [this.#config] : streams) {
                        Object.assign(config, { [name]: value });
                    }
                }
            }
        };
        const { mainStream, secondaryStream, ...rest } = page;
        put(rest, "core.", [this.of("main"), this.of("secondary")]);
        put(mainStream ?? {}, "core.mainStream.", [this.of("main")]);
        put(secondaryStream ?? {}, "core.secondaryStream.", [this.of("secondary")]);
        if (faults.length > 0) {
            console.warn(`beekeepr: settings that are ignored: ${faults.join("; ")}`);
        }
    }
}

function streamDefaults(): StreamConfig {
    const numbers = NUMBERS.filter(([name]) => !(name in COMMON)).map(([name, , standard]) => [name, standard]);
    return {
        ...Object.fromEntries(numbers),
        validateP2PSegment: undefined,
        isP2PDisabled: false,
        isP2PUploadDisabled: false,
        httpFirstByteTimeoutMs: 0,
        announceTrackers: [...PUBLIC_TRACKERS],
        generation: "v2",
        swarmIdParameters: [],
        rtcConfig: { iceServers: PUBLIC_STUN.map((urls) => ({ urls })) },
        trackerClientVersionPrefix: PEER_ID_PREFIX,
    };
}
