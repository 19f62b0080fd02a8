// Where the reader's bytes come from.

/** By default the file beside this script. The first segments go by without the reader, so it gives way to them. */
export function readerBytes(url?: string): Promise<Response> {
    return fetch(url ?? new URL("./beekeepr-playlist_bg.wasm", import.meta.url), { priority: "low" });
}
