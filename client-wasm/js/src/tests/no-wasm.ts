// Stands in for the WebAssembly module: tests bring their own engine.

export default function init(): Promise<never> {
    return Promise.reject(new Error("no WebAssembly module in unit tests"));
}
export const Engine = undefined;
export const peerId = undefined;
