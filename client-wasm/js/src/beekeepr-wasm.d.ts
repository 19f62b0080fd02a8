// What wasm-bindgen makes of ../../src, so that the shell can be checked before the module is built.
// The build checks the shell once more against the real declarations.
declare module "beekeepr-wasm" {
    /** Gives the glue the module's exports. */
    export function __wbg_set_wasm(exports: WebAssembly.Exports): void;

    export class Engine {
        constructor(now: number, seedHigh: number, seedLow: number, values: Float64Array);
        free(): void;
        configure(now: number, values: Float64Array): void;
        poll(): number;
        number(index: number): number;
        text(): string;
        data(): Uint8Array;
        deadline(): number;
        tell(now: number, kind: number, a: number, b: number, c: number, text: string): void;
        streamAdded(now: number, stream: number, infoHash: string, peerId: string): boolean;
        swarmAdded(now: number, stream: number, infoHash: string, pairs: Float64Array): void;
        segmentsListed(now: number, stream: number, live: boolean, numbers: Float64Array): void;
        command(now: number, conn: number, message: Uint8Array): void;
        place(now: number, conn: number, bytes: number): boolean;
    }
}

// What the build makes of the module for the single-file script: gzipped, in base64.
declare module "beekeepr-wasm-packed" {
    const packed: string;
    export default packed;
}
