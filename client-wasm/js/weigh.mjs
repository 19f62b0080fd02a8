// What a page with hls.js or with Shaka Player loads, gzipped. As a program: fails when dist/ weighs more than it may.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** p2p-media-loader 2.3.1 weighs 45.2 KB: core 42,232 and its hls.js adapter 2,919 bytes. */
const GZIP_BYTES_MAX = 45_000;

/** Of these, the script's; to be lowered with every saving (docs/decisions/wasm.md). */
const SCRIPT_GZIP_BYTES_MAX = 13_500;

/** What a page with Shaka Player loads besides: its adapter and the reader of manifests (docs/decisions/shaka.md). */
const SHAKA_GZIP_BYTES_MAX = 66_500;

/** The files that a page with hls.js loads. */
const PARTS = {
    module: "beekeepr-client_bg.wasm",
    [`script with hls.js adapter (${SCRIPT_GZIP_BYTES_MAX})`]: "beekeepr-client.js",
};

/** Those that one with Shaka Player loads as well. */
const SHAKA_PARTS = {
    "manifest reader": "beekeepr-playlist_bg.wasm",
    "Shaka Player adapter": "beekeepr-shaka.js",
};

/** Weighs the files in `dist`. */
export async function weigh(dist) {
    const row = async ([what, name]) => {
        const bytes = await readFile(path.join(dist, name));
        return { what, plain: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
    };
    const weighed = (parts) => Promise.all(Object.entries(parts).map(row));
    const sum = (what, rows) => {
        const total = (key) => rows.reduce((all, one) => all + one[key], 0);
        return { what, plain: total("plain"), gzip: total("gzip") };
    };
    const [hlsjs, shaka] = [await weighed(PARTS), await weighed(SHAKA_PARTS)];
    const all = sum(`all with hls.js (at most ${GZIP_BYTES_MAX})`, hlsjs);
    const more = sum(`more with Shaka (at most ${SHAKA_GZIP_BYTES_MAX})`, shaka);
    const rare = await row(["rare options, on demand, not counted", "beekeepr-rare.js"]);
    const rows = [...hlsjs, all, ...shaka, more, sum("all with Shaka Player", [...hlsjs, ...shaka]), rare];
    const line = ({ what, plain, gzip }) => `${what.padEnd(38)}${String(plain).padStart(8)}${String(gzip).padStart(8)}`;
    const table = ["client, bytes                            plain    gzip", ...rows.map(line)].join("\n");
    const script = hlsjs.at(-1).gzip;
    const fitsHlsjs = all.gzip <= GZIP_BYTES_MAX && script <= SCRIPT_GZIP_BYTES_MAX;
    return { fits: fitsHlsjs && more.gzip <= SHAKA_GZIP_BYTES_MAX, table };
}

if (process.argv[1] === import.meta.filename) {
    const { fits, table } = await weigh(path.join(import.meta.dirname, "dist"));
    console.log(table);
    process.exitCode = fits ? 0 : 1;
}
