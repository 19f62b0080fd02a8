import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Action } from "../action.js";
import { Core } from "../core.js";
import { defaultInfoHash } from "../identity.js";
import type { SegmentStorage } from "../page-storage.js";
import type { ListedSegment } from "../streams.js";
import type { EngineCallbacks, SegmentResponse, Stream } from "../types.js";
import type { WasmModule } from "../wasm.js";
import { FakeEngine, settled } from "./fake-engine.js";
import { nameOf } from "./naming.js";

const realFetch = globalThis.fetch;
beforeEach(() => {
    globalThis.fetch = async () => new Response("abcd", { headers: { "Content-Length": "4" } });
});
afterEach(() => {
    globalThis.fetch = realFetch;
});

const stream: Stream = { runtimeId: "main.m3u8", type: "main", properties: { bitrate: 1000 } };
const segment = (id: number): ListedSegment => ({
    runtimeId: `s${id}.ts`,
    externalId: id,
    sequence: id,
    url: `http://origin.test/s${id}.ts`,
    startTime: 2 * id,
    endTime: 2 * id + 2,
});

function callbacks() {
    const got: unknown[][] = [];
    const made: EngineCallbacks = {
        onSuccess: (response: SegmentResponse) => void got.push(["success", response]),
        onError: (reason) => void got.push(["error", reason.type]),
    };
    return { got, made };
}

function listed(core: Core): void {
    core.setManifestResponseUrl("http://origin.test/master.m3u8?token=1");
    core.addStreamIfNoneExists(stream);
    core.setSegments("main.m3u8", [segment(1), segment(2)], true);
}

/** A core whose engine runs and knows two segments; `key` is the engine's number for the stream. */
async function running() {
    const engine = new FakeEngine();
    const core = new Core({}, Promise.resolve(engine.module()));
    listed(core);
    await settled();
    const key = engine.calls.find(([name]) => name === "streamAdded")?.[1] as number;
    return { engine, core, key };
}

test("with all generations a stream has three swarms, and 5.x its own numbers", async () => {
    const engine = new FakeEngine();
    const core = new Core({ generation: "auto" }, Promise.resolve(engine.module()));
    core.setManifestResponseUrl("http://cdn.test/master.m3u8", "http://origin.test/master.m3u8");
    const named = { ...stream, index: 0, asWritten: "0--------" };
    core.addStreamIfNoneExists(named);
    core.setSegments("main.m3u8", [{ ...segment(0), sequence: 7 }, { ...segment(1), sequence: 8 }], false);
    await settled();
    const swarms = engine.calls.flatMap((call) => (call[0].endsWith("Added") ? [call[2]] : []));
    const [answered, requested] = ["http://cdn.test/master.m3u8", "http://origin.test/master.m3u8"];
    const newest = nameOf(requested, named, "v3");
    const others = [nameOf(answered, named, "v2_index"), newest];
    assert.deepEqual(swarms, [defaultInfoHash(answered, named), ...others, newest]);
    assert.deepEqual(engine.calls.at(-1)?.slice(2), [newest, Float64Array.from([0, 7, 1, 8])]);
});

test("until the engine is there the player's own loader serves", async () => {
    const engine = new FakeEngine();
    let arrive: (module: WasmModule) => void = () => {};
    const core = new Core({}, new Promise((done) => (arrive = done)));
    listed(core);
    assert.ok(!core.loadSegment("s1.ts", callbacks().made));
    arrive(engine.module());
    await settled();
    assert.deepEqual(engine.names(), ["streamAdded", "segmentsListed"]);
    assert.ok(core.loadSegment("s1.ts", callbacks().made));
});

test("without an engine it stays so, and the page hears of it", async () => {
    const reasons: unknown[] = [];
    const core = new Core({}, Promise.reject(new Error("no module")));
    core.addEventListener("onEngineFailed", (reason) => void reasons.push(reason));
    listed(core);
    await settled();
    assert.equal(reasons.length, 1);
    assert.ok(!core.loadSegment("s1.ts", callbacks().made));
});

test("the swarm is named by the manifest without its query", async () => {
    const { engine } = await running();
    const [, , swarm, peerId] = engine.calls.find(([name]) => name === "streamAdded") ?? [];
    assert.equal(swarm, defaultInfoHash("http://origin.test/master.m3u8", stream));
    assert.match(String(peerId), /^-BK0001-[A-Za-z0-9]{12}$/);
});

