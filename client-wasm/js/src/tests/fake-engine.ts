// An engine that does what a test tells it and remembers what it was told.

import { Action } from "../action.js";
import type { WasmEngine, WasmModule } from "../wasm.js";

/** An action with what comes with it. */
export interface FakeAction {
    kind: Action;
    numbers?: number[];
    text?: string;
    data?: Uint8Array;
}

/** The kinds of `input.ts` in their order, and how many numbers or texts each has. */
const KINDS = [
    "tick", "streamRemoved 1", "playback 2", "segmentWanted 2", "segmentUnwanted 2", "segmentChecked 3",
    "fetchStarted 3", "fetchProgress 2", "fetchDone 1", "fetchFailed 2", "trackerOpened 1", "trackerClosed 1",
    "trackerAnnounced 3", "trackerOffer 1", "trackerAnswer 1", "trackerFailure 1", "offerReady 1",
    "answerReady 1", "channelOpened 1", "channelClosed 1", "drained 2",
    "tokenGiven 2",
];

/** A call without its `now`; what was told goes by its kind. */
export type Call = [name: string, ...args: unknown[]];

export class FakeEngine {
    readonly calls: Call[] = [];
    readonly queue: FakeAction[] = [];
    /** What {@link place} answers: stream, id, offset, total. */
    placement: number[] | undefined;
    /** Runs on each call, so that a test can react or throw. */
    onCall: (call: Call) => void = () => {};
    #numbers: number[] = [];
    #last: FakeAction | undefined;

    /** As the shell's module, whose engine is this one. */
    module(): WasmModule {
        const self = this.asEngine();
        return {
            Engine: function () {
                return self;
            } as unknown as WasmModule["Engine"],
        } as WasmModule;
    }

    names(): string[] {
        return this.calls.map(([name]) => name);
    }

    private asEngine(): WasmEngine {
        const own: Record<string, unknown> = {
            tell: (_now: number, kind: number, a: number, b: number, c: number, text: string) => {
                const [name = "", numbers = "0"] = (KINDS[kind] ?? "").split(" ");
                const args: unknown[] = [a, b, c].slice(0, Number(numbers));
                this.#record(name, text ? [...args, text] : args);
            },
            poll: () => this.#poll(),
            number: (index: number) => this.#numbers[index] ?? Number.NaN,
            text: () => this.#last?.text ?? "",
            data: () => this.#last?.data ?? new Uint8Array(),
            deadline: () => Number.NaN,
            place: (_now: number, conn: number, bytes: number) => {
                this.#record("place", [conn, bytes]);
                this.#numbers = this.placement ?? [];
                return this.placement !== undefined;
            },
        };
        return new Proxy({} as WasmEngine, {
            get: (_, name: string) =>
                own[name] ?? ((_now: number, ...args: unknown[]) => this.#record(name, args)),
        });
    }

    #poll(): Action {
        this.#last = this.queue.shift();
        this.#numbers = this.#last?.numbers ?? [];
        return this.#last?.kind ?? Action.None;
    }

    #record(name: string, args: unknown[]): void {
        const call: Call = [name, ...args];
        this.calls.push(call);
        this.onCall(call);
    }
}

/** Lets all that is due run. */
export function settled(): Promise<void> {
    return new Promise((done) => setImmediate(done));
}
