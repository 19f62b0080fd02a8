// The engine's news as p2p-media-loader's events.

import { Action } from "./action.js";
import type { EventTarget } from "./events.js";
import { REFUSED } from "./fetches.js";
import { isSeeder, peerName } from "./names.js";
import type { Policy } from "./policy.js";
import type { Shell } from "./shell.js";
import type { Meter } from "./stats.js";
import { nameOf, type SegmentName } from "./store.js";
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

/** A peer, and whose connection it is. */
export type ConnectedPeer = Peer & { shell: Shell; conn: number };

/** What {@link publish} reads and changes. */
export interface NewsContext {
    events: EventTarget<CoreEventMap>;
    peers: Map<string, ConnectedPeer>;
    meter: Meter;
    policy: Policy;
    streams: Streams;
    /** Where segments that load now come from. */
    sources: Map<SegmentName, Source>;
    /** Segments that load now from the page's own storage. */
    stored: ReadonlySet<SegmentName>;
    loaded(segment: KnownSegment): void;
    progress(name: SegmentName, bytes: number): void;
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

/** Dispatches one piece of news from a shell; `text` is the peer's id where there is one. */
export function publish(
    context: NewsContext,
    shell: Shell,
    kind: Action,
    number: (index: number) => number,
    text: string,
): void {
    const { type, trackers } = shell.options;
    const { events, peers, meter, policy, streams, sources, stored } = context;
    const [first, second, third] = [number(0), number(1), number(2)];
    const stream = streams.swarms.find(({ key }) => key === first)?.stream;
    const streamType = stream?.type ?? "main";
    const peerId = text || undefined;
    const downloadSource = peerId ? "p2p" : "http";
    const name = nameOf(first, second);
    const known = streams.segments.get(name);
    const isStored = !peerId && stored.has(name);
    switch (kind) {
        case Action.PeerConnected:
        case Action.PeerClosed: {
            const place = `${first}/${text}`;
            if (kind === Action.PeerClosed) peers.delete(place);
            else {
                const streamId = stream?.runtimeId ?? "";
                const peer = { peerId: text, streamId, streamType, isSeeder: isSeeder(text), name: peerName(text) };
                peers.set(place, { ...peer, shell, conn: second });
            }
            return events.dispatch(kind === Action.PeerClosed ? "onPeerClose" : "onPeerConnect", { peerId: text, streamType });
        }
        case Action.TrackerLost: {
            const error = new Error(`no connection to tracker ${trackers[first]}`);
            return events.dispatch("onTrackerError", { streamType: type, error });
        }
        case Action.TrackerWarning:
            return events.dispatch("onTrackerWarning", { streamType: type, warning: text });
        case Action.Uploaded:
            meter.bytes.uploaded += third;
            policy.uploaded(third);
            return events.dispatch("onChunkUploaded", third, text);
        case Action.Downloaded:
            meter.bytes[isStored ? "storage" : !peerId ? "http" : isSeeder(text) ? "superPeers" : "peers"] += third;
            context.progress(name, third);
            // p2p-media-loader knows no third source, and tells nothing of a segment that its storage has.
            return isStored ? undefined : events.dispatch("onChunkDownloaded", third, downloadSource, peerId);
    }
    // What has left the playlist has no segment to be told of.
    const { swarm: _, name: __, ...segment } = known ?? {};
    const details = { segment: segment as KnownSegment, downloadSource, peerId, streamType } as const;
    switch (kind) {
        case Action.SegmentLoaded: {
            meter.segments[isStored ? "storage" : downloadSource]++;
            sources.delete(name);
            if (known) context.loaded(known);
            const segmentUrl = known?.url ?? "";
            return events.dispatch("onSegmentLoaded", { segmentUrl, bytesLength: third, downloadSource, peerId, streamType });
        }
        case Action.SegmentStarted:
            sources.set(name, { downloadSource, peerId });
            return known && events.dispatch("onSegmentStart", details);
        case Action.SegmentError:
            return known && events.dispatch("onSegmentError", { ...details, error: errorOf(third, number(3)) });
        case Action.SegmentAborted: {
            const from = sources.get(name) ?? { downloadSource: undefined, peerId: undefined };
            return known && events.dispatch("onSegmentAbort", { ...details, ...from });
        }
    }
}

/** The engine knows no reason but the status why an HTTP request failed. */
function errorOf(code: number, status: number): RequestError {
    const type = ERROR_TYPES[code] ?? "http-error";
    if (code > 0 || status === 0) {
        return new RequestError(type, type);
    }
    if (status === REFUSED) {
        return new RequestError("http-segment-validation-failed", "validateHTTPSegment said no");
    }
    const isGood = status >= 200 && status < 300;
    return new RequestError(isGood ? "http-unexpected-status-code" : type, `http status ${status}`);
}
