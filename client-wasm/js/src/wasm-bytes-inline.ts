// The module in the script itself, gzipped: base64 of the plain bytes would weigh two fifths more.

import packed from "beekeepr-wasm-packed";

/** From within, unless the page names a place. */
export async function wasmBytes(url?: string): Promise<Response> {
    if (url) {
        return fetch(url);
    }
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}
