import assert from "node:assert/strict";
import { test } from "node:test";
import { Meter } from "../stats.js";
import type { Peer } from "../types.js";

const rest = { state: "running", isSharing: true, isUploading: true } as const;

const media = () =>
    Object.assign(new EventTarget(), {
        seeking: false,
        currentTime: 5,
        buffered: { length: 1, start: () => 0, end: () => 12.5 },
    }) as unknown as HTMLMediaElement & { seeking: boolean };

function playing() {
    const meter = new Meter();
    const video = media();
    meter.watch(video);
    const happens = (...names: string[]) => names.forEach((name) => video.dispatchEvent(new Event(name)));
    return { meter, video, happens, stats: () => meter.stats([], rest) };
}

test("bytes are told by source, and the share is what came from peers in place of HTTP", () => {
    const meter = new Meter();
    assert.equal(meter.stats([], rest).share, 0);
    Object.assign(meter.bytes, { http: 100, peers: 200, superPeers: 100, storage: 5_000 });
    const { bytes, share } = meter.stats([], rest);
    assert.deepEqual(bytes, { http: 100, peers: 200, superPeers: 100, storage: 5_000, uploaded: 0 });
    assert.equal(share, 0.75);
});

test("a peer in two swarms is one peer", () => {
    const peer = (peerId: string, isSeeder: boolean) => ({ peerId, isSeeder }) as Peer;
    const { peers } = new Meter().stats([peer("a", false), peer("a", false), peer("s", true)], rest);
    assert.deepEqual(peers, { viewers: 1, superPeers: 1 });
});

test("waiting after the first frame is a stall until playback goes on", () => {
    const { happens, stats } = playing();
    happens("waiting", "playing", "waiting", "waiting");
    assert.equal(stats().stalls.count, 0);
    happens("playing");
    assert.equal(stats().stalls.count, 1);
    assert.ok((stats().firstFrameMs ?? -1) >= 0);
});

test("who seeks does not stall", () => {
    const { video, happens, stats } = playing();
    happens("playing");
    video.seeking = true;
    happens("seeking", "waiting", "playing");
    assert.equal(stats().stalls.count, 0);
});

test("the buffer reaches from the playhead to the next gap", () => {
    const { meter, stats } = playing();
    assert.equal(stats().bufferS, 7.5);
    meter.watch();
    assert.equal(stats().bufferS, 0);
});
