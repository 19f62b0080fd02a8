import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultInfoHash, identityText } from "../identity.js";
import { sha1Base64 } from "../sha1.js";

const of = (properties: object) => identityText({ bitrate: 0, ...properties });

test("the fields stand in p2p-media-loader's order", () => {
    const stream = { bitrate: 1_700_000, codecs: "avc1.4d401e", width: 640, height: 360 };
    assert.equal(of(stream), "1700000-avc1.4d401e-640-360-----");
    const audio = { codecs: "mp4a.40.2", language: "en-US", channels: "2/JOC", name: " Main " };
    assert.equal(of(audio), "0-mp4a.40.2---en-2-main--");
});

// The cases of core/model, which were taken from p2p-media-loader 2.3.1.
test("codecs are trimmed, in lower case, sorted, and in hexadecimal", () => {
    const cases = [
        [" HVC1.2 ,avc1.66.30", "avc1.42001e,hvc1.2"],
        ["avc.77.9", "avc.4d0009"],
        ["avc1.300.1", "avc1.12c0001"],
        ["avc1.-5.30", "avc1.-5001e"],
        ["avc1.066.30,avc1.66.30.1", "avc1.066.30,avc1.66.30.1"],
        ["hvc1.66.30", "hvc1.66.30"],
        ["b,,a,", ",,a,b"],
    ];
    for (const [codecs, form] of cases) {
        assert.equal(of({ codecs }), `0-${form}-------`);
    }
});

test("languages are cut to two letters before all else", () => {
    const cases = { "en-US": "en", DE: "de", " en": " e", und: "", UND: "un" };
    for (const [language, form] of Object.entries(cases)) {
        assert.equal(of({ language }), `0----${form}----`);
    }
});

test("names, frame rates and ranges have one form", () => {
    assert.equal(of({ name: "\u{feff} ΚΑΛΗΜΕΡΑΣ İ\u{a0}" }), "0------καλημερας i\u{307}--");
    for (const [frameRate, form] of Object.entries({ "30.000": "30", "29.970": "29.97", x: "", " ": "0" })) {
        assert.equal(of({ frameRate }), `0-------${form}-`);
    }
    assert.equal(of({ videoRange: " pq " }), "0--------PQ");
});

test("a bitrate that is missing is so in the name", () => {
    assert.equal(of({ bitrate: Number.NaN }), "NaN--------");
});

// p2p-media-loader 2.3.1 gave this hash for the same variant.
test("a stream meets p2p-media-loader 2.3", () => {
    const properties = { bitrate: 1.7e6, codecs: "avc1.4d401e", width: 640, height: 360 };
    const stream = { runtimeId: "", type: "main" as const, properties };
    assert.equal(defaultInfoHash("http://127.0.0.1:8000/hls/live.m3u8", stream), "hpw5DN1BrHoy/nDyIVbD");
});

test("hashes are SHA-1, whatever the length", async () => {
    for (const length of [0, 1, 3, 54, 55, 56, 63, 64, 65, 119, 120, 1_000]) {
        const text = "ü".repeat(length);
        const right = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
        assert.equal(sha1Base64(text), Buffer.from(right).toString("base64"), `${length} letters`);
    }
});
