// Loading the WebAssembly module, once for the page.

import type { Input } from "./input.js";
import { wasmBytes } from "./wasm-bytes.js";

/** The module. Tests put their own in its place. */
export interface WasmModule {
    /** Makes an engine; `values` are its settings. */
    open(now: number, seedHigh: number, seedLow: number, values: Float64Array): WasmEngine;
}

/** One engine. */
export interface WasmEngine {
    /** Calls a function of `src/calls.rs` with numbers, and with what it takes in besides. */
    run(name: EngineCall, input: Uint8Array | Float64Array | undefined, ...numbers: number[]): number;
    /** What comes with the last action. */
    data(): Uint8Array;
}

/** Tells the engine what happened, as {@link Input} lists it. */
export type Tell = (kind: Input, a?: number, b?: number, c?: number, text?: string) => void;

/** What the module exports (`src/calls.rs`; the build compares the names). All but the memory take and give numbers. */
export const NAMES = [
    "close", "command", "configure", "data", "deadline", "number", "open", "place", "poll", "room", "segments_listed",
    "size", "stream_added", "swarm_added", "tell",
] as const;

/** Those that call an engine. */
export type EngineCall = Exclude<(typeof NAMES)[number], "close" | "data" | "open" | "room" | "size">;

type Calls = Record<(typeof NAMES)[number], (...numbers: number[]) => number> & { memory: WebAssembly.Memory };

let loading: Promise<WasmModule> | undefined;

/**
 * Loads the module, by default from beside this script. A page loads it once; after a failure the
 * next call tries again.
 */
export function loadWasm(url?: string): Promise<WasmModule> {
    loading ??= start(url).catch((error: unknown) => {
        loading = undefined;
        throw error;
    });
    return loading;
}

async function start(url: string | undefined): Promise<WasmModule> {
    const response = await wasmBytes(url);
    if (!response.ok) {
        throw new Error(`http status ${response.status} for ${response.url}`);
    }
    // Not as a stream: that needs a server that knows the type, and saves nothing at 75 KB.
    const { instance } = await WebAssembly.instantiate(await response.arrayBuffer());
    return moduleOf(instance.exports as Calls);
}

function moduleOf(calls: Calls): WasmModule {
    // A page drops its engines without a word.
    const dropped = new FinalizationRegistry<number>((engine) => calls.close(engine));
    /** Lays down what the next call takes in. */
    const give = ({ buffer, byteOffset, byteLength }: Uint8Array | Float64Array) => {
        const at = calls.room(byteLength);
        new Uint8Array(calls.memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), at);
    };
    return {
        open(now, seedHigh, seedLow, values) {
            give(values);
            const engine = calls.open(now, seedHigh, seedLow);
            const made: WasmEngine = {
                run(name, input, ...numbers) {
                    if (input) give(input);
                    return calls[name](engine, ...numbers);
                },
                data() {
                    const at = calls.data(engine);
                    return new Uint8Array(calls.memory.buffer, at, calls.size()).slice();
                },
            };
            dropped.register(made, engine);
            return made;
        },
    };
}