test("a wanted segment comes with its bytes", async () => {
    const { engine, core, key } = await running();
    const { got, made } = callbacks();
    engine.onCall = ([name]) => {
        if (name === "segmentWanted") engine.queue.push({ kind: Action.FetchStart, numbers: [key, 1, 3, 0] });
        if (name === "fetchDone") engine.queue.push({ kind: Action.SegmentReady, numbers: [key, 1, 8000] });
    };
    assert.ok(core.loadSegment("s1.ts", made));
    await settled().then(settled).then(settled);
    const [[kind, response]] = got as [[string, SegmentResponse]];
    assert.equal(kind, "success");
    assert.equal(Buffer.from(response.data).toString(), "abcd");
    assert.equal(response.bandwidth, 8000);
});

test("a trap gives wanted segments back, and the next ones are declined", async () => {
    const { engine, core } = await running();
    const { got, made } = callbacks();
    core.loadSegment("s1.ts", made);
    engine.onCall = () => {
        throw new WebAssembly.RuntimeError("unreachable");
    };
    core.updatePlayback(1, 1);
    assert.deepEqual(got, [["error", "failed"]]);
    assert.ok(!core.loadSegment("s2.ts", callbacks().made));
});

test("a segment that was given up is not delivered", async () => {
    const { engine, core } = await running();
    const { got, made } = callbacks();
    core.loadSegment("s1.ts", made);
    core.abortSegmentLoading("s1.ts");
    core.destroy();
    assert.ok(engine.names().includes("segmentUnwanted"));
    assert.deepEqual(got, []);
});

test("leaving takes the streams out of the engine and gives wanted segments back", async () => {
    const { engine, core, key } = await running();
    const { got, made } = callbacks();
    core.loadSegment("s1.ts", made);
    core.destroy();
    assert.deepEqual(engine.calls.at(-1), ["streamRemoved", key]);
    assert.deepEqual(got, [["error", "failed"]]);
    assert.ok(!core.hasStream("main.m3u8"));
});

test("a stream whose sharing is off is left to the player's own loader", async () => {
    const { core } = await running();
    core.applyDynamicConfig({ mainStream: { isP2PDisabled: true } });
    assert.ok(!core.isSegmentLoadable("s1.ts"));
});

test("a segment that no playlist lists is told of, with its part of the file", async () => {
    const { core } = await running();
    const missed: unknown[] = [];
    core.addEventListener("onSegmentRegistryMiss", ({ url, byteRange }) => missed.push(url, byteRange));
    assert.ok(!core.loadSegment("http://origin.test/x.ts", callbacks().made));
    assert.ok(!core.loadSegment("http://origin.test/x.ts|5-99", callbacks().made));
    assert.deepEqual(missed, ["http://origin.test/x.ts", undefined, "http://origin.test/x.ts", { start: 5, end: 99 }]);
});

test("a segment is loaded for one caller at a time", async () => {
    const { core } = await running();
    assert.ok(core.loadSegment("s1.ts", callbacks().made));
    assert.ok(!core.loadSegment("s1.ts", callbacks().made));
});

test("before anything plays, the playhead is where the first wanted segment begins", async () => {
    const { engine, core } = await running();
    core.loadSegment("s2.ts", callbacks().made);
    assert.deepEqual(engine.calls.find(([name]) => name === "playback"), ["playback", 4000, 1000]);
});

test("peers and their bytes reach the page", async () => {
    const { engine, core, key } = await running();
    const heard: unknown[][] = [];
    core.addEventListener("onPeerConnect", (details) => void heard.push(["connect", details]));
    core.addEventListener("onChunkDownloaded", (...args) => void heard.push(["bytes", ...args]));
    const text = "-BS0001-abcdefghijkl";
    engine.queue.push(
        { kind: Action.PeerConnected, numbers: [key], text },
        { kind: Action.Downloaded, numbers: [key, 1, 100], text },
        { kind: Action.Downloaded, numbers: [key, 1, 50] },
    );
    core.updatePlayback(0, 1);
    assert.deepEqual(heard, [
        ["connect", { peerId: text, streamType: "main" }],
        ["bytes", 100, "p2p", text],
        ["bytes", 50, "http", undefined],
    ]);
    const [peer] = core.getPeers();
    assert.deepEqual([peer?.isSeeder, peer?.streamId], [true, "main.m3u8"]);
});

