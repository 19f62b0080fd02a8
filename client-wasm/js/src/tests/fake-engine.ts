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

/** A call without its `now`. */
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
            peerId: () => "-BK0001-abcdefghijkl",
        } as WasmModule;
    }

    names(): string[] {
        return this.calls.map(([name]) => name);
    }

    private asEngine(): WasmEngine {
        const own: Record<string, unknown> = {
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
