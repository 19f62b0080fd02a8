// Main streams and alternate audio with settings of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Action } from "../action.js";
import type { CoreConfig } from "../config.js";
import { Core } from "../core.js";
import { NUMBERS } from "../options.js";
import type { Stream } from "../types.js";
import type { WasmModule } from "../wasm.js";
import { FakeEngine, settled } from "./fake-engine.js";

const of = (type: Stream["type"]): Stream => ({ runtimeId: `${type}.m3u8`, type, properties: { bitrate: 1000 } });

const segment = (type: Stream["type"]) => ({
    runtimeId: `${type}1.ts`,
    externalId: 1,
    sequence: 1,
    url: `http://origin.test/${type}1.ts`,
    startTime: 2,
    endTime: 4,
});

/** A core that plays video with alternate audio, and the engines that it made, with their numbers. */
async function playing(config: CoreConfig) {
    const engines: (FakeEngine & { values?: Float64Array })[] = [];
    const module: WasmModule = {
        open: (...args) => {
            const engine = Object.assign(new FakeEngine(), { values: args[3] });
            engines.push(engine);
            return engine.module().open(...args);
        },
    };
    const core = new Core(config, Promise.resolve(module));
    core.setManifestResponseUrl("http://origin.test/master.m3u8");
    for (const type of ["main", "secondary"] as const) {
        core.addStreamIfNoneExists(of(type));
        core.setSegments(`${type}.m3u8`, [segment(type)], false);
    }
    await settled();
    return { core, engines };
}

const number = (values: Float64Array | undefined, name: string) => values?.[NUMBERS.findIndex(([one]) => one === name)];
const added = (engine: FakeEngine | undefined) => engine?.names().filter((name) => name === "streamAdded").length;
const nobody = { onSuccess: () => {}, onError: () => {} };

test("streams that differ in nothing share one engine", async () => {
    const { engines } = await playing({ secondaryStream: { swarmId: "audio" } });
    assert.deepEqual(engines.map(added), [2]);
});

test("streams whose numbers differ have an engine each, with half of the memory", async () => {
    const { core, engines } = await playing({ secondaryStream: { simultaneousP2PDownloads: 1 } });
    assert.deepEqual(engines.map(added), [1, 1]);
    assert.deepEqual(engines.map(({ values }) => number(values, "simultaneousP2PDownloads")), [3, 1]);
    assert.deepEqual(engines.map(({ values }) => number(values, "segmentMemoryStorageLimit")), [2 ** 28, 2 ** 28]);
    core.updatePlayback(2, 1);
    core.loadSegment("main1.ts", nobody);
    core.loadSegment("secondary1.ts", nobody);
    for (const engine of engines) {
        assert.deepEqual(engine.names().slice(-2), ["playback", "segmentWanted"]);
    }
});

test("a change while playing that sets them apart moves the audio, without a gap", async () => {
    const { core, engines } = await playing({});
    const errors: string[] = [];
    core.loadSegment("secondary1.ts", { ...nobody, onError: ({ type }) => errors.push(type) });
    const [, , , peerId] = engines[0]?.calls.filter(([name]) => name === "streamAdded").at(-1) ?? [];
    core.applyDynamicConfig({ secondaryStream: { highDemandTimeWindow: 9 } });
    assert.equal(engines[0]?.calls.filter(([name]) => name === "streamRemoved").length, 1);
    assert.deepEqual(engines[1]?.names(), ["playback", "streamAdded", "segmentsListed", "configure"]);
    assert.equal(number(engines[1]?.values, "highDemandTimeWindow"), 9_000);
    // Whoever waits is served by the player's own loader, and the peer is who it was.
    assert.deepEqual(errors, ["failed"]);
    assert.equal(engines[1]?.calls[1]?.[3], peerId);
    core.applyDynamicConfig({ highDemandTimeWindow: 4 });
    const last = engines.map((engine) => number(engine.calls.at(-1)?.[1] as Float64Array, "highDemandTimeWindow"));
    assert.deepEqual(last, [4_000, 4_000]);
});

test("one kind of streams may be left alone", async () => {
    const { core, engines } = await playing({ secondaryStream: { isP2PDisabled: true } });
    assert.deepEqual(engines.map(({ values }) => number(values, "isP2PDisabled")), [0, 1]);
    assert.ok(core.loadSegment("main1.ts", nobody) && !core.loadSegment("secondary1.ts", nobody));
});

test("a failure of one engine ends both, once", async () => {
    const { core, engines } = await playing({ mainStream: { p2pErrorRetries: 9 } });
    const reasons: unknown[] = [];
    core.addEventListener("onEngineFailed", (reason) => reasons.push(reason));
    for (const engine of engines) {
        engine.onCall = () => {
            throw new WebAssembly.RuntimeError("unreachable");
        };
    }
    core.updatePlayback(2, 1);
    assert.equal(reasons.length, 1);
    assert.equal(core.getStats().state, "failed");
});

test("peers of both engines may have the same number", async () => {
    const { core, engines } = await playing({ mainStream: { p2pErrorRetries: 9 } });
    engines.forEach((engine, index) => {
        const key = engine.calls.find(([name]) => name === "streamAdded")?.[1] as number;
        engine.queue.push({ kind: Action.PeerConnected, numbers: [key, 1], text: `-BK0001-abcdefghijk${index}` });
    });
    core.updatePlayback(2, 1);
    assert.deepEqual(core.getPeers().map(({ streamType }) => streamType), ["main", "secondary"]);
});
