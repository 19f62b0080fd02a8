import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Core } from "../core.js";
import { type Asked, type Document, Presentation } from "../shaka-presentation.js";
import type { ManifestReader, ReadIndex, ReadManifest } from "../shaka-reader.js";
import type { ListedSegment } from "../streams.js";
import { settled } from "./fake-engine.js";

const MPD = "http://origin/live.mpd";
const MASTER = "http://origin/master.m3u8";

function segment(number: number, url = `http://origin/${number}.m4s`): ListedSegment {
    return { runtimeId: url, url, externalId: number, sequence: 10 * number, startTime: 2 * number, endTime: 2 * number + 2 };
}

/** A presentation that a reader of the test's own reads, and what the core hears. */
function make(kind: ReadManifest["kind"], streams: string[]) {
    const heard: unknown[][] = [];
    const state = {
        segments: [segment(0), segment(1), segment(2)],
        live: false,
        nextMs: undefined as number | undefined,
        clockMs: undefined as number | undefined,
        streams,
        indexes: [] as ReadIndex[],
        closed: false,
        askedAt: 0,
    };
    const core = {
        setManifestResponseUrl: (...urls: string[]) => void heard.push(["manifest", ...urls]),
        addStreamIfNoneExists: ({ runtimeId }: { runtimeId: string }) => void heard.push(["stream", runtimeId]),
        setSegments: (stream: string, listed: ListedSegment[], live: boolean) =>
            void heard.push(["list", stream, listed.map(({ externalId, startTime }) => [externalId, startTime]), live]),
    } as unknown as Core;
    const reader: ManifestReader = {
        manifest: (text) =>
            text.length === 0 ? undefined
            : {
                kind,
                clockMs: state.clockMs,
                streams: state.streams.map((runtimeId) => ({ runtimeId, type: "main", properties: { bitrate: 0 } })),
            },
        playlist: (place) => (heard.push(["playlist", place]), true),
        indexes: () => state.indexes,
        index: (...given) => (heard.push(["index", ...given.slice(0, 2)]), true),
        segments: (_, nowMs) => ((state.askedAt = nowMs), { live: state.live, nextMs: state.nextMs, segments: state.segments }),
        close: () => void (state.closed = true),
    };
    let loaded: (reader: ManifestReader | undefined) => void = () => undefined;
    const presentation = new Presentation(core, new Promise((resolve) => (loaded = resolve)));
    const load = async () => (loaded(reader), await settled());
    return { presentation, heard, state, load, lists: () => heard.filter(([what]) => what === "list") };
}

function document(url: string, rest: Partial<Document> = {}): Document {
    const bytes = new TextEncoder().encode(url.endsWith(".mpd") ? "<MPD/>" : "#EXTM3U");
    return { bytes, url, requestedUrl: url, writtenUrl: url, receivedMs: Date.now(), ...rest };
}

function asked(number: number, startTime: number | undefined, rest: Partial<Asked> = {}): Asked {
    return { urls: [segment(number).url], range: undefined, startTime, stream: undefined, streamName: undefined, ...rest };
}

test("a manifest that comes before the reader is read when that is there", async () => {
    const { presentation, heard, load } = make("dash", ["video/1", "audio/2"]);
    presentation.manifest(document(MPD, { writtenUrl: "http://ORIGIN/live.mpd" }));
    assert.equal(presentation.find(asked(1, 2)), undefined);
    assert.deepEqual(heard, []);
    await load();
    assert.deepEqual(heard, [["manifest", MPD, "http://ORIGIN/live.mpd"], ["stream", "video/1"], ["stream", "audio/2"]]);
});

test("a stream is listed when the player asks for its first segment, where Shaka has that", async () => {
    const { presentation, load, lists } = make("dash", ["video/1"]);
    presentation.manifest(document(MPD));
    await load();
    assert.deepEqual(lists(), []);
    assert.equal(presentation.find(asked(1, 102))?.runtimeId, segment(1).url);
    assert.deepEqual(lists(), [["list", "video/1", [[0, 100], [1, 102], [2, 104]], false]]);
    // The next one stands where it was expected: nothing new.
    presentation.find(asked(2, 104.1));
    assert.equal(lists().length, 1);
    presentation.find(asked(2, 105));
    assert.deepEqual(lists()[1]?.[2], [[0, 101], [1, 103], [2, 105]]);
});

