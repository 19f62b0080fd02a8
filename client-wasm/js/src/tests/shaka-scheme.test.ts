import assert from "node:assert/strict";
import { test } from "node:test";
import { mark, ownPlugin, register, unregister } from "../shaka-scheme.js";
import type { Operation } from "../shaka-types.js";
import { argumentsOf, fakeShaka, requestOf } from "./fake-shaka.js";

const ADDRESS = "http://origin/a.ts";

test("a marked request goes to its engine, every other one to Shaka's own plugin", () => {
    const { shaka, schemes, own } = fakeShaka();
    register(shaka);
    const ours = {} as Operation;
    const request = requestOf(ADDRESS);
    mark(request, { isPreload: false }, (context, uri) => (context.isPreload === false && uri === ADDRESS ? ours : undefined));
    const plugin = schemes.get("http")?.plugin;
    assert.equal(plugin?.(...argumentsOf(ADDRESS, request)), ours);
    assert.equal(own.length, 0);
    plugin?.(...argumentsOf(ADDRESS, requestOf(ADDRESS)));
    assert.equal(own.length, 1);
});

test("what an engine does not take goes to Shaka's own plugin", () => {
    const { shaka, schemes, own } = fakeShaka();
    register(shaka);
    const request = requestOf(ADDRESS);
    mark(request, {}, () => undefined);
    schemes.get("http")?.plugin(...argumentsOf(ADDRESS, request));
    assert.deepEqual(own.map(({ uri }) => uri), [ADDRESS]);
});

test("the plugin stands before Shaka's own and tells of progress; Shaka's is put back", () => {
    const { shaka, schemes } = fakeShaka();
    register(shaka);
    assert.deepEqual([...schemes.keys()], ["http", "https"]);
    for (const { priority, progress } of schemes.values()) assert.deepEqual([priority, progress], [3, true]);
    unregister(shaka);
    for (const { plugin, priority } of schemes.values()) assert.deepEqual([plugin, priority], [ownPlugin(shaka), 2]);
});
