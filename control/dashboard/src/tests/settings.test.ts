import assert from "node:assert/strict";
import { test } from "node:test";
import { channel, fields } from "../settings.js";

const EMPTY = fields({ manifest: "" });

test("what is left empty is left out", () => {
    assert.deepEqual(channel({ ...EMPTY, manifest: " https://a/b.mpd " }), { manifest: "https://a/b.mpd" });
});

test("a channel survives its form", () => {
    const all = {
        manifest: "https://a/b.m3u8",
        swarm_id: "tv",
        swarm_id_parameters: ["id", "lang"],
        renditions: ["720p", "1080p"],
        prefetch_s: 60,
        warm_s: 0,
        headers: { "x-key": "a: b" },
        cookies: { session: "(hidden)" },
        allowed_hosts: ["*.cdn.example"],
        failover: ["https://b"],
        fetch_bps_max: 1_000_000,
        proxy: "none",
    };
    assert.deepEqual(channel(fields(all)), all);
    assert.deepEqual(channel(fields({ manifest: "x", renditions: "top" })), { manifest: "x", renditions: "top" });
});

test("what cannot be read names its field", () => {
    assert.throws(() => channel({ ...EMPTY, prefetch_s: "1.5" }), /Prefetch.*1\.5/);
    assert.throws(() => channel({ ...EMPTY, warm_s: "-1" }), /Warm-up/);
    assert.throws(() => channel({ ...EMPTY, headers: "x-key" }), /Headers.*x-key/);
});

test("one rendition by its height is a list, not a word", () => {
    assert.deepEqual(channel({ ...EMPTY, renditions: "720p" }).renditions, ["720p"]);
});
