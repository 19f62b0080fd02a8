// What the page can know of how sharing goes, in one value: for an overlay, for the operator's statistics.

import type { Peer } from "./types.js";

/** Where the engine stands. */
export type EngineState = "loading" | "running" | "failed";

/** Since the engine was made. The same value goes to the operator's statistics, so it names no viewer. */
export interface Stats {
    /** Whether the engine runs; otherwise everything comes over HTTP. */
    state: EngineState;
    /** Whether peers may be met now: consent, mode, network. */
    isSharing: boolean;
    /** Whether peers may be given something now. */
    isUploading: boolean;
    /** Bytes, by where they came from and went to. */
    bytes: {
        /** From the origin or CDN, those of hls.js's own loader included. */
        http: number;
        /** From other viewers. */
        peers: number;
        /** From super-peers: the operator's seeders. */
        superPeers: number;
        /** From the page's own storage (`customSegmentStorageFactory`). */
        storage: number;
        /** To peers. */
        uploaded: number;
    };
    /** Part of the bytes from HTTP and peers that came from peers, 0 to 1; 0 before the first byte. */
    share: number;
    /** Whole segments, by where their last byte came from. */
    segments: { http: number; p2p: number; storage: number };
    /** Connected viewers and super-peers. */
    peers: { viewers: number; superPeers: number };
    /** Times that playback stood still for want of data once it had begun, and for how long in all. */
    stalls: { count: number; ms: number };
    /** Milliseconds from making the engine to the first frame; `undefined` before. */
    firstFrameMs: number | undefined;
    /** Seconds of media ahead of the playhead. */
    bufferS: number;
}

/** Counts bytes, segments and stalls. */
export class Meter {
    readonly #began = performance.now();
    readonly bytes = { http: 0, peers: 0, superPeers: 0, storage: 0, uploaded: 0 };
    readonly segments = { http: 0, p2p: 0, storage: 0 };
    readonly stalls = { count: 0, ms: 0 };
    firstFrameMs: number | undefined;
    #media: HTMLMediaElement | undefined;
    #stalledAt: number | undefined;
    #following = new AbortController();

    /** Follows the player's media element; without one it follows none any more. */
    watch(media?: HTMLMediaElement | null): void {
        this.#following.abort();
        const { signal } = (this.#following = new AbortController());
        for (const name of ["waiting", "playing", "pause", "seeking"]) {
            media?.addEventListener(name, this.#heard, { signal });
        }
        this.#end();
        this.#media = media ?? undefined;
    }

    stats(peers: readonly Peer[], rest: Pick<Stats, "state" | "isSharing" | "isUploading">): Stats {
        const { http, peers: viewers, superPeers } = this.bytes;
        const all = http + viewers + superPeers;
        const stalled = this.#stalledAt === undefined ? 0 : performance.now() - this.#stalledAt;
        const ids = (seeder: boolean) =>
            new Set(peers.filter(({ isSeeder }) => isSeeder === seeder).map(({ peerId }) => peerId)).size;
        return {
            ...rest,
            bytes: { ...this.bytes },
            share: all > 0 ? 1 - http / all : 0,
            segments: { ...this.segments },
            peers: { viewers: ids(false), superPeers: ids(true) },
            stalls: { count: this.stalls.count, ms: Math.round(this.stalls.ms + stalled) },
            firstFrameMs: this.firstFrameMs,
            bufferS: this.#media ? bufferAhead(this.#media) : 0,
        };
    }

    /** A player that seeks or pauses waits for something else than the network. */
    readonly #heard = ({ type }: Event): void => {
        if (type === "waiting" && this.firstFrameMs !== undefined && !this.#media?.seeking) {
            this.#stalledAt ??= performance.now();
            return;
        }
        if (type === "playing") this.firstFrameMs ??= Math.round(performance.now() - this.#began);
        if (type !== "waiting") this.#end();
    };

    #end(): void {
        if (this.#stalledAt !== undefined) {
            this.stalls.count++;
            this.stalls.ms += performance.now() - this.#stalledAt;
            this.#stalledAt = undefined;
        }
    }
}

/** Seconds of media from the playhead to the next gap. */
export function bufferAhead({ buffered, currentTime }: HTMLMediaElement): number {
    for (let i = 0; i < buffered.length; i++) {
        if (buffered.start(i) <= currentTime && currentTime < buffered.end(i)) {
            return buffered.end(i) - currentTime;
        }
    }
    return 0;
}
