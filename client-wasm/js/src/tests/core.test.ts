import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Action } from "../action.js";
import { Core } from "../core.js";
import { infoHash } from "../identity.js";
import type { ListedSegment } from "../streams.js";
import type { EngineCallbacks, SegmentResponse, Stream } from "../types.js";
import type { WasmModule } from "../wasm.js";
import { FakeEngine, settled } from "./fake-engine.js";

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
    assert.equal(swarm, infoHash("http://origin.test/master.m3u8", stream));
    assert.equal(peerId, "-BK0001-abcdefghijkl");
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
