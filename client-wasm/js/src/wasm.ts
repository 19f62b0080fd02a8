// Loading the WebAssembly module, once for the page.

import * as glue from "beekeepr-wasm";
import { wasmBytes } from "./wasm-bytes.js";

const { Engine } = glue;

/** The engine. Tests put their own in its place. */
export interface WasmModule {
    Engine: new (now: number, seedHigh: number, seedLow: number, values: Float64Array) => WasmEngine;
}

/** The calls of `src/engine.rs`. */
export type WasmEngine = glue.Engine;

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
    const imports = { "./beekeepr_client_wasm_bg.js": { ...glue } };
    const { instance } = await WebAssembly.instantiate(bytes, imports);
    glue.__wbg_set_wasm(instance.exports);
    (instance.exports["__wbindgen_start"] as () => void)();
    return { Engine };
}