test("a listener that throws stops neither the others nor the engine", async () => {
    const { engine, core, key } = await running();
    let heard = 0;
    const reported: unknown[] = [];
    (globalThis as { reportError?: unknown }).reportError = (error: unknown) => void reported.push(error);
    core.addEventListener("onChunkUploaded", () => {
        throw new Error("listener");
    });
    core.addEventListener("onChunkUploaded", () => void heard++);
    engine.queue.push({ kind: Action.Uploaded, numbers: [key, 1, 9], text: "-BK0001-abcdefghijkl" });
    core.updatePlayback(0, 1);
    assert.equal(heard, 1);
    assert.equal(reported.length, 1);
    assert.ok(core.isSegmentLoadable("s1.ts"));
});

test("errors carry p2p-media-loader's types", async () => {
    const { engine, core, key } = await running();
    const types: string[] = [];
    core.addEventListener("onSegmentError", ({ error }) => void types.push(error.type));
    engine.queue.push(
        { kind: Action.SegmentError, numbers: [key, 1, 0, 404] },
        { kind: Action.SegmentError, numbers: [key, 1, 7, 0], text: "-BK0001-abcdefghijkl" },
    );
    core.updatePlayback(0, 1);
    assert.deepEqual(types, ["http-error", "bytes-receiving-timeout"]);
});

/** A storage that keeps what it is given and tells what it was asked. */
function fakeStorage() {
    const kept = new Map<number, ArrayBuffer>();
    const asked: string[] = [];
    const storage: SegmentStorage = {
        initialize: async () => void asked.push("initialize"),
        onPlaybackUpdated: () => void asked.push("played"),
        onSegmentRequested: (_swarm, _stream, id) => void asked.push(`requested ${id}`),
        storeSegment: async (_swarm, _stream, id, data) => void kept.set(id, data),
        getSegmentData: async (_swarm, _stream, id) => kept.get(id),
        getUsage: () => ({ totalCapacity: 1, usedCapacity: 0 }),
        hasSegment: (_swarm, _stream, id) => kept.has(id),
        getStoredSegmentIds: () => [...kept.keys()],
        setSegmentChangeCallback: () => void asked.push("callback"),
        destroy: () => void asked.push("destroy"),
    };
    return { kept, asked, storage };
}

async function withStorage(storage: SegmentStorage) {
    const engine = new FakeEngine();
    const lives: boolean[] = [];
    const customSegmentStorageFactory = (isLive: boolean) => (lives.push(isLive), storage);
    const core = new Core({ customSegmentStorageFactory }, Promise.resolve(engine.module()));
    listed(core);
    await settled();
    const key = engine.calls.find(([name]) => name === "streamAdded")?.[1] as number;
    return { engine, core, key, lives };
}

test("the page's storage is made once, and keeps what has loaded", async () => {
    const { kept, asked, storage } = fakeStorage();
    const { engine, core, key, lives } = await withStorage(storage);
    core.loadSegment("s1.ts", callbacks().made);
    engine.queue.push({ kind: Action.FetchStart, numbers: [key, 1, 5, 0] });
    core.updatePlayback(2, 1);
    await settled();
    await settled();
    engine.queue.push({ kind: Action.SegmentLoaded, numbers: [key, 1, 4] });
    core.updatePlayback(2, 1);
    await settled();
    assert.deepEqual(lives, [true]);
    assert.deepEqual(asked.slice(0, 2), ["callback", "initialize"]);
    assert.equal(kept.get(1)?.byteLength, 4);
    core.destroy();
    await settled();
    assert.equal(asked.at(-1), "destroy");
});

test("what the page's storage has goes to the player, as a copy, without the engine", async () => {
    const { kept, storage } = fakeStorage();
    kept.set(1, Uint8Array.of(1, 2).buffer);
    const { engine, core } = await withStorage(storage);
    const { got, made } = callbacks();
    assert.ok(core.loadSegment("s1.ts", made));
    await settled();
    const [[name, response] = []] = got as [string, SegmentResponse][];
    assert.equal(name, "success");
    assert.deepEqual([...new Uint8Array(response?.data as ArrayBuffer)], [1, 2]);
    assert.notEqual(response?.data, kept.get(1));
    assert.deepEqual([core.getStats().bytes.storage, core.getStats().segments.storage], [2, 1]);
    assert.ok(!engine.names().includes("segmentWanted"));
});

