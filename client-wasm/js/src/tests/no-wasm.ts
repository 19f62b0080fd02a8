// Stands in for the WebAssembly module: tests bring their own engine.

export const Engine = undefined;
export const __wbg_set_wasm = undefined;
