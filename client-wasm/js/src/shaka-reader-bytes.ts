// Where the reader's bytes come from.

/** By default the file beside this script. */
export function readerBytes(url?: string): Promise<Response> {
    return fetch(url ?? new URL("./beekeepr-playlist_bg.wasm", import.meta.url));
}
