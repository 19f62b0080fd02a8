import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fragment, LevelDetails, LevelParsed, ManifestLoadedData, MediaPlaylist } from "hls.js";
import { Core } from "../core.js";
import { syncCount } from "../hlsjs-playlist-loader.js";
import { listFragments, runtimeIdOf, streamsOf } from "../hlsjs-streams.js";

const never = () => new Promise<never>(() => {});

function fragment(sn: number, more: Partial<Fragment> = {}): Fragment {
    return { sn, url: `http://o.test/${sn}.ts`, start: sn * 2, duration: 2, ...more } as Fragment;
}

function listing(...playlists: [live: boolean, fragments: Fragment[]][]) {
    const core = new Core({}, never());
    core.addStreamIfNoneExists({ runtimeId: "v.m3u8", type: "main", properties: { bitrate: 1 } });
    for (const [live, fragments] of playlists) {
        listFragments(core, { url: "redirected.m3u8", live, fragments } as LevelDetails, ["v.m3u8"]);
    }
    return core.getSegments("v.m3u8");
}

test("live segments are numbered by media sequence, others from 0", () => {
    const fragments = [fragment(10), fragment(11)];
    assert.deepEqual(listing([true, fragments]).map((one) => one.externalId), [10, 11]);
    assert.deepEqual(listing([false, fragments]).map((one) => one.externalId), [0, 1]);
});

test("when a live stream ends, segments keep the numbers they have", () => {
    const ended = listing([true, [fragment(10), fragment(11)]], [false, [fragment(11), fragment(12)]]);
    assert.deepEqual(ended.map((one) => one.externalId), [11, 1]);
});

test("parts of one file are segments of their own", () => {
    const part = fragment(1, { byteRangeStartOffset: 100, byteRangeEndOffset: 200 } as Partial<Fragment>);
    assert.equal(runtimeIdOf(part), "http://o.test/1.ts|100-199");
    assert.deepEqual(listing([false, [part]])[0]?.byteRange, { start: 100, end: 199 });
});

test("gaps are no segments, but they count", () => {
    const [only, ...others] = listing([false, [fragment(7, { gap: true }), fragment(8)]]);
    assert.deepEqual([only?.externalId, others.length], [1, 0]);
});

test("a variant is named by its video alone", () => {
    const level = {
        url: "v.m3u8",
        bitrate: 900,
        videoCodec: "avc1.4d401e",
        audioCodec: "mp4a.40.2",
        width: 640,
        height: 360,
        attrs: { "FRAME-RATE": "30.000", "VIDEO-RANGE": "SDR" },
    } as unknown as LevelParsed;
    const [stream] = streamsOf({ levels: [level], audioTracks: [] } as unknown as ManifestLoadedData);
    assert.deepEqual(stream, {
        runtimeId: "v.m3u8",
        type: "main",
        properties: {
            bitrate: 900,
            codecs: "avc1.4d401e",
            width: 640,
            height: 360,
            frameRate: "30.000",
            videoRange: "SDR",
        },
        index: 0,
        written: { attrs: level.attrs, variants: [level.attrs] },
    });
});

test("without a bitrate nothing else names a variant", () => {
    const level = { url: "v.m3u8", bitrate: 0, videoCodec: "avc1", width: 1, attrs: {} };
    const data = { levels: [level], audioTracks: [] } as unknown as ManifestLoadedData;
    assert.deepEqual(streamsOf(data)[0]?.properties, { bitrate: 0 });
    const missing = { levels: [{ ...level, bitrate: NaN }], audioTracks: [] } as unknown as ManifestLoadedData;
    assert.equal(streamsOf(missing)[0]?.properties.width, 1);
});

test("an audio rendition is a secondary stream without bitrate", () => {
    const track = { url: "a.m3u8", audioCodec: "mp4a.40.2", lang: "en", channels: "2", name: "English", attrs: {} };
    const data = { levels: [], audioTracks: [track as unknown as MediaPlaylist] } as unknown as ManifestLoadedData;
    const [stream] = streamsOf(data);
    assert.equal(stream?.type, "secondary");
    assert.deepEqual(stream?.properties, {
        bitrate: 0,
        codecs: "mp4a.40.2",
        language: "en",
        channels: "2",
        name: "English",
    });
});

const playlist = (target: number, segments: number, more = "") =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:${target}\n${"#EXTINF:2,\ns.ts\n".repeat(segments)}${more}`;

test("a live player stays as far behind as the playlist goes, two minutes at most", () => {
    assert.equal(syncCount(playlist(2, 20)), 18);
    assert.equal(syncCount(playlist(6, 100)), 20);
    assert.equal(syncCount(playlist(60, 100)), 3);
    assert.equal(syncCount(playlist(2, 4)), 3);
    assert.equal(syncCount(playlist(2, 1)), 1);
});

test("on demand, at low latency and for what is no playlist the player places itself", () => {
    assert.equal(syncCount(playlist(2, 20, "#EXT-X-ENDLIST\n")), undefined);
    assert.equal(syncCount(playlist(2, 20, "#EXT-X-PART-INF:PART-TARGET=0.3\n")), undefined);
    assert.equal(syncCount("not a playlist"), undefined);
});
