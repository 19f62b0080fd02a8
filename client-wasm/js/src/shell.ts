// The run loop around the engine: what happens goes in, what it asks for is done.

import { Action } from "./action.js";
import { isCommandChunk, segmentMessages } from "./chunks.js";
import { Input } from "./input.js";
import { type FetchCalls, Fetches, type Origin } from "./fetches.js";
import { LOW_WATER_BYTES, type PeerCalls, Peers } from "./peers.js";
import { type SegmentKey, SegmentStore } from "./store.js";
import { readTrackerMessage, trackerMessage } from "./signal.js";
import { type TokenSource, Tokens } from "./tokens.js";
import { type TrackerCalls, Trackers } from "./trackers.js";
import type { WasmEngine, WasmModule } from "./wasm.js";

/** What the shell needs to know, and whom it tells. */
export interface ShellOptions {
    trackers: readonly string[];
    rtcConfig: RTCConfiguration;
    token: TokenSource | undefined;
    /** The engine's settings, in the order of `settings.json`. */
    numbers: Float64Array;
    /** Where a segment is; nothing when it is not known (any more). */
    origin(key: SegmentKey): Origin | undefined;
    /** The page's check of a segment that came from peers. */
    check(key: SegmentKey, data: ArrayBuffer): Promise<boolean>;
    /** A wanted segment is here; `data` belongs to the receiver. */
    ready(key: SegmentKey, data: ArrayBuffer, bandwidthBps: number): void;
    /** A wanted segment could not be had. */
    failed(key: SegmentKey): void;
    /** The bytes of a segment are forgotten. */
    dropped(key: SegmentKey): void;
    /** News, as `src/action.rs` lists them. */
    news(kind: Action, number: (index: number) => number, text: string): void;
    /** A connection failed. */
    peerFailed(conn: number, error: Error): void;
    /** The engine trapped. Nothing more comes from this shell. */
    died(reason: unknown): void;
}

/**
 * Actions in one turn. A channel's whole send window is 64 messages, a turn serves at most 50 peers;
 * more is an engine that runs in circles, and the page must not hang with it.
 */
const ACTIONS_PER_TURN_MAX = 10_000;

export class Shell {
    readonly store = new SegmentStore();
    readonly #engine: WasmEngine;
    readonly #trackers: Trackers;
    readonly #tokens: Tokens;
    readonly #peers: Peers;
    readonly #fetches: Fetches;
    /** Connections that got segment bytes in this turn. */
    readonly #fed = new Set<number>();
    #timer: ReturnType<typeof setTimeout> | undefined;
    #turning = false;
    #over = false;

    constructor(
        wasm: WasmModule,
        private readonly options: ShellOptions,
    ) {
        const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
        this.#engine = new wasm.Engine(performance.now(), high, low, options.numbers);
        this.#trackers = new Trackers(options.trackers, this.#trackerCalls());
        this.#tokens = new Tokens(options.token, options.trackers, (...told) => this.tell(...told));
        this.#peers = new Peers(options.rtcConfig, this.#peerCalls());
        this.#fetches = new Fetches(this.store, this.#fetchCalls());
        this.#tokens.start();
    }

    /** Tells the engine what happened (`input.ts`) and does what it asks for. */
    tell(kind: Input, a = 0, b = 0, c = 0, text = ""): void {
        this.call((engine, now) => engine.tell(now, kind, a, b, c, text));
    }

