// A page written for p2p-media-loader 2.3.1. It has to compile with the types of either package, in strict mode:
// `model.json` names the model's, `ours.json` ours. Nothing here runs.

import Hls from "hls.js";
import {
    type DynamicHlsJsP2PEngineConfig,
    HlsJsP2PEngine,
    type HlsJsP2PEngineConfig,
    type HlsWithP2PConfig,
    type HlsWithP2PInstance,
    type PartialHlsJsP2PEngineConfig,
} from "p2p-hlsjs";
import {
    type ByteRange,
    type CommonCoreConfig,
    type CoreConfig,
    type CoreEventMap,
    type DefinedCoreConfig,
    type DownloadSource,
    type DynamicCoreConfig,
    type PeerErrorDetails,
    RequestError,
    type RequestErrorType,
    type SegmentStorage,
    type StreamConfig,
    type StreamType,
} from "p2p-core";

const validate = async (url: string, byteRange: ByteRange | undefined, data: ArrayBuffer): Promise<boolean> =>
    data.byteLength > 0 && url.length > (byteRange?.start ?? 0);

const stream: Partial<StreamConfig> = {
    isP2PUploadDisabled: false,
    isP2PDisabled: false,
    highDemandTimeWindow: 15,
    httpDownloadTimeWindow: 3000,
    httpDownloadInitialTimeoutMs: 0,
    p2pDownloadTimeWindow: 6000,
    simultaneousHttpDownloads: 2,
    simultaneousP2PDownloads: 3,
    webRtcMaxMessageSize: 65_535,
    p2pNotReceivingBytesTimeoutMs: 2000,
    p2pInactiveLoaderDestroyTimeoutMs: 30_000,
    httpNotReceivingBytesTimeoutMs: 3000,
    httpErrorRetries: 3,
    p2pErrorRetries: 3,
    announceTrackers: ["wss://tracker.example"],
    rtcConfig: { iceServers: [{ urls: "stun:stun.example:3478" }] },
    trackerClientVersionPrefix: "-XX0001-",
    swarmId: "a stream",
    validateP2PSegment: validate,
    validateHTTPSegment: validate,
    httpRequestSetup: async (segmentUrl, _segmentByteRange, requestAbortSignal, requestByteRange) => {
        const headers = new Headers({ "X-Token": "t" });
        if (requestByteRange) headers.set("Range", `bytes=${requestByteRange.start}-${requestByteRange.end ?? ""}`);
        return new Request(segmentUrl, { headers, signal: requestAbortSignal });
    },
};

class Storage implements SegmentStorage {
    #kept = new Map<string, ArrayBuffer>();

    async initialize(_core: CommonCoreConfig, main: StreamConfig, _secondary: StreamConfig): Promise<void> {
        void main.p2pDownloadTimeWindow;
    }
    onPlaybackUpdated(_position: number, _rate: number): void {}
    onSegmentRequested(
        _swarmId: string,
        _streamId: string,
        _segmentId: number,
        _startTime: number,
        _endTime: number,
        _streamType: StreamType,
        _isLiveStream: boolean,
    ): void {}
    async storeSegment(_swarmId: string, streamId: string, segmentId: number, data: ArrayBuffer): Promise<void> {
        this.#kept.set(`${streamId}|${segmentId}`, data);
    }
    async getSegmentData(_swarmId: string, streamId: string, segmentId: number): Promise<ArrayBuffer | undefined> {
        return this.#kept.get(`${streamId}|${segmentId}`);
    }
    getUsage(): { totalCapacity: number; usedCapacity: number } {
        return { totalCapacity: 1, usedCapacity: 0 };
    }
    hasSegment(_swarmId: string, streamId: string, segmentId: number): boolean {
        return this.#kept.has(`${streamId}|${segmentId}`);
    }
    getStoredSegmentIds(_swarmId: string, _streamId: string): number[] {
        return [];
    }
    setSegmentChangeCallback(_callback: (streamId: string) => void): void {}
    destroy(): void {}
}

const core: CoreConfig = {
    ...stream,
    segmentMemoryStorageLimit: 256,
    customSegmentStorageFactory: (_isLive: boolean) => new Storage(),
    mainStream: stream,
    secondaryStream: { isP2PDisabled: true },
};

