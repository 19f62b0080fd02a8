import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Core } from "../core.js";
import { loadSegment, type LoaderContext } from "../shaka-loader.js";
import { CoreRequestError, type EngineCallbacks } from "../types.js";
import { settled } from "./fake-engine.js";
import { argumentsOf, fakeShaka, requestOf } from "./fake-shaka.js";

const ADDRESS = "http://origin/a.ts";

/** A request for a segment, with a core that takes it or not. */
function make({ taken = true, headers = {}, media = null as object | null } = {}) {
    const library = fakeShaka();
    library.origin.set(ADDRESS, new Uint8Array(1_000));
    const events: unknown[][] = [];
    const meter = { bytes: { http: 0 } };
    let callbacks: EngineCallbacks | undefined;
    const core = {
        loadSegment(name: string, given: EngineCallbacks, sequence: number) {
            events.push(["core", name, sequence]);
            callbacks = given;
            return taken;
        },
        abortSegmentLoading: (name: string, sequence: number) => void events.push(["abort", name, sequence]),
        meter,
    } as unknown as Core;
    const context = { shaka: library.shaka, core, media: () => media, estimate: () => 4_000_000 } as LoaderContext;
    const request = requestOf(ADDRESS, headers);
    const progress: number[][] = [];
    const given = argumentsOf(ADDRESS, request, undefined, (...told) => void progress.push(told));
    const load = () => loadSegment(context, { runtimeId: "a", sequence: 4 }, given);
    return { ...library, events, meter, progress, load, core: () => callbacks as EngineCallbacks };
}

test("what the core does not take is nobody's", () => {
    const { load, events } = make({ taken: false });
    assert.equal(load(), undefined);
    assert.deepEqual(events, [["core", "a", 4]]);
});

test("a segment comes with the time that the measured bandwidth makes of its bytes", async () => {
    const { load, core, progress } = make();
    const operation = load();
    core().onProgress?.(400, 1_000);
    core().onProgress?.(600, 1_000);
    core().onSuccess({ data: new ArrayBuffer(1_000), bandwidth: 800_000 });
    const response = await operation?.promise;
    assert.equal(response?.timeMs, 10);
    assert.deepEqual([response?.uri, response?.originalUri, response?.status, response?.fromCache], [ADDRESS, ADDRESS, 200, false]);
    // What comes is told as it comes, with what is left; its time once, for all bytes.
    assert.deepEqual(progress, [[0, 0, 600], [0, 0, 0], [10, 1_000, 0]]);
});

test("a part of a file is answered as one, and Shaka's own estimate serves where there is none", async () => {
    const { load, core } = make({ headers: { Range: "bytes=0-999" } });
    const operation = load();
    core().onSuccess({ data: new ArrayBuffer(1_000), bandwidth: 0 });
    const response = await operation?.promise;
    assert.deepEqual([response?.status, response?.timeMs], [206, 2]);
});

test("an aborted request is given up in the core and fails as Shaka expects", async () => {
    const { load, core, events } = make();
    const operation = load();
    await operation?.abort();
    await assert.rejects(operation?.promise as Promise<unknown>, { code: 7001, data: [ADDRESS, 1] });
    assert.deepEqual(events.at(-1), ["abort", "a", 4]);
    core().onSuccess({ data: new ArrayBuffer(1), bandwidth: 1 });
});

test("when the core fails, Shaka's own plugin goes on in the same request", async () => {
    const { load, core, own, meter } = make();
    const operation = load();
    core().onError(new CoreRequestError("failed"));
    assert.equal((await operation?.promise)?.data?.byteLength, 1_000);
    assert.deepEqual(own, [{ uri: ADDRESS, aborted: false }]);
    await settled();
    assert.equal(meter.bytes.http, 1_000);
    await operation?.abort();
    assert.deepEqual(own, [{ uri: ADDRESS, aborted: true }]);
});

test("a request that the core has failed is Shaka's when it tries again", async () => {
    const { load, core, events } = make();
    load();
    core().onError(new CoreRequestError("failed"));
    assert.equal(load(), undefined);
    assert.equal(events.filter(([what]) => what === "core").length, 1);
});

test("while the core waits Shaka hears that all is well", () => {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
        const { load, core, progress } = make();
        load();
        mock.timers.tick(2_000);
        assert.deepEqual(progress, [[0, 0, 0], [0, 0, 0]]);
        core().onSuccess({ data: new ArrayBuffer(8), bandwidth: 1 });
        mock.timers.tick(5_000);
        assert.equal(progress.length, 3);
    } finally {
        mock.timers.reset();
    }
});

test("a dry player that hears nothing gets its segment by Shaka's own plugin", () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const clock = mock.method(performance, "now", () => 1_000);
    try {
        const media = { currentTime: 3, buffered: { length: 0 } };
        const { load, own, events } = make({ media });
        load();
        mock.timers.tick(1_000);
        assert.equal(own.length, 0);
        clock.mock.mockImplementation(() => 7_000);
        mock.timers.tick(1_000);
        assert.equal(own.length, 1);
        assert.deepEqual(events.find(([what]) => what === "abort"), ["abort", "a", 4]);
    } finally {
        clock.mock.restore();
        mock.timers.reset();
    }
});
