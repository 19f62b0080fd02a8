// What a page with hls.js loads, gzipped. As a program: fails when dist/ weighs more than it may.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** p2p-media-loader 2.3.1 weighs 45.2 KB: core 42,232 and its hls.js adapter 2,919 bytes. */
const GZIP_BYTES_MAX = 45_000;

/** Of these, the script's; to be lowered with every saving (docs/decisions/wasm.md). */
const SCRIPT_GZIP_BYTES_MAX = 13_500;

/** The files that such a page loads. */
const PARTS = {
    module: "beekeepr-client_bg.wasm",
    [`script with hls.js adapter (${SCRIPT_GZIP_BYTES_MAX})`]: "beekeepr-client.js",
};

/** Weighs the files in `dist`. */
export async function weigh(dist) {
    const row = async ([what, name]) => {
        const bytes = await readFile(path.join(dist, name));
        return { what, plain: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
    };
    const rows = await Promise.all(Object.entries(PARTS).map(row));
    const sum = (key) => rows.reduce((total, one) => total + one[key], 0);
    const rare = await row(["rare options, on demand, not counted", "beekeepr-rare.js"]);
    const total = { what: `all (at most ${GZIP_BYTES_MAX})`, plain: sum("plain"), gzip: sum("gzip") };
    const line = ({ what, plain, gzip }) => `${what.padEnd(38)}${String(plain).padStart(8)}${String(gzip).padStart(8)}`;
    const table = ["client, bytes                            plain    gzip", ...[...rows, total, rare].map(line)].join("\n");
    const script = rows.at(-1).gzip;
    return { fits: total.gzip <= GZIP_BYTES_MAX && script <= SCRIPT_GZIP_BYTES_MAX, table };
}

if (process.argv[1] === import.meta.filename) {
    const { fits, table } = await weigh(path.join(import.meta.dirname, "dist"));
    console.log(table);
    process.exitCode = fits ? 0 : 1;
}
