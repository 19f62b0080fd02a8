import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Presentation } from "../shaka-presentation.js";
import { ShakaP2PEngine } from "../shaka.js";
import { settled } from "./fake-engine.js";
import { contextOf, fakeShaka, FakePlayer, MANIFEST, SEGMENT } from "./fake-shaka.js";

const ADDRESS = "http://origin/a.ts";

Object.assign(globalThis, { location: { href: "http://page.example/watch" } });

/** An engine without WebAssembly: nothing can be fetched here. */
function make(count = 1) {
    const warnings = mock.method(console, "warn", () => undefined);
    const fetches = mock.method(globalThis, "fetch", async () => new Response(null, { status: 404 }));
    const library = fakeShaka();
    library.origin.set(ADDRESS, new Uint8Array(500));
    ShakaP2PEngine.registerPlugins(library.shaka);
    const players = Array.from({ length: count }, () => new FakePlayer(library));
    const engines = players.map((player) => {
        const engine = new ShakaP2PEngine({ core: { announceTrackers: [] } }, library.shaka);
        engine.bindShakaPlayer(player.asPlayer());
        return engine;
    });
    const [engine, player] = [engines[0] as ShakaP2PEngine, players[0] as FakePlayer];
    const restore = () => (warnings.mock.restore(), fetches.mock.restore());
    return { ...library, engines, players, engine, player, warnings, restore };
}

test("without WebAssembly everything plays over HTTP after one warning", async () => {
    const { engine, player, own, origin, warnings, restore } = make();
    try {
        origin.set("http://origin/m.m3u8", new TextEncoder().encode("#EXTM3U"));
        await player.request(MANIFEST, "http://origin/m.m3u8", { type: 3 }).promise;
        const response = await player.request(SEGMENT, ADDRESS, contextOf(ADDRESS, 0)).promise;
        await settled();
        assert.equal(response.data?.byteLength, 500);
        assert.deepEqual(own.map(({ uri }) => uri), ["http://origin/m.m3u8", ADDRESS]);
        assert.equal(warnings.mock.callCount(), 1);
        assert.equal(engine.getStats().state, "failed");
        assert.equal(engine.getStats().bytes.http, 500);
    } finally {
        restore();
    }
});

test("a player is left as it was found", () => {
    const { engine, player, restore } = make();
    try {
        assert.deepEqual([player.requestFilters.size, player.responseFilters.size], [1, 1]);
        engine.destroy();
        assert.deepEqual([player.requestFilters.size, player.responseFilters.size], [0, 0]);
        assert.equal([...player.listeners.values()].every((set) => set.size === 0), true);
    } finally {
        restore();
    }
});

test("an engine that gets another player lets go of the first", () => {
    const { engine, player, shaka, restore } = make();
    try {
        const other = new FakePlayer({ shaka } as never);
        engine.bindShakaPlayer(other.asPlayer());
        assert.deepEqual([player.requestFilters.size, other.requestFilters.size], [0, 1]);
        engine.configureAndInitShakaPlayer(other.asPlayer());
        assert.equal(other.requestFilters.size, 1);
    } finally {
        restore();
    }
});

test("the browser's own HLS is turned off, nothing else is touched", () => {
    const { player, restore } = make();
    try {
        assert.deepEqual(player.configured, [["streaming.useNativeHlsOnSafari", false]]);
    } finally {
        restore();
    }
});

test("each player's media is watched by its own engine, and let go of when it unloads", async () => {
    const { players, restore } = make(2);
    try {
        const media = new EventTarget() as HTMLMediaElement;
        const added = mock.method(media, "addEventListener");
        const removed = mock.method(media, "removeEventListener");
        const [first] = players as [FakePlayer];
        first.media = media;
        await first.request(SEGMENT, ADDRESS, contextOf(ADDRESS, 0)).promise;
        await players[1]?.request(SEGMENT, ADDRESS, contextOf(ADDRESS, 0)).promise;
        const count = added.mock.callCount();
        assert.ok(count > 0);
        first.dispatch("unloading");
        assert.equal(removed.mock.callCount(), count);
    } finally {
        restore();
    }
});

test("manifests are overheard under the names that other viewers give them", async () => {
    const { player, origin, restore } = make();
    const heard = mock.method(Presentation.prototype, "manifest", () => undefined);
    try {
        // What Shaka makes of a relative address, and one that needs no help.
        for (const uri of ["http:/live.mpd?t=1", "http://ORIGIN/live.mpd"]) {
            origin.set(uri, new Uint8Array(3));
            await player.request(MANIFEST, uri, { type: 4 }).promise;
        }
        const urls = heard.mock.calls.map(({ arguments: [document] }) => [document?.requestedUrl, document?.writtenUrl]);
        assert.deepEqual(urls, [
            ["http://page.example/live.mpd?t=1", "http://page.example/live.mpd?t=1"],
            ["http://origin/live.mpd", "http://ORIGIN/live.mpd"],
        ]);
    } finally {
        heard.mock.restore();
        restore();
    }
});

test("manifests of what is preloaded wait until that is played", async () => {
    const { player, origin, restore } = make();
    const heard = mock.method(Presentation.prototype, "manifest", () => undefined);
    const addresses = () => heard.mock.calls.map(({ arguments: [document] }) => document?.url);
    try {
        for (const uri of ["http://origin/a.m3u8", "http://origin/next.m3u8"]) {
            origin.set(uri, new Uint8Array(3));
            await player.request(MANIFEST, uri, { type: 3, isPreload: true }).promise;
        }
        player.asset = "http://origin/other.m3u8";
        player.dispatch("loading");
        assert.deepEqual(addresses(), []);
        player.asset = "http://origin/next.m3u8";
        player.dispatch("loading");
        assert.deepEqual(addresses(), ["http://origin/next.m3u8", "http://origin/a.m3u8"]);
    } finally {
        heard.mock.restore();
        restore();
    }
});

test("without Shaka the reason is told", () => {
    assert.throws(() => new ShakaP2PEngine(), /no Shaka Player found/);
    assert.throws(() => ShakaP2PEngine.registerPlugins(), /no Shaka Player found/);
});