const HlsWithP2P = HlsJsP2PEngine.injectMixin(Hls);
const config: PartialHlsJsP2PEngineConfig = { core };
const hls = new HlsWithP2P({
    enableWorker: true,
    p2p: {
        ...config,
        onHlsJsCreated: (created) => {
            void created.p2pEngine.getConfig();
        },
    },
});
hls.attachMedia(document.createElement("video"));
export type Instance = HlsWithP2PInstance<Hls>;
export const typed: HlsWithP2PConfig<typeof Hls> = { maxBufferLength: 30, p2p: { core } };

const engine: HlsJsP2PEngine = hls.p2pEngine;
const all: HlsJsP2PEngineConfig = engine.getConfig();
const defined: DefinedCoreConfig = all.core;
export const windows: number = defined.mainStream.p2pDownloadTimeWindow + defined.secondaryStream.httpDownloadTimeWindow;
export const limit: number | undefined = defined.segmentMemoryStorageLimit;

const change: DynamicCoreConfig = {
    isP2PDisabled: true,
    simultaneousP2PDownloads: 5,
    segmentMemoryStorageLimit: 64,
    mainStream: { highDemandTimeWindow: 10, httpRequestSetup: async () => undefined },
    secondaryStream: { validateP2PSegment: validate },
};
const dynamic: DynamicHlsJsP2PEngineConfig = { core: change };
engine.applyDynamicConfig(dynamic);

const described: Record<RequestErrorType, string> = {
    "abort": "",
    "bytes-receiving-timeout": "",
    "http-error": "",
    "http-bytes-mismatch": "",
    "http-unexpected-status-code": "",
    "http-segment-validation-failed": "",
    "peer-response-bytes-length-mismatch": "",
    "peer-protocol-violation": "",
    "peer-segment-absent": "",
    "peer-closed": "",
    "p2p-segment-validation-failed": "",
};
export const texts: string[] = [];
const say = (...parts: (string | number | undefined)[]) => texts.push(parts.join(" "));

engine.addEventListener("onSegmentLoaded", ({ segmentUrl, bytesLength, downloadSource, peerId, streamType }) =>
    say(segmentUrl, bytesLength, downloadSource, peerId, streamType),
);
engine.addEventListener("onSegmentStart", ({ segment, downloadSource, peerId }) =>
    say(segment.runtimeId, segment.externalId, segment.url, segment.byteRange?.start, segment.startTime, downloadSource, peerId),
);
engine.addEventListener("onSegmentError", ({ error, segment, downloadSource, peerId, streamType }) =>
    say(described[error.type], error.timestamp, error.message, segment.url, downloadSource, peerId, streamType),
);
engine.addEventListener("onSegmentAbort", ({ segment, downloadSource, peerId, streamType }) =>
    say(segment.url, downloadSource, peerId, streamType),
);
engine.addEventListener("onPeerConnect", ({ peerId, streamType }) => say(peerId, streamType));
engine.addEventListener("onPeerClose", ({ peerId, streamType }) => say(peerId, streamType));
engine.addEventListener("onPeerError", ({ peerId, streamType, error }: PeerErrorDetails) => say(peerId, streamType, error.message));
engine.addEventListener("onChunkDownloaded", (bytes: number, source: DownloadSource, peerId?: string) => say(bytes, source, peerId));
engine.addEventListener("onChunkUploaded", (bytes, peerId) => say(bytes, peerId));
engine.addEventListener("onTrackerError", ({ streamType, error }) => say(streamType, String(error)));
engine.addEventListener("onTrackerWarning", ({ streamType, warning }) => say(streamType, String(warning)));
const heard: CoreEventMap["onPeerClose"] = ({ peerId }) => say(peerId);
engine.addEventListener("onPeerClose", heard);
engine.removeEventListener("onPeerClose", heard);
export const made = new RequestError("http-error", "why");

const other = new HlsJsP2PEngine({ core });
const plain = new Hls({ ...(other.getConfigForHlsJs() as object) });
other.bindHls(plain);
other.bindHls(() => plain);
other.destroy();
