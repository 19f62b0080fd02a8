// What pages see. Names and shapes are those of p2p-media-loader 2.3.

/** Which role a stream has: video, muxed media or the only audio; or an alternate audio rendition. */
export type StreamType = "main" | "secondary";

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
    start: number;
    end: number;
}

/** A segment as its playlist lists it. */
export interface Segment {
    /** Its URL, with `|start-end` behind it when it is a part of a file. */
    readonly runtimeId: string;
    /** Its number among the clients of the swarm: media sequence (live) or index (on demand). */
    readonly externalId: number;
    /** Where the origin has it. */
    readonly url: string;
    /** Which part of the file it is; absent for the whole. */
    readonly byteRange?: ByteRange;
    /** Seconds on the player's timeline. */
    readonly startTime: number;
    /** Seconds on the player's timeline. */
    readonly endTime: number;
}

/** What a manifest says of a stream. Clients that read the same manifest must agree on it. */
export interface StreamProperties {
    /** Bits per second, 0 when not given. */
    bitrate: number;
    /** RFC 6381 codecs of this stream's own media. */
    codecs?: string | undefined;
    width?: number | undefined;
    height?: number | undefined;
    language?: string | undefined;
    channels?: string | undefined;
    name?: string | undefined;
    frameRate?: string | undefined;
    videoRange?: string | undefined;
}

/** What a master playlist writes of a stream, word for word. */
export interface WrittenAttributes {
    /** Of the stream's own tag. */
    attrs: Readonly<Record<string, string | undefined>>;
    /** Of the variants that have the stream: itself, or those that name its group. */
    variants: readonly WrittenAttributes["attrs"][];
}

/** A stream to be shared. */
export interface Stream {
    /** How the player's adapter calls it, e.g. the URL of its playlist. */
    readonly runtimeId: string;
    readonly type: StreamType;
    readonly properties: StreamProperties;
    /** Its place among those of its type, as the player lists them; p2p-media-loader up to 2.2 knows it by that. */
    readonly index?: number;
    /** What p2p-media-loader 5.x knows it by, in HLS; without a variant, or without either of the two, it knows no such stream. */
    readonly written?: WrittenAttributes;
    /** What follows from that, or from other manifests: the properties as written, joined as `identityText` does. */
    readonly asWritten?: string | undefined;
    /** Its type for 5.x where that is another one: sound without a picture is "main" up to 4.x. */
    readonly writtenType?: StreamType;
}

/** Where bytes came from. */
export type DownloadSource = "http" | "p2p";

/** A loaded segment. */
export interface SegmentResponse {
    /** A copy that belongs to the receiver. */
    data: ArrayBuffer;
    /** What a bandwidth estimate should believe, in bits per second; 0 for unknown. */
    bandwidth: number;
}

/** Who loads a segment through the core. Exactly one of `onSuccess` and `onError` is called. */
export interface EngineCallbacks {
    onSuccess(response: SegmentResponse): void;
    onError(reason: CoreRequestError): void;
    /** Some bytes more have come; `total` is 0 while it is unknown. */
    onProgress?(bytes: number, total: number): void;
}

/** The core could not deliver: let the player's own loader try. */
export class CoreRequestError extends Error {
    constructor(readonly type: "failed" | "aborted") {
        super(type);
    }
}

/** Why one try to load a segment failed. */
export type RequestErrorType =
    | "abort"
    | "http-error"
    | "http-bytes-mismatch"
    | "http-unexpected-status-code"
    | "http-segment-validation-failed"
    | "peer-response-bytes-length-mismatch"
    | "peer-protocol-violation"
    | "peer-segment-absent"
    | "peer-closed"
    | "p2p-segment-validation-failed"
    | "bytes-receiving-timeout";

/** One try to load a segment failed; others may follow. */
export class RequestError<T extends RequestErrorType = RequestErrorType> extends Error {
    /** Milliseconds since the page began. */
    readonly timestamp = performance.now();

    constructor(
        readonly type: T,
        message?: string,
    ) {
        super(message);
    }
}

