// The engine's news as p2p-media-loader's events.

import { Action } from "./action.js";
import type { EventTarget } from "./events.js";
import { isSeeder, peerName } from "./names.js";
import type { SegmentKey } from "./store.js";
import type { Streams } from "./streams.js";
import { type CoreEventMap, type Peer, RequestError, type RequestErrorType } from "./types.js";

/** What {@link publish} reads and changes. */
export interface NewsContext {
    events: EventTarget<CoreEventMap>;
    peers: Map<string, Peer>;
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
            return publishPeer(context, kind === Action.PeerConnected, number(0), text);
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
    peerId: string,
): void {
    const stream = streams.swarm(streamKey)?.stream;
    const streamType = stream?.type ?? "main";
    const name = `${streamKey}/${peerId}`;
    if (connected) {
        peers.set(name, {
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
    { events, streams, progress }: NewsContext,
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
            progress(key, number(2));
            return events.dispatch("onChunkDownloaded", number(2), downloadSource, peerId);
        case Action.Uploaded:
            return events.dispatch("onChunkUploaded", number(2), peer);
        case Action.SegmentLoaded:
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
                downloadSource: undefined,
                peerId: undefined,
                streamType,
            });
    }
}

function errorOf(code: number, status: number): RequestError {
    const type = ERROR_TYPES[code] ?? "http-error";
    return new RequestError(type, status > 0 ? `http status ${status}` : type);
}
