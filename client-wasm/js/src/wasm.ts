// Loading the WebAssembly module, once for the page.

import { wasmBytes } from "./wasm-bytes.js";

/** The engine. Tests put their own in its place. */
export interface WasmModule {
    Engine: new (now: number, seedHigh: number, seedLow: number, values: Float64Array) => WasmEngine;
}

/** The calls of `src/engine.rs`. */
export interface WasmEngine {
    configure(now: number, values: Float64Array): void;
    poll(): number;
    number(index: number): number;
    text(): string;
    data(): Uint8Array;
    deadline(): number;
    tell(now: number, kind: number, a: number, b: number, c: number, text: string): void;
    streamAdded(now: number, stream: number, infoHash: string, peerId: string): void;
    swarmAdded(now: number, stream: number, infoHash: string, pairs: Float64Array): void;
    segmentsListed(now: number, stream: number, live: boolean, numbers: Float64Array): void;
    command(now: number, conn: number, message: Uint8Array): void;
    place(now: number, conn: number, bytes: number): boolean;
}

/** What the module exports (`src/calls.rs`; the build compares the names). All but the memory take and give numbers. */
export const NAMES = [
    "close", "command", "configure", "data", "deadline", "number", "open", "place", "poll", "room", "segments_listed",
    "size", "stream_added", "swarm_added", "tell",
] as const;
type Calls = Record<(typeof NAMES)[number], (...numbers: number[]) => number> & { memory: WebAssembly.Memory };

let calls: Calls;

/** A page drops its engines without a word. */
const dropped = new FinalizationRegistry<number>((engine) => calls.close(engine));

/** An engine in the module; `#engine` is its number there. */
class Engine implements WasmEngine {
    readonly #engine: number;

    constructor(now: number, seedHigh: number, seedLow: number, values: Float64Array) {
        give(values);
        this.#engine = calls.open(now, seedHigh, seedLow);
        dropped.register(this, this.#engine);
    }

    configure(now: number, values: Float64Array): void {
        give(values);
        calls.configure(this.#engine, now);
    }

    poll(): number {
        return calls.poll(this.#engine);
    }

    number(index: number): number {
        return calls.number(this.#engine, index);
    }

    text(): string {
        return new TextDecoder().decode(this.data());
    }

    data(): Uint8Array {
        const at = calls.data(this.#engine);
        return new Uint8Array(calls.memory.buffer, at, calls.size()).slice();
    }

    deadline(): number {
        return calls.deadline(this.#engine);
    }

    tell(now: number, kind: number, a: number, b: number, c: number, text: string): void {
        give(new TextEncoder().encode(text));
        calls.tell(this.#engine, now, kind, a, b, c);
    }

    streamAdded(now: number, stream: number, infoHash: string, peerId: string): void {
        give(Float64Array.from(bytesOf(infoHash + peerId)));
        calls.stream_added(this.#engine, now, stream);
    }

    swarmAdded(now: number, stream: number, infoHash: string, pairs: Float64Array): void {
        give(Float64Array.of(...bytesOf(infoHash), ...pairs));
        calls.swarm_added(this.#engine, now, stream);
    }

    segmentsListed(now: number, stream: number, live: boolean, numbers: Float64Array): void {
        give(numbers);
        calls.segments_listed(this.#engine, now, stream, Number(live));
    }

    command(now: number, conn: number, message: Uint8Array): void {
        give(message);
        calls.command(this.#engine, now, conn);
    }

    place(now: number, conn: number, bytes: number): boolean {
        return calls.place(this.#engine, now, conn, bytes) > 0;
    }
}

/** Lays down what the next call takes in. */
function give({ buffer, byteOffset, byteLength }: Uint8Array | Float64Array): void {
    const at = calls.room(byteLength);
    new Uint8Array(calls.memory.buffer).set(new Uint8Array(buffer, byteOffset, byteLength), at);
}

/** Each character of an id stands for a byte. */
function bytesOf(ids: string): number[] {
    return Array.from(ids, (char) => char.charCodeAt(0));
}

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
        throw new Error(`http status ${response.status} for ${response.url}, expected the WebAssembly module`);
    }
    // Not as a stream: that needs a server that knows the type, and saves nothing at 75 KB.
    const bytes = await response.arrayBuffer();
    const { instance } = await WebAssembly.instantiate(bytes);
    calls = instance.exports as Calls;
    return { Engine };
}
