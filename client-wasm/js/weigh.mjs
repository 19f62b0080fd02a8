// What a page with hls.js loads, gzipped. As a program: fails when dist/ weighs more than it may.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** The aim. p2p-media-loader 2.3.1 weighs 45.2 KB: core 42,232 and its hls.js adapter 2,919 bytes. */
const GZIP_BYTES_AIM = 45_000;

/** What it weighs now that it also does what the model does not; to be lowered with every saving (docs/benchmarks). */
const GZIP_BYTES_MAX = 49_000;

/** The files that such a page loads. */
const PARTS = {
    module: "beekeepr-client_bg.wasm",
    "script with glue and hls.js adapter": "beekeepr-client.js",
};

/** Weighs the files in `dist`. */
export async function weigh(dist) {
    const row = async ([what, name]) => {
        const bytes = await readFile(path.join(dist, name));
        return { what, plain: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
    };
    const rows = await Promise.all(Object.entries(PARTS).map(row));
    const sum = (key) => rows.reduce((total, one) => total + one[key], 0);
    const total = { what: `all (aim ${GZIP_BYTES_AIM}, at most ${GZIP_BYTES_MAX})`, plain: sum("plain"), gzip: sum("gzip") };
    const line = ({ what, plain, gzip }) => `${what.padEnd(38)}${String(plain).padStart(8)}${String(gzip).padStart(8)}`;
    const table = ["client, bytes                            plain    gzip", ...[...rows, total].map(line)].join("\n");
    return { gzip: total.gzip, table };
}

if (process.argv[1] === import.meta.filename) {
    const { gzip, table } = await weigh(path.join(import.meta.dirname, "dist"));
    console.log(table);
    process.exitCode = gzip > GZIP_BYTES_MAX ? 1 : 0;
}