    /** The same by one of the engine's other calls. Calls from within only tell. */
    call(input: (engine: WasmEngine, now: number) => void): void {
        if (this.#over) {
            return;
        }
        try {
            input(this.#engine, performance.now());
            if (!this.#turning) {
                this.#turn();
            }
        } catch (reason) {
            this.close();
            this.options.died(reason);
        }
    }

    /** Ends everything. The trackers learn of it when the streams were removed before. */
    close(): void {
        this.#over = true;
        clearTimeout(this.#timer);
        this.#fetches.cancelAll();
        this.#peers.closeAll();
        this.#trackers.close();
    }

    #turn(): void {
        this.#turning = true;
        try {
            for (let left = ACTIONS_PER_TURN_MAX; ; left--) {
                const action = this.#engine.poll();
                if (action === Action.None && !this.#feed()) break;
                if (left === 0) throw new Error("engine does not come to rest");
                this.#act(action);
                if (this.#over) return;
            }
        } finally {
            this.#turning = false;
        }
        this.#arm();
    }

    /**
     * A channel tells that it has run low only when it was above the mark; whoever is still below it
     * gets more at once. True when the engine has heard of one.
     */
    #feed(): boolean {
        for (const conn of this.#fed) {
            this.#fed.delete(conn);
            const buffered = this.#peers.buffered(conn);
            if (buffered <= LOW_WATER_BYTES) {
                this.#engine.tell(performance.now(), Input.Drained, conn, buffered, 0, "");
                return true;
            }
        }
        return false;
    }

    #arm(): void {
        clearTimeout(this.#timer);
        const deadline = this.#engine.deadline();
        if (!Number.isNaN(deadline)) {
            const wait = Math.max(1, Math.ceil(deadline - performance.now()));
            this.#timer = setTimeout(() => this.tell(Input.Tick), wait);
        }
    }

    #act(action: Action): void {
        const engine = this.#engine;
        const number = (index: number) => engine.number(index);
        switch (action) {
            case Action.None:
                return;
            case Action.TrackerConnect:
                return this.#trackers.connect(number(0));
            case Action.TrackerDisconnect:
                return this.#trackers.disconnect(number(0));
            case Action.TrackerSend:
                return this.#trackers.send(number(0), trackerMessage(number, engine.text(), this.#tokens.of(number(0))));
            case Action.TokenWanted:
                return this.#tokens.renew(number(0));
            case Action.OfferCreate:
                return this.#peers.offer(number(0));
            case Action.OfferAccept:
                return this.#peers.accept(number(0), engine.text());
            case Action.AnswerAccept:
                return this.#peers.answered(number(0), engine.text());
            case Action.ConnClose:
                return this.#peers.close(number(0));
            case Action.CommandSend:
                return this.#peers.send(number(0), engine.data());
            case Action.SliceSend:
                return this.#sendSlice(this.#key(), number(2), number(3), number(4));
            case Action.FetchStart:
                return this.#fetch(this.#key(), number(2), number(3));
            case Action.FetchCancel:
                return this.#fetches.cancel(number(0));
            case Action.SegmentCheck:
                return this.#check(this.#key());
            case Action.SegmentReady:
                return this.#ready(this.#key(), number(2));
            case Action.SegmentFailed:
                return this.options.failed(this.#key());
            case Action.SegmentDropped: {
                const key = this.#key();
                this.store.drop(key);
                return this.options.dropped(key);
            }
            case Action.PeerConnected:
            case Action.PeerClosed:
            case Action.Downloaded:
            case Action.Uploaded:
            case Action.SegmentStarted:
            case Action.SegmentLoaded:
            case Action.SegmentError:
            case Action.SegmentAborted:
            case Action.TrackerLost:
            case Action.TrackerWarning:
                return this.options.news(action, number, engine.text());
        }
    }

    /** The segment of the last action or placement. */
    #key(): SegmentKey {
        return { stream: this.#engine.number(0), id: this.#engine.number(1) };
    }

    #sendSlice(key: SegmentKey, conn: number, offset: number, bytes: number): void {
        const slice = this.store.slice(key, offset, bytes);
        if (!slice) {
            // The bytes that were promised are not there: the other side can only start anew.
            this.#peers.close(conn);
            return this.tell(Input.ChannelClosed, conn);
        }
        for (const message of segmentMessages(slice)) {
            this.#peers.send(conn, message);
        }
        this.#fed.add(conn);
    }

    #fetch(key: SegmentKey, fetch: number, offset: number): void {
        const origin = this.options.origin(key);
        if (origin) {
            this.#fetches.start(fetch, key, origin, offset);
        } else {
            this.tell(Input.FetchFailed, fetch);
        }
    }

    #check(key: SegmentKey): void {
        const done = (valid: boolean) =>
            this.tell(Input.SegmentChecked, key.stream, key.id, Number(valid));
        const data = this.store.copy(key);
        if (data) {
            this.options.check(key, data).then(done, () => done(false));
        } else {
            done(false);
        }
    }

    #ready(key: SegmentKey, bandwidthBps: number): void {
        const data = this.store.copy(key);
        if (data) {
            this.options.ready(key, data, bandwidthBps);
        } else {
            this.options.failed(key);
        }
    }

    #receive(conn: number, message: Uint8Array): void {
        if (isCommandChunk(message)) {
            return this.call((engine, now) => engine.command(now, conn, message));
        }
        this.call((engine, now) => {
            if (engine.place(now, conn, message.length)) {
                this.store.write(this.#key(), engine.number(2), message, engine.number(3));
            }
        });
    }

    #trackerCalls(): TrackerCalls {
        return {
            trackerOpened: (tracker) => this.tell(Input.TrackerOpened, tracker),
            trackerMessage: (tracker, text) => {
                const { kind, interval, peers, fields } = readTrackerMessage(text);
                if (kind) this.tell(kind, tracker, interval, peers, fields);
            },
            trackerClosed: (tracker) => this.tell(Input.TrackerClosed, tracker),
        };
    }

    #peerCalls(): PeerCalls {
        return {
            offerReady: (conn, sdp) => this.tell(Input.OfferReady, conn, 0, 0, sdp),
            answerReady: (conn, sdp) => this.tell(Input.AnswerReady, conn, 0, 0, sdp),
            channelOpened: (conn) => this.tell(Input.ChannelOpened, conn),
            channelClosed: (conn) => this.tell(Input.ChannelClosed, conn),
            channelFailed: (conn, error) => this.options.peerFailed(conn, error),
            channelMessage: (conn, message) => this.#receive(conn, message),
            channelDrained: (conn, buffered) => this.tell(Input.Drained, conn, buffered),
        };
    }

    #fetchCalls(): FetchCalls {
        return {
            fetchStarted: (fetch, offset, total = Number.NaN) =>
                this.tell(Input.FetchStarted, fetch, offset, total),
            fetchProgress: (fetch, bytes) => this.tell(Input.FetchProgress, fetch, bytes),
            fetchDone: (fetch) => this.tell(Input.FetchDone, fetch),
            fetchFailed: (fetch, status) => this.tell(Input.FetchFailed, fetch, status),
        };
    }
}