test("of several segments of one address the one at Shaka's time is meant", async () => {
    const { presentation, state, load } = make("dash", ["video/1"]);
    const ad = "http://origin/ad.m4s";
    state.segments = [segment(0), segment(1, ad), segment(2), segment(30, ad)];
    presentation.manifest(document(MPD));
    await load();
    presentation.find(asked(0, 0));
    assert.equal(presentation.find(asked(0, 61, { urls: [ad] }))?.sequence, 300);
    assert.equal(presentation.find(asked(0, 2, { urls: [ad] }))?.sequence, 10);
});

test("what no stream lists is not found", async () => {
    const { presentation, load } = make("dash", ["video/1"]);
    presentation.manifest(document(MPD));
    await load();
    assert.equal(presentation.find(asked(9, 18)), undefined);
    assert.equal(presentation.find(asked(1, 2, { range: { start: 0, end: 9 } })), undefined);
});

test("HLS playlists belong to their streams, and list anew only what is played", async () => {
    const { presentation, state, heard, load, lists } = make("hls", ["http://origin/a.m3u8", "http://origin/b.m3u8"]);
    state.live = true;
    presentation.manifest(document(MASTER));
    await load();
    presentation.manifest(document("http://cdn/b.m3u8", { requestedUrl: "http://origin/b.m3u8" }));
    assert.deepEqual(heard.at(-1), ["playlist", 1]);
    presentation.find(asked(1, 50));
    state.segments = [segment(1), segment(2), segment(3)];
    presentation.manifest(document("http://origin/a.m3u8"));
    assert.deepEqual(lists().at(-1), ["list", "http://origin/a.m3u8", [[1, 50], [2, 52], [3, 54]], true]);
    // Without a time there is no place for a live segment.
    presentation.manifest(document("http://origin/b.m3u8"));
    assert.equal(lists().length, 2);
});

test("a newer manifest keeps what is known of its streams, in whatever order", async () => {
    const { presentation, state, load, lists } = make("dash", ["video/1", "video/2"]);
    state.live = true;
    presentation.manifest(document(MPD));
    await load();
    presentation.find(asked(1, 12));
    state.streams = ["video/0", "video/1"];
    state.segments = [segment(2), segment(3)];
    presentation.manifest(document(MPD));
    assert.deepEqual(lists().at(-1), ["list", "video/1", [[2, 14], [3, 16]], true]);
});

test("a live stream is listed again when its next segment is there, by the presentation's clock", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    try {
        const { presentation, state, load, lists } = make("dash", ["video/1"]);
        Object.assign(state, { live: true, nextMs: 1_063_000, clockMs: 1_060_000 });
        presentation.manifest(document(MPD));
        await load();
        presentation.find(asked(1, 2));
        assert.equal(state.askedAt, 1_060_000);
        state.segments = [segment(1), segment(2), segment(3)];
        state.nextMs = 1_065_000;
        mock.timers.tick(3_000);
        assert.equal(lists().length, 1);
        mock.timers.tick(1);
        assert.deepEqual(lists().at(-1)?.[2], [[1, 2], [2, 4], [3, 6]]);
        // A time server knows better.
        presentation.clock(1_070_000, 1_003_001);
        assert.equal(state.askedAt, 1_070_000);
        presentation.close();
        mock.timers.tick(100_000);
        assert.equal(lists().length, 3);
    } finally {
        mock.timers.reset();
    }
});

test("bytes at the place of an index are read as one", async () => {
    const { presentation, state, heard, load } = make("dash", ["video/1"]);
    state.indexes = [{ place: 3, url: "http://origin/v.mp4", start: 800, end: 999 }];
    presentation.manifest(document(MPD));
    await load();
    presentation.index(document("http://origin/v.mp4", { range: { start: 0, end: 799 } }));
    presentation.index(document("http://origin/a.mp4", { range: { start: 800, end: 999 } }));
    assert.equal(heard.some(([what]) => what === "index"), false);
    presentation.index(document("http://origin/v.mp4", { range: { start: 800, end: 999 } }));
    assert.deepEqual(heard.at(-1), ["index", 0, 3]);
});

test("a presentation that is over closes its reader, also one that comes late", async () => {
    const { presentation, state, heard, load } = make("dash", ["video/1"]);
    presentation.manifest(document(MPD));
    presentation.close();
    await load();
    assert.deepEqual([state.closed, heard], [true, []]);
});