/** A connected peer. */
export interface Peer {
    /** 20 characters. */
    readonly peerId: string;
    /** The `runtimeId` of the stream that is shared with it. */
    readonly streamId: string;
    readonly streamType: StreamType;
    /** Whether it says that it is a seeder. A claim, not a proof. */
    readonly isSeeder: boolean;
    /** A name for people, always the same for one peer id. */
    readonly name: string;
}

/** What {@link CoreEventMap} tells of a segment's begin. */
export interface SegmentStartDetails {
    segment: Segment;
    downloadSource: DownloadSource;
    peerId: string | undefined;
}

/** What {@link CoreEventMap} tells of a failed try. */
export interface SegmentErrorDetails extends SegmentStartDetails {
    error: RequestError;
    streamType: StreamType;
}

/** What {@link CoreEventMap} tells of a segment that was given up. */
export interface SegmentAbortDetails {
    segment: Segment;
    downloadSource: DownloadSource | undefined;
    peerId: string | undefined;
    streamType: StreamType;
}

/** What {@link CoreEventMap} tells of a loaded segment. */
export interface SegmentLoadDetails {
    segmentUrl: string;
    bytesLength: number;
    downloadSource: DownloadSource;
    peerId: string | undefined;
    streamType: StreamType;
}

/** What {@link CoreEventMap} tells of a peer. */
export interface PeerDetails {
    peerId: string;
    streamType: StreamType;
}

/** What {@link CoreEventMap} tells of a peer's failure. */
export interface PeerErrorDetails extends PeerDetails {
    error: Error;
}

/** What {@link CoreEventMap} tells of a tracker's failure. */
export interface TrackerErrorDetails {
    streamType: StreamType;
    error: unknown;
}

/** What {@link CoreEventMap} tells of a tracker's warning. */
export interface TrackerWarningDetails {
    streamType: StreamType;
    warning: unknown;
}

/** What {@link CoreEventMap} tells of a segment that no playlist lists. */
export interface SegmentRegistryMissDetails {
    url: string;
    byteRange: ByteRange | undefined;
}

/** What {@link CoreEventMap} tells of a stream that cannot be shared. */
export interface StreamRegistrationErrorDetails {
    /** The stream's. */
    runtimeId: string;
    streamType: StreamType;
    properties: StreamProperties;
    error: Error;
}

/** The events of the core, by name. */
export interface CoreEventMap {
    /** A segment is whole. */
    onSegmentLoaded(details: SegmentLoadDetails): void;
    /** One try to load a segment failed. */
    onSegmentError(details: SegmentErrorDetails): void;
    /** A segment was given up by the player. */
    onSegmentAbort(details: SegmentAbortDetails): void;
    /** A segment has begun to load. */
    onSegmentStart(details: SegmentStartDetails): void;
    /** A peer's channel is open. */
    onPeerConnect(details: PeerDetails): void;
    /** A peer is gone. */
    onPeerClose(details: PeerDetails): void;
    /** A connection to a peer failed; `onPeerClose` follows. */
    onPeerError(details: PeerErrorDetails): void;
    /** Bytes of a segment have come. */
    onChunkDownloaded(bytesLength: number, downloadSource: DownloadSource, peerId?: string): void;
    /** Bytes of a segment were given to a peer. */
    onChunkUploaded(bytesLength: number, peerId: string): void;
    /** A tracker cannot be reached; the engine tries again later. */
    onTrackerError(details: TrackerErrorDetails): void;
    /** A tracker said no, or something unreadable. */
    onTrackerWarning(details: TrackerWarningDetails): void;
    /** The player asks for a segment that no playlist lists; it loads it by itself. */
    onSegmentRegistryMiss(details: SegmentRegistryMissDetails): void;
    /** `streamSwarmIdBuilder` gave a stream no name of its own; it is not shared. */
    onStreamRegistrationError(details: StreamRegistrationErrorDetails): void;
    /** The engine cannot run any more, or not at all; the player goes on over HTTP. */
    onEngineFailed(reason: unknown): void;
}
