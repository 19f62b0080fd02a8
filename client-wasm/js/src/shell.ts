// The run loop around the engine: what happens goes in, what it asks for is done.

import { Action } from "./action.js";
import { isCommandChunk, segmentMessages } from "./chunks.js";
import { Fetches, type Origin } from "./fetches.js";
import { Input } from "./input.js";
import { LOW_WATER_BYTES, newPeers, type Peers } from "./peers.js";
import { trackerMessage } from "./signal.js";
import { nameOf, type SegmentName, SegmentStore } from "./store.js";
import type { Tokens } from "./tokens.js";
import { Trackers } from "./trackers.js";
import type { StreamType } from "./types.js";
import type { EngineCall, Tell, WasmEngine, WasmModule } from "./wasm.js";

/** What the shell needs to know, and whom it tells. */
export interface ShellOptions {
    /** Of the streams in it, or of some of them. */
    type: StreamType;
    trackers: readonly string[];
    rtcConfig: RTCConfiguration;
    /** Makes what gives the trackers' tokens, where there are any. */
    tokens(tell: Tell): Tokens | undefined;
    /** The engine's settings, in the order of `settings.json`. */
    numbers: Float64Array;
    /** Where a segment is; nothing when it is not known (any more). */
    origin(name: SegmentName): Origin | undefined;
    /** The page's check of a segment that came from peers. */
    check(name: SegmentName, data: ArrayBuffer): Promise<boolean>;
    /** A wanted segment is here, and `data` belongs to the receiver; or it could not be had. */
    settled(name: SegmentName, data: ArrayBuffer | undefined, bandwidthBps: number): void;
    /** The bytes of a segment are forgotten. */
    dropped(name: SegmentName): void;
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
    readonly #tokens: Tokens | undefined;
    readonly #peers: Peers;
    readonly #fetches: Fetches;
    /** Connections that got segment bytes in this turn. */
    readonly #fed = new Set<number>();
    #timer: ReturnType<typeof setTimeout> | undefined;
    #turning = false;
    #over = false;

    constructor(
        wasm: WasmModule,
        readonly options: ShellOptions,
    ) {
        const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
        const { trackers, rtcConfig, numbers } = options;
        this.#engine = wasm.open(performance.now(), high, low, numbers);
        this.#trackers = new Trackers(trackers, this.tell);
        this.#tokens = options.tokens(this.tell);
        this.#peers = newPeers(rtcConfig, {
            tell: this.tell,
            failed: (conn, error) => options.peerFailed(conn, error),
            received: (conn, message) => this.#received(conn, message),
        });
        this.#fetches = new Fetches(this.store, this.tell);
    }

    /** Tells the engine what happened and does what it asks for. */
    readonly tell: Tell = (kind, a = 0, b = 0, c = 0, text = "") => {
        this.call("tell", new TextEncoder().encode(text), kind, a, b, c);
    };

    /** The same by one of the engine's other calls. Calls from within only tell. */
    call(name: EngineCall, input: Uint8Array | Float64Array | undefined, ...numbers: number[]): void {
        this.#enter(() => this.#engine.run(name, input, performance.now(), ...numbers));
    }

    #enter(input: () => void): void {
        if (this.#over) {
            return;
        }
        try {
            input();
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
                const action = this.#engine.run("poll", undefined);
                if (action === Action.None && !this.#feed()) break;
                if (left === 0) throw new Error("engine does not come to rest");
                this.#act(action);
                if (this.#over) return;
            }
        } finally {
            this.#turning = false;
        }
        clearTimeout(this.#timer);
        const deadline = this.#engine.run("deadline", undefined);
        // NaN for never.
        if (deadline >= 0) {
            const wait = Math.max(1, Math.ceil(deadline - performance.now()));
            this.#timer = setTimeout(() => this.tell(Input.Tick), wait);
        }
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
                this.tell(Input.Drained, conn, buffered);
                return true;
            }
        }
        return false;
    }

    #act(action: Action): void {
        const number = this.#number;
        const text = () => new TextDecoder().decode(this.#engine.data());
        const [first, second] = [number(0), number(1)];
        const name = nameOf(first, second);
        switch (action) {
            case Action.None:
                return;
            case Action.TrackerConnect:
                return this.#trackers.connect(first);
            case Action.TrackerDisconnect:
                return this.#trackers.disconnect(first);
            case Action.TrackerSend:
                return this.#trackers.send(first, trackerMessage(number, text(), this.#tokens?.of(first)));
            case Action.TokenWanted:
                return void this.#tokens?.renew(first);
            case Action.OfferCreate:
                return this.#peers.open(first);
            case Action.OfferAccept:
                return this.#peers.open(first, text());
            case Action.AnswerAccept:
                return this.#peers.answered(first, text());
            case Action.ConnClose:
                return this.#peers.close(first);
            case Action.CommandSend:
                return this.#peers.send(first, this.#engine.data());
            case Action.SliceSend:
                return this.#sendSlice(name, number(2), number(3), number(4));
            case Action.FetchStart:
                return this.#fetch(name, number(2), number(3));
            case Action.FetchCancel:
                return this.#fetches.cancel(first);
            case Action.SegmentCheck:
                return this.#check(name, (valid) => this.tell(Input.SegmentChecked, first, second, Number(valid)));
            case Action.SegmentReady:
                return this.options.settled(name, this.store.get(name)?.copy(), number(2));
            case Action.SegmentFailed:
                return this.options.settled(name, undefined, 0);
            case Action.SegmentDropped:
                this.store.delete(name);
                return this.options.dropped(name);
            default:
                return this.options.news(action, number, text());
        }
    }

    /** A number of the last action or placement. */
    readonly #number = (index: number): number => this.#engine.run("number", undefined, index);

    #sendSlice(name: SegmentName, conn: number, offset: number, bytes: number): void {
        const slice = this.store.get(name)?.slice(offset, bytes);
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

    #fetch(name: SegmentName, fetch: number, offset: number): void {
        const origin = this.options.origin(name);
        if (origin) {
            this.#fetches.start(fetch, name, origin, offset);
        } else {
            this.tell(Input.FetchFailed, fetch);
        }
    }

    #check(name: SegmentName, done: (valid: boolean) => void): void {
        const data = this.store.get(name)?.copy();
        if (data) {
            this.options.check(name, data).then(done, () => done(false));
        } else {
            done(false);
        }
    }

    #received(conn: number, message: Uint8Array): void {
        if (isCommandChunk(message)) {
            return this.call("command", message, conn);
        }
        this.#enter(() => {
            if (this.#engine.run("place", undefined, performance.now(), conn, message.length)) {
                const number = this.#number;
                this.store.write(nameOf(number(0), number(1)), number(2), message, number(3));
            }
        });
    }
}
