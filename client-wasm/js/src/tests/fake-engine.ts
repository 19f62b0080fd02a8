// An engine that does what a test tells it and remembers what it was told.

import { Action } from "../action.js";
import type { EngineCall, WasmEngine, WasmModule } from "../wasm.js";

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
    "tokenGiven 2", "streamRestarted 1",
];

/** A call without its `now`; what was told goes by its kind. */
export type Call = [name: string, ...args: unknown[]];

/** The ids of 20 characters each with which a list of numbers begins. */
function idsOf(numbers: Float64Array, count: number): string[] {
    return Array.from({ length: count }, (_, i) => String.fromCharCode(...numbers.subarray(20 * i, 20 * i + 20)));
}

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
        return { open: () => this.#engine() };
    }

    names(): string[] {
        return this.calls.map(([name]) => name);
    }

    #engine(): WasmEngine {
        return {
            run: (name, input, ...numbers) => this.#run(name, input, numbers),
            data: () => this.#last?.data ?? new TextEncoder().encode(this.#last?.text),
        };
    }

    #run(name: EngineCall, input: Uint8Array | Float64Array | undefined, numbers: number[]): number {
        const [, first = 0, ...others] = numbers;
        const list = input as Float64Array;
        switch (name) {
            case "poll":
                return this.#poll();
            case "deadline":
                return Number.NaN;
            case "number":
                return this.#numbers[numbers[0] ?? 0] ?? Number.NaN;
            case "tell": {
                const [told = "", count = "0"] = (KINDS[first] ?? "").split(" ");
                const text = new TextDecoder().decode(input);
                this.#record(told, [...others.slice(0, Number(count)), ...(text ? [text] : [])]);
                return 0;
            }
            case "place":
                this.#record("place", [first, ...others]);
                this.#numbers = this.placement ?? [];
                return Number(this.placement !== undefined);
            case "stream_added":
                this.#record("streamAdded", [first, ...idsOf(list, 2)]);
                return 0;
            case "swarm_added":
                this.#record("swarmAdded", [first, ...idsOf(list, 1), list.subarray(20)]);
                return 0;
            case "segments_listed":
                this.#record("segmentsListed", [first, others[0] === 1, input]);
                return 0;
            case "configure":
                this.#record("configure", [input]);
                return 0;
            case "command":
                this.#record("command", [first, input]);
                return 0;
        }
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
