import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Fetches, type Origin, REFUSED } from "../fetches.js";
import { Input } from "../input.js";
import { nameOf, SegmentStore } from "../store.js";
import { settled } from "./fake-engine.js";

const key = nameOf(1, 7);
const realFetch = globalThis.fetch;
afterEach(() => {
    globalThis.fetch = realFetch;
});

/** Runs one fetch against a response; gives what the engine was told and what was asked. */
async function run(respond: () => Response, origin: Partial<Origin> = {}, offset = 0) {
    const told: unknown[][] = [];
    const asked: Request[] = [];
    globalThis.fetch = async (request) => {
        asked.push(request as Request);
        return respond();
    };
    const names: Partial<Record<Input, string>> = {
        [Input.FetchStarted]: "started",
        [Input.FetchProgress]: "progress",
        [Input.FetchDone]: "done",
        [Input.FetchFailed]: "failed",
    };
    const store = new SegmentStore();
    const fetches = new Fetches(store, (kind, ...numbers) => {
        told.push([names[kind], ...numbers.filter((number) => number !== undefined)]);
    });
    const url = "http://origin.test/a.ts";
    const plain = { url, byteRange: undefined, firstByteMs: 0, stored: undefined, setup: undefined, validate: undefined };
    fetches.start(5, key, { ...plain, ...origin }, offset);
    return { told, asked, store, fetches, done: () => settled().then(settled).then(settled) };
}

const ok = (body: string, headers: Record<string, string> = {}) =>
    new Response(body, { headers: { "Content-Length": String(body.length), ...headers } });

const partial = (body: string, headers: Record<string, string>) => new Response(body, { status: 206, headers });

test("a whole segment is stored and told piece by piece", async () => {
    const { told, store, done } = await run(() => ok("abcd"));
    await done();
    assert.deepEqual(told, [["started", 5, 0, 4], ["progress", 5, 4], ["done", 5]]);
    assert.equal(Buffer.from(store.get(key)?.copy() as ArrayBuffer).toString(), "abcd");
});

test("the rest of a segment is asked by range and put behind what is there", async () => {
    const headers = { "Content-Range": "bytes 2-3/4" };
    const { told, asked, done } = await run(() => partial("cd", headers), {}, 2);
    await done();
    assert.equal(asked[0]?.headers.get("Range"), "bytes=2-");
    assert.deepEqual(told[0], ["started", 5, 2, 4]);
});

test("a server that ignores the range starts at the beginning", async () => {
    const { told, done } = await run(() => ok("abcd"), {}, 2);
    await done();
    assert.deepEqual(told[0], ["started", 5, 0, 4]);
});

test("a hidden Content-Range means what was asked for", async () => {
    const { told, done } = await run(() => partial("cd", { "Content-Length": "2" }), {}, 2);
    await done();
    assert.deepEqual(told[0], ["started", 5, 2, 4]);
});

test("a part of a file is asked for with both ends", async () => {
    const byteRange = { start: 100, end: 103 };
    const headers = { "Content-Range": "bytes 101-103/900" };
    const { told, asked, done } = await run(() => partial("bcd", headers), { byteRange }, 1);
    await done();
    assert.equal(asked[0]?.headers.get("Range"), "bytes=101-103");
    assert.deepEqual(told[0], ["started", 5, 1, 4]);
});

test("the whole file instead of a part of it is a failure", async () => {
    const { told, done } = await run(() => ok("abcd"), { byteRange: { start: 1, end: 2 } });
    await done();
    assert.deepEqual(told, [["failed", 5, 200]]);
});

test("the length of an encoded response is not the segment's", async () => {
    const { told, done } = await run(() => ok("abcd", { "Content-Encoding": "gzip", "Content-Length": "2" }));
    await done();
    assert.deepEqual(told[0], ["started", 5, 0, Number.NaN]);
    assert.deepEqual(told.at(-1), ["done", 5]);
});

test("a response longer than it said fails", async () => {
    const { told, done } = await run(() => ok("abcd", { "Content-Length": "3" }));
    await done();
    assert.deepEqual(told.at(-1), ["failed", 5, 0]);
});

test("an HTTP error is told with its status", async () => {
    const { told, done } = await run(() => new Response("", { status: 404 }));
    await done();
    assert.deepEqual(told, [["failed", 5, 404]]);
});

test("a network error has no status", async () => {
    const { told, done } = await run(() => {
        throw new TypeError("network");
    });
    await done();
    assert.deepEqual(told, [["failed", 5, 0]]);
});

test("nothing is told of a cancelled fetch", async () => {
    const { told, fetches, done } = await run(() => ok("abcd"));
    fetches.cancel(5);
    await done();
    assert.deepEqual(told, []);
});

test("the page may refuse what came", async () => {
    const { told, done } = await run(() => ok("abcd"), { validate: async () => false });
    await done();
    assert.deepEqual(told.at(-1), ["failed", 5, REFUSED]);
});

test("what the page's storage has is not asked of the origin", async () => {
    const stored = async (offset: number) => partial("abcd".slice(offset), { "Content-Range": `bytes ${offset}-3/4` });
    const { told, asked, store, done } = await run(() => ok("no"), { stored }, 1);
    await done();
    assert.deepEqual(told, [["started", 5, 1, 4], ["progress", 5, 3], ["done", 5]]);
    assert.equal(asked.length, 0);
    assert.equal(new TextDecoder().decode(store.get(key)?.copy()).slice(1), "bcd");
});

test("a storage that has lost a segment leaves it to the origin", async () => {
    const { told, done } = await run(() => ok("abcd"), { stored: async () => undefined });
    await done();
    assert.deepEqual(told.at(-1), ["done", 5]);
});

test("an origin that does not begin in time has failed", async () => {
    const { told, fetches, done } = await run(() => ok("never"), {});
    await done();
    fetches.cancelAll();
    globalThis.fetch = () => new Promise(() => {});
    const failed = new Promise<void>((heard) => {
        const push = told.push.bind(told);
        told.push = (...entries) => (heard(), push(...entries));
    });
    const origin = { url: "http://origin.test/a.ts", byteRange: undefined, firstByteMs: 1, stored: undefined };
    fetches.start(6, key, { ...origin, setup: undefined, validate: undefined }, 0);
    await failed;
    assert.deepEqual(told.at(-1), ["failed", 6, 0]);
});

test("the page may make the request itself", async () => {
    const setup: Origin["setup"] = async (url) => new Request(`${url}?token=1`);
    const { asked, done } = await run(() => ok("abcd"), { setup });
    await done();
    assert.equal(asked[0]?.url, "http://origin.test/a.ts?token=1");
});
