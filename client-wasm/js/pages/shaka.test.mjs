// The same with Shaka Player 4 and 5: every way to load the engine for it, with and without what a
// Content-Security-Policy must allow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SHAKA, vite, webpack } from "./bundles.mjs";
import { PLAYED_S, visitor } from "./visit.mjs";

/** Starts a player once the page has the parts; it meets nobody, as there is no tracker. */
const START = `
window.failed = [];
window.fatal = [];
let done;
window.played = new Promise((fulfil) => (done = fulfil));
const fail = ({ code }) => done(fatal.push(code));
window.start = async (shaka, ShakaP2PEngine, showStats) => {
    const video = document.querySelector("video");
    video.ontimeupdate = () => video.currentTime > ${PLAYED_S} && done();
    ShakaP2PEngine.registerPlugins(shaka);
    const core = { announceTrackers: [], rtcConfig: { iceServers: [] }, ...window.options };
    const engine = new ShakaP2PEngine({ core }, shaka);
    engine.addEventListener("onEngineFailed", (reason) => window.failed.push(String(reason)));
    const player = new shaka.Player();
    window.report = () => ({ failed, fatal, version: shaka.Player.version, stats: engine.getStats() });
    player.addEventListener("error", ({ detail }) => fail(detail));
    engine.bindShakaPlayer(player);
    if (showStats) showStats(engine);
    await player.attach(video);
    video.play().catch(() => {});
    await player.load("/clip/index.m3u8").catch(fail);
};`;

const page = (scripts, csp) => ({
    html: `<!doctype html><link rel="icon" href="data:,"><body><video muted width="640" height="360"></video>
<script nonce="page">${START}</script>${scripts}`,
    csp,
});
const shaka = (version) => `<script src="/shaka-${version}/shaka-player.compiled.js"></script>`;
const inline = (code) => `<script nonce="page" type="module">${code}</script>`;
const MODULE = inline('import { ShakaP2PEngine } from "/dist/beekeepr-shaka.js"; window.start(shaka, ShakaP2PEngine);');
const CLASSIC =
    '<script src="/dist/beekeepr-shaka.iife.js"></script>' +
    '<script nonce="page">window.start(shaka, beekeeprShaka.ShakaP2PEngine)</script>';

/** For what is loaded on demand. */
const RARE = '<script nonce="page">window.options = { generation: "auto" };</script>';

const IMPORT_MAP = JSON.stringify({
    imports: {
        "@beekeepr/client/shaka": "/dist/beekeepr-shaka.js",
        "@beekeepr/client/overlay": "/dist/beekeepr-overlay.js",
    },
});

/** Pages by name. */
const PAGES = {
    "Shaka Player 4": page(shaka(4) + MODULE),
    "Shaka Player 5": page(shaka(5) + MODULE),
    "a script tag with Shaka Player": page(shaka(5) + CLASSIC),
    "an import map with Shaka Player": page(
        `${shaka(5)}<script nonce="page" type="importmap">${IMPORT_MAP}</script>` +
            inline(
                'import { ShakaP2PEngine } from "@beekeepr/client/shaka"; import { showStats } from "@beekeepr/client/overlay";' +
                    "window.start(shaka, ShakaP2PEngine, showStats);",
            ),
    ),
    "rare options with Shaka Player": page(RARE + shaka(5) + MODULE),
    "rare options of a script tag with Shaka Player": page(RARE + shaka(5) + CLASSIC),
    "Vite with Shaka Player": page(`${RARE}<script type="module" src="/vite/main.js"></script>`),
    "webpack with Shaka Player": page(`${RARE}<script src="/webpack/main.js"></script>`),
    "no WebAssembly": page(
        shaka(5) + MODULE,
        "default-src 'self'; script-src 'self' 'nonce-page'; media-src blob:; worker-src blob:",
    ),
};

let visits;

before(async () => {
    visits = await visitor({ vite: await vite(SHAKA), webpack: await webpack(SHAKA) }, PAGES);
});
after(() => visits?.close());

for (const name of Object.keys(PAGES).filter((name) => name !== "no WebAssembly")) {
    test(`plays through the engine: ${name}`, async () => {
        const { tab, warnings, failed, fatal, version, stats } = await visits.play(name);
        assert.deepEqual([failed, fatal, stats.state], [[], [], "running"]);
        const [wanted] = /\d$/.exec(name) ?? ["5"];
        assert.ok(version.startsWith(`v${wanted}.`), `Shaka Player is ${version}`);
        // The reader of manifests was found too: without it no segment comes through the engine.
        assert.ok(stats.segments.http > 0 && stats.bytes.http > 0);
        assert.deepEqual(ours(warnings), []);
        await tab.close();
    });
}

test("what is weighed is all that a page with Shaka Player loads", async () => {
    const { tab, loaded } = await visits.play("Shaka Player 5");
    const [script, reader] = ["beekeepr-shaka.js", "beekeepr-playlist_bg.wasm"];
    assert.deepEqual(loaded, ["beekeepr-client.js", "beekeepr-client_bg.wasm", reader, script]);
    await tab.close();
});

test("where WebAssembly is forbidden Shaka Player plays on, with one warning", async () => {
    const { tab, warnings, failed, fatal, stats } = await visits.play("no WebAssembly");
    assert.deepEqual([fatal, failed.length, stats.state, stats.isSharing], [[], 1, "failed", false]);
    assert.ok(stats.bytes.http > 0);
    assert.equal(ours(warnings).length, 1, `${warnings}`);
    await tab.close();
});

const ours = (warnings) => warnings.filter((text) => text.startsWith("beekeepr"));
