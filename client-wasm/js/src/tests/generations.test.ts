// The golden files: what the clients of each generation, run for real, called the swarms of many manifests.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AttrList, M3U8Parser } from "hls.js";
import { streamsOf } from "../hlsjs-streams.js";
import type { Generation } from "../identity.js";
import { md5 } from "../md5.js";
import { nameOf } from "./naming.js";

const GOLDEN = fileURLToPath(new URL("../../tests/fixtures/golden/", import.meta.url));
const GENERATIONS: readonly Generation[] = ["v2_index", "v2", "v3"];

interface Golden extends Record<Generation, { swarm_id: string; streams: { url: string; info_hash: string }[] }> {
    answered: string;
    file: string;
}

/** What hls.js tells of a manifest (its `playlist-loader.ts`). */
function loaded(text: string, url: string) {
    if (!text.includes("#EXT-X-STREAM-INF")) {
        const attrs = new AttrList({});
        return { levels: [{ bitrate: 0, url, attrs }], audioTracks: [] } as never;
    }
    const parsed = M3U8Parser.parseMasterPlaylist(text, url);
    const { levels } = parsed;
    const { AUDIO: audioTracks = [] } = M3U8Parser.parseMasterPlaylistMedia(text, url, parsed);
    const first = levels[0];
    if (audioTracks.length > 0 && audioTracks.every((it) => it.url) && first?.audioCodec && !first.attrs["AUDIO"]) {
        audioTracks.unshift({ attrs: new AttrList({}), url: "", groupId: "main", name: "main" } as never);
    }
    return { levels, audioTracks };
}

for (const file of readdirSync(GOLDEN).filter((name) => /^hls.*\.json$/.test(name))) {
    const golden: Golden = JSON.parse(readFileSync(path.join(GOLDEN, file), "utf8"));
    for (const generation of GENERATIONS) {
        test(`${file}: the swarms of ${generation}`, () => {
            const text = readFileSync(path.join(GOLDEN, golden.file), "utf8");
            const streams = streamsOf(loaded(text, golden.answered));
            const { swarm_id: swarmId, streams: theirs } = golden[generation];
            const ours = new Map<string, string | undefined>();
            for (const stream of streams) {
                const url = stream.runtimeId && new URL(stream.runtimeId).href;
                // Of several streams with one address the first counts, as in the core.
                if (!ours.has(url)) ours.set(url, nameOf(swarmId, stream, generation, streams));
            }
            // hls.js passes over camera angles and codecs that it does not know; nobody plays them here.
            const played = theirs.filter(({ url }) => ours.has(new URL(url).href));
            assert.ok(played.length > 0 && (generation === "v3" || played.length === theirs.length));
            for (const { url, info_hash } of played) {
                assert.equal(ours.get(new URL(url).href), info_hash, url);
            }
        });
    }
}

test("hashes are MD5, whatever the length", async () => {
    const { createHash } = await import("node:crypto");
    for (const length of [0, 1, 27, 28, 31, 32, 60, 500]) {
        const text = "ü".repeat(length);
        assert.equal(Buffer.from(md5(text)).toString("hex"), createHash("md5").update(text).digest("hex"));
    }
});
