// Loading the WebAssembly module, once for the page.

import init, { Engine, peerId } from "beekeepr-wasm";

/** The engine and its helpers. Tests put their own in its place. */
export interface WasmModule {
    Engine: new (now: number, seedHigh: number, seedLow: number, values: Float64Array) => WasmEngine;
    peerId: typeof peerId;
}

/** The calls of `src/engine.rs`. */
export type WasmEngine = Engine;

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
    await init({ module_or_path: url ?? new URL("./beekeepr-client_bg.wasm", import.meta.url) });
    return { Engine, peerId };
}
