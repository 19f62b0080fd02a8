import assert from "node:assert/strict";
import { test } from "node:test";
import type { FragmentLoaderContext, HlsConfig, LoaderCallbacks, LoaderConfiguration } from "hls.js";
import type { Core } from "../core.js";
import { fragmentLoaderClass } from "../hlsjs-fragment-loader.js";
import { CoreRequestError, type EngineCallbacks } from "../types.js";
import { settled } from "./fake-engine.js";

/** A loader with a core that takes segments or not, and a stand-in for hls.js's own loader. */
function make(taken: boolean, frag: object = { sn: 4, url: "s.ts" }, part: object | null = null) {
    const events: unknown[][] = [];
    let engine: EngineCallbacks | undefined;
    const core = {
        loadSegment(name: string, callbacks: EngineCallbacks, sequence: number) {
            events.push(["core", name, sequence]);
            engine = callbacks;
            return taken;
        },
        abortSegmentLoading: () => void events.push(["core abort"]),
    } as unknown as Core;
    class Own {
        stats: unknown;
        load = () => void events.push(["own load", this.stats === loader.stats]);
        abort = () => void events.push(["own abort"]);
        destroy = () => void events.push(["own destroy"]);
    }
    const Loader = fragmentLoaderClass(core, () => undefined);
    const loader = new Loader({ loader: Own } as unknown as HlsConfig);
    const callbacks = {
        onSuccess: (response: { data: ArrayBuffer }) => void events.push(["success", response.data.byteLength]),
        onAbort: () => void events.push(["abort"]),
    } as unknown as LoaderCallbacks<FragmentLoaderContext>;
    const context = { url: "s.ts", frag, part } as unknown as FragmentLoaderContext;
    const load = () => loader.load(context, {} as LoaderConfiguration, callbacks);
    return { loader, events, load, core: () => engine as EngineCallbacks };
}

test("what the core declines hls.js loads itself, watching the same figures", () => {
    const { load, events } = make(false);
    load();
    assert.deepEqual(events, [["core", "s.ts", 4], ["own load", true]]);
});

test("initialisation, parts and tests of bandwidth never reach the core", () => {
    for (const [frag, part] of [
        [{ sn: "initSegment", url: "i.mp4" }, null],
        [{ sn: 4, url: "s.ts" }, { index: 0 }],
        [{ sn: 4, url: "s.ts", bitrateTest: true }, null],
    ] as const) {
        const { load, events } = make(true, frag, part);
        load();
        assert.deepEqual(events, [["own load", true]]);
    }
});

test("a delivered segment carries the bandwidth that the engine measured", async () => {
    const { loader, load, events, core } = make(true);
    load();
    core().onSuccess({ data: new ArrayBuffer(1000), bandwidth: 80_000 });
    await settled();
    assert.deepEqual(events.at(-1), ["success", 1000]);
    const { loading, loaded, total } = loader.stats;
    assert.ok(Math.abs(loading.end - loading.first - 100) < 1e-6);
    assert.deepEqual([loaded, total], [1000, 1000]);
    loader.destroy();
    assert.ok(!events.some(([name]) => name === "core abort"));
});

test("time waited on purpose does not count as loading", () => {
    const { loader, load, core } = make(true);
    load();
    loader.stats.loading.start -= 5000;
    core().onProgress?.(10, 100);
    const { loading, loaded, total } = loader.stats;
    assert.ok(loading.first - loading.start <= 10.001);
    assert.deepEqual([loaded, total], [10, 100]);
    loader.destroy();
});

test("what the core cannot deliver hls.js loads itself, from clean figures", async () => {
    const { loader, load, events, core } = make(true);
    load();
    core().onProgress?.(10, 100);
    core().onError(new CoreRequestError("failed"));
    await settled();
    assert.deepEqual(events.at(-1), ["own load", true]);
    assert.deepEqual([loader.stats.loaded, loader.stats.loading.start], [0, 0]);
});

test("an aborted segment is given up and not delivered", async () => {
    const { loader, load, events, core } = make(true);
    load();
    loader.abort();
    core().onSuccess({ data: new ArrayBuffer(10), bandwidth: 0 });
    await settled();
    loader.destroy();
    assert.deepEqual(events, [["core", "s.ts", 4], ["core abort"], ["abort"]]);
    assert.ok(loader.stats.aborted);
});

test("a destroyed loader starts nothing any more", async () => {
    const { loader, load, events, core } = make(true);
    load();
    core().onError(new CoreRequestError("failed"));
    loader.destroy();
    await settled();
    assert.deepEqual(events, [["core", "s.ts", 4], ["core abort"]]);
});

test("hls.js's own loader is aborted and destroyed with ours", () => {
    const { loader, load, events } = make(false);
    load();
    loader.abort();
    loader.destroy();
    assert.deepEqual(events.slice(2), [["own abort"], ["own destroy"]]);
});
