// The engine's news as p2p-media-loader's events.

import { Action } from "./action.js";
import type { EventTarget } from "./events.js";
import { isSeeder, peerName } from "./names.js";
import type { Policy } from "./policy.js";
import { REFUSED } from "./fetches.js";
import type { Meter } from "./stats.js";
import { nameOf, type SegmentKey } from "./store.js";
import type { KnownSegment, Streams } from "./streams.js";
import {
    type CoreEventMap,
    type DownloadSource,
    type Peer,
    RequestError,
    type RequestErrorType,
} from "./types.js";

/** Where a segment comes from. */
export interface Source {
    downloadSource: DownloadSource;
    peerId: string | undefined;
}

/** What {@link publish} reads and changes. */
export interface NewsContext {
    events: EventTarget<CoreEventMap>;
    peers: Map<string, Peer & { conn: number }>;
    meter: Meter;
    policy: Policy;
    sources: Map<string, Source>;
    loaded(key: SegmentKey, segment: KnownSegment): void;
    streams: Streams;
    trackerUrl(tracker: number): string;
    progress(key: SegmentKey, bytes: number): void;
}

/** By the error's number in `src/action.rs`. */
const ERROR_TYPES: readonly RequestErrorType[] = [
    "http-error",
    "http-bytes-mismatch",
    "peer-response-bytes-length-mismatch",
    "peer-protocol-violation",
    "peer-segment-absent",
    "peer-closed",
    "p2p-segment-validation-failed",
    "bytes-receiving-timeout",
];

/** Dispatches one piece of news; `text` is the peer's id where there is one. */
export function publish(
    context: NewsContext,
    kind: Action,
    number: (index: number) => number,
    text: string,
): void {
    switch (kind) {
        case Action.PeerConnected:
        case Action.PeerClosed:
            return publishPeer(context, kind === Action.PeerConnected, number(0), number(1), text);
        case Action.TrackerLost: {
            const error = new Error(`no connection to tracker ${context.trackerUrl(number(0))}`);
            return context.events.dispatch("onTrackerError", { streamType: "main", error });
        }
        case Action.TrackerWarning:
            return context.events.dispatch("onTrackerWarning", { streamType: "main", warning: text });
        default:
            return publishSegment(context, kind, number, text);
    }
}

function publishPeer(
    { events, peers, streams }: NewsContext,
    connected: boolean,
    streamKey: number,
    conn: number,
    peerId: string,
): void {
    const stream = streams.swarm(streamKey)?.stream;
    const streamType = stream?.type ?? "main";
    const name = `${streamKey}/${peerId}`;
    if (connected) {
        peers.set(name, {
            conn,
            peerId,
            streamId: stream?.runtimeId ?? "",
            streamType,
            isSeeder: isSeeder(peerId),
            name: peerName(peerId),
        });
    } else {
        peers.delete(name);
    }
    events.dispatch(connected ? "onPeerConnect" : "onPeerClose", { peerId, streamType });
}

function publishSegment(
    { events, streams, meter, policy, sources, loaded, progress }: NewsContext,
    kind: Action,
    number: (index: number) => number,
    peer: string,
): void {
    const key = { stream: number(0), id: number(1) };
    const segment = streams.get(key);
    const streamType = streams.swarm(key.stream)?.stream.type ?? "main";
    const peerId = peer || undefined;
    const downloadSource = peerId === undefined ? "http" : "p2p";
    switch (kind) {
        case Action.Downloaded:
            meter.downloaded(number(2), peerId === undefined ? peerId : isSeeder(peerId));
            progress(key, number(2));
            return events.dispatch("onChunkDownloaded", number(2), downloadSource, peerId);
        case Action.Uploaded:
            meter.bytes.uploaded += number(2);
            policy.uploaded(number(2));
            return events.dispatch("onChunkUploaded", number(2), peer);
        case Action.SegmentLoaded:
            meter.loaded(downloadSource);
            sources.delete(nameOf(key));
            if (segment) loaded(key, segment);
            return events.dispatch("onSegmentLoaded", {
                segmentUrl: segment?.url ?? "",
                bytesLength: number(2),
                downloadSource,
                peerId,
                streamType,
            });
    }
    if (!segment) {
        return;
    }
    switch (kind) {
        case Action.SegmentStarted:
            sources.set(nameOf(key), { downloadSource, peerId });
            return events.dispatch("onSegmentStart", { segment, downloadSource, peerId });
        case Action.SegmentError:
            return events.dispatch("onSegmentError", {
                error: errorOf(number(2), number(3)),
                segment,
                downloadSource,
                peerId,
                streamType,
            });
        case Action.SegmentAborted:
            return events.dispatch("onSegmentAbort", {
                segment,
                downloadSource: sources.get(nameOf(key))?.downloadSource,
                peerId: sources.get(nameOf(key))?.peerId,
                streamType,
            });
    }
}

function errorOf(code: number, status: number): RequestError {
    const [type, message] = whatWasWrong(code, status);
    return new RequestError(type, message);
}

/** The engine knows no reason but the status why an HTTP request failed. */
function whatWasWrong(code: number, status: number): [RequestErrorType, string] {
    const type = ERROR_TYPES[code] ?? "http-error";
    if (code > 0 || status === 0) {
        return [type, type];
    }
    if (status === REFUSED) {
        return ["http-segment-validation-failed", "validateHTTPSegment said no"];
    }
    const good = status >= 200 && status < 300;
    return [good ? "http-unexpected-status-code" : type, `http status ${status}`];
}
