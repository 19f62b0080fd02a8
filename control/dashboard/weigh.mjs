// What a browser loads of the dashboard, gzipped, against its budget.

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** A phone on a slow line has it in a second. */
const BYTES_MAX = 60_000;

const dist = path.join(import.meta.dirname, "dist");
let sum = 0;
for (const name of await readdir(dist, { recursive: true })) {
    const bytes = await readFile(path.join(dist, name)).catch(() => undefined);
    if (bytes) {
        const size = gzipSync(bytes, { level: 9 }).length;
        sum += size;
        console.log(`${String(size).padStart(8)} B  ${name}`);
    }
}
console.log(`${String(sum).padStart(8)} B  of ${BYTES_MAX}`);
process.exit(sum > 0 && sum <= BYTES_MAX ? 0 : 1);
