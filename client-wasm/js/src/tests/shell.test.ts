import assert from "node:assert/strict";
import { test } from "node:test";
import { Action } from "../action.js";
import { Input } from "../input.js";
import { Shell, type ShellOptions } from "../shell.js";
import { nameOf } from "../store.js";
import { FakeEngine, settled } from "./fake-engine.js";

/** A shell around a fake engine, with what it told the core. */
function start(options: Partial<ShellOptions> = {}) {
    const engine = new FakeEngine();
    const told: unknown[][] = [];
    const tell =
        (name: string) =>
        (...args: unknown[]) =>
            void told.push([name, ...args]);
    const shell = new Shell(engine.module(), {
        type: "main",
        trackers: [],
        rtcConfig: {},
        tokens: () => undefined,
        numbers: new Float64Array(),
        peerFailed: tell("peerFailed"),
        origin: () => undefined,
        check: async () => true,
        settled: tell("settled"),
        dropped: tell("dropped"),
        news: tell("news"),
        died: tell("died"),
        ...options,
    });
    const turn = () => shell.tell(Input.Tick);
    return { engine, shell, told, turn };
}

const key = nameOf(1, 7);

test("a whole segment reaches the core as a copy, with the bandwidth", () => {
    const { engine, shell, told, turn } = start();
    shell.store.write(key, 0, Uint8Array.of(1, 2), 2);
    engine.queue.push({ kind: Action.SegmentReady, numbers: [1, 7, 5_000_000] });
    turn();
    assert.deepEqual(told, [["settled", key, Uint8Array.of(1, 2).buffer, 5_000_000]]);
});

test("a segment without bytes is a failed one", () => {
    const { engine, told, turn } = start();
    engine.queue.push({ kind: Action.SegmentReady, numbers: [1, 7, 0] });
    turn();
    assert.deepEqual(told, [["settled", key, undefined, 0]]);
});

test("a dropped segment is dropped from the store too", () => {
    const { engine, shell, told, turn } = start();
    shell.store.write(key, 0, Uint8Array.of(1), 1);
    engine.queue.push({ kind: Action.SegmentDropped, numbers: [1, 7] });
    turn();
    assert.ok(!shell.store.has(key));
    assert.deepEqual(told, [["dropped", key]]);
});

test("a trap ends the engine, once, and nothing reaches it any more", () => {
    const { engine, told, turn } = start();
    engine.onCall = () => {
        throw new WebAssembly.RuntimeError("unreachable");
    };
    turn();
    turn();
    assert.equal(told.length, 1);
    assert.equal(told[0]?.[0], "died");
    assert.equal(engine.calls.length, 1);
});

test("an engine that runs in circles is ended", () => {
    const { engine, told, turn } = start();
    const again = { kind: Action.FetchCancel, numbers: [1] };
    engine.queue.push(...Array.from({ length: 10_001 }, () => again));
    turn();
    assert.equal(told[0]?.[0], "died");
});

test("what the core says from within a turn is told at once and acted upon later", () => {
    const order: string[] = [];
    const { engine, shell, turn } = start({
        settled: () => {
            shell.tell(Input.SegmentWanted, 1, 8);
            order.push("told");
        },
        news: () => void order.push("news"),
    });
    engine.onCall = ([name]) => {
        if (name === "segmentWanted") engine.queue.push({ kind: Action.TrackerLost, numbers: [0] });
    };
    engine.queue.push({ kind: Action.SegmentFailed, numbers: [1, 7, 404] });
    turn();
    assert.deepEqual(order, ["told", "news"]);
});

test("a segment nobody knows the origin of cannot be fetched", () => {
    const { engine, turn } = start();
    engine.queue.push({ kind: Action.FetchStart, numbers: [1, 7, 3, 0] });
    turn();
    assert.deepEqual(engine.calls.at(-1), ["fetchFailed", 3, 0]);
});

test("the page's check of a segment is passed on", async () => {
    const { engine, shell, turn } = start({ check: async () => false });
    shell.store.write(key, 0, Uint8Array.of(1), 1);
    engine.queue.push({ kind: Action.SegmentCheck, numbers: [1, 7] });
    turn();
    await settled();
    assert.deepEqual(engine.calls.at(-1), ["segmentChecked", 1, 7, 0]);
});

test("a check that throws finds the segment wrong", async () => {
    const { engine, shell, turn } = start({ check: () => Promise.reject(new Error("broken")) });
    shell.store.write(key, 0, Uint8Array.of(1), 1);
    engine.queue.push({ kind: Action.SegmentCheck, numbers: [1, 7] });
    turn();
    await settled();
    assert.deepEqual(engine.calls.at(-1), ["segmentChecked", 1, 7, 0]);
});

test("a closed shell tells nobody anything", () => {
    const { engine, shell, told, turn } = start();
    shell.close();
    turn();
    assert.deepEqual([engine.calls, told], [[], []]);
});
