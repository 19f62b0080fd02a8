// Where the module's bytes come from. The single-file build has `wasm-bytes-inline.ts` in this one's place.

/** By default the file beside this script. */
export function wasmBytes(url?: string): Promise<Response> {
    return fetch(url ?? new URL("./beekeepr-client_bg.wasm", import.meta.url));
}