test("what the page's storage gives in place of an HTTP request is neither HTTP's nor a peer's", async () => {
    const { kept, storage } = fakeStorage();
    const { engine, core, key } = await withStorage(storage);
    const chunks: unknown[] = [];
    core.addEventListener("onChunkDownloaded", (...chunk) => chunks.push(chunk));
    kept.set(2, Uint8Array.of(1, 2, 3).buffer);
    engine.queue.push({ kind: Action.FetchStart, numbers: [key, 2, 5, 0] });
    engine.onCall = ([name, ...numbers]) => {
        if (name === "fetchProgress") engine.queue.push({ kind: Action.Downloaded, numbers: [key, 2, Number(numbers[1])] });
        if (name === "fetchDone") engine.queue.push({ kind: Action.SegmentLoaded, numbers: [key, 2, 3] });
    };
    core.updatePlayback(2, 1);
    await settled();
    await settled();
    const { bytes, segments } = core.getStats();
    assert.deepEqual([bytes.storage, bytes.http, segments], [3, 0, { http: 0, p2p: 0, storage: 1 }]);
    assert.deepEqual(chunks, []);
});

test("a storage that throws is told of once and done without", async (context) => {
    const warn = context.mock.method(console, "warn", () => {});
    const { storage } = fakeStorage();
    storage.hasSegment = () => {
        throw new Error("broken");
    };
    const { engine, core } = await withStorage(storage);
    core.loadSegment("s1.ts", callbacks().made);
    core.loadSegment("s2.ts", callbacks().made);
    assert.equal(engine.names().filter((name) => name === "segmentWanted").length, 2);
    assert.equal(warn.mock.callCount(), 1);
});

test("a connection that fails is told with its peer", async () => {
    const { engine, core, key } = await running();
    const got: unknown[] = [];
    core.addEventListener("onPeerError", ({ peerId, streamType }) => got.push([peerId, streamType]));
    core.addEventListener("onPeerClose", ({ peerId }) => got.push(peerId));
    const fakes: FakeChannelled[] = [];
    (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection = class extends FakeChannelled {
        constructor() {
            super();
            fakes.push(this);
        }
    };
    const peer = "-BK0001-abcdefghijkl";
    engine.queue.push({ kind: Action.OfferCreate, numbers: [3] });
    engine.queue.push({ kind: Action.PeerConnected, numbers: [key, 3], text: peer });
    engine.onCall = ([name]) => {
        if (name === "channelClosed") engine.queue.push({ kind: Action.PeerClosed, numbers: [key, 3], text: peer });
    };
    core.updatePlayback(2, 1);
    await settled();
    const [rtc] = fakes;
    assert.ok(rtc);
    rtc.connectionState = "failed";
    rtc.onconnectionstatechange?.();
    delete (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection;
    assert.deepEqual(got, [[peer, "main"], peer]);
});

/** As much of a peer connection as one needs to fail. */
class FakeChannelled {
    connectionState = "connecting";
    iceGatheringState = "complete";
    localDescription = { sdp: "v=0" };
    onconnectionstatechange: (() => void) | null = null;
    createDataChannel = () => ({ readyState: "connecting" });
    setLocalDescription = async () => {};
    close = () => {};
}

test("numbers that name other files, or another time of the programme, are those of an encoder that began anew", async () => {
    const restarts = async (before: object, now: object, live = true) => {
        const { engine, core, key } = await running();
        core.setSegments("main.m3u8", [{ ...segment(1), ...before }, segment(2)], live);
        core.setSegments("main.m3u8", [{ ...segment(1), ...now }, segment(2)], live);
        return engine.calls.filter(([name, stream]) => name === "streamRestarted" && stream === key).length;
    };
    const file = (url: string) => ({ url: `http://${url}` });
    assert.equal(await restarts(file("a.test/1/s1.ts?token=1"), file("b.test/2/s1.ts?token=2")), 0);
    assert.equal(await restarts(file("a.test/s1.ts"), file("a.test/again-1.ts")), 1);
    assert.equal(await restarts(file("a.test/s1.ts"), file("a.test/again-1.ts"), false), 0);
    assert.equal(await restarts({ onAir: 10_000 }, { onAir: 11_500 }), 0);
    assert.equal(await restarts({ onAir: 10_000 }, { onAir: 70_000 }), 1);
    assert.equal(await restarts({ onAir: null }, { onAir: 70_000 }), 0);
});
