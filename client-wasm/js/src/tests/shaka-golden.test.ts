// The golden files once more, now with the reader's module: what the clients of each generation, run for real, called
// the swarms and segments of many manifests. Differences with reasons: core/playlist/tests/golden/differences.txt.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Generation } from "../identity.js";
import { Reader } from "../shaka-reader.js";
import { nameOf } from "./naming.js";

/** From where the compiled tests are. */
const at = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const GOLDEN = at("tests/fixtures/golden/");
const MODULE = at("target/wasm-pkg/beekeepr_client_playlist_bg.wasm");
const DIFFERENCES = readFileSync(at("core/playlist/tests/golden/differences.txt"), "utf8");
const skip = existsSync(MODULE) ? false : "the module is not built (cargo xtask wasm)";

/** A segment of hls-live that cannot be had: others list it and load it from nobody, we do not list it. */
const GAP = 620;

interface View {
    swarm_id: string;
    streams: { url?: string; representation?: string; info_hash: string; segments: [number, string][] }[];
}
interface Golden extends Record<Generation, View> {
    answered: string;
    file: string;
    clock?: string;
    playlists?: Record<string, { answered: string; file: string }>;
}

/** A reader that has read a case with all its playlists. */
async function read(golden: Golden) {
    const { instance } = await WebAssembly.instantiate(readFileSync(MODULE));
    const reader = new Reader(instance.exports as never);
    const { streams, clockMs } = reader.manifest(text(golden.file), golden.answered) ?? assert.fail("no manifest");
    for (const place of streams.keys()) readIndexes(reader, place);
    for (const [url, { answered, file }] of Object.entries(golden.playlists ?? {})) {
        const place = streams.findIndex((stream) => stream.runtimeId === new URL(url).href);
        if (place >= 0) assert.ok(reader.playlist(place, text(file), answered), url);
    }
    return { reader, streams, now: clockMs ?? Date.parse(golden.clock ?? "1970-01-01") };
}

function readIndexes(reader: Reader, place: number): void {
    for (const { place: index, url, start, end } of reader.indexes(place)) {
        const bytes = text(new URL(url).pathname).subarray(start, end && end + 1);
        assert.ok(reader.index(place, index, bytes), url);
    }
}

const text = (file: string) => new Uint8Array(readFileSync(path.join(GOLDEN, file)));
const keyOf = ({ url, representation }: View["streams"][number]) => (url ? new URL(url).href : representation);

/** Whether somebody has given a reason why segments differ. */
function isKnown(name: string, generation: Generation): boolean {
    const lines = DIFFERENCES.toLowerCase().replaceAll("v2index", "v2_index").split("\n");
    return lines.some((line) => line.startsWith(`${name} ${generation} `));
}

for (const file of readdirSync(GOLDEN).filter((name) => /^(dash|hls).*\.json$/.test(name))) {
    const name = file.replace(".json", "");
    test(`${name}: swarms and segments are those that the foreign clients see`, { skip }, async () => {
        const golden: Golden = JSON.parse(readFileSync(path.join(GOLDEN, file), "utf8"));
        const { reader, streams, now } = await read(golden);
        for (const generation of ["v2_index", "v2", "v3"] as const) {
            const { swarm_id: swarmId, streams: theirs } = golden[generation];
            for (const [place, stream] of streams.entries()) {
                const key = stream.runtimeId.replace(/^(video|audio)\//, "");
                const their = theirs.find((one) => keyOf(one) === key);
                if (!their) continue;
                assert.equal(nameOf(swarmId, stream, generation, streams), their.info_hash, `${generation} ${key}`);
                if (isKnown(name, generation) || their.segments.length === 0) continue;
                const theirIds = their.segments.map(([id]) => id).filter((id) => name !== "hls-live" || id !== GAP);
                const ours = reader.segments(place, now).segments.map((one) => (generation === "v3" ? one.sequence : one.externalId));
                assert.deepEqual(ours, theirIds, `${generation} ${key}`);
            }
        }
        reader.close();
    });
}
