// The built package in real pages: every way to load it, hls.js of every supported version, with and without
// what a Content-Security-Policy must allow.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { HLSJS, vite, webpack } from "./bundles.mjs";
import { PACKAGE } from "./serve.mjs";
import { PLAYED_S, visitor } from "./visit.mjs";

/** Starts a player once the page has the parts; it meets nobody, as there is no tracker. */
const START = `
window.failed = [];
window.fatal = [];
window.start = (Hls, HlsJsP2PEngine, showStats) => {
    const HlsWithP2P = HlsJsP2PEngine.injectMixin(Hls);
    const core = { announceTrackers: [], rtcConfig: { iceServers: [] }, ...window.options };
    const hls = new HlsWithP2P({ enableWorker: true, p2p: { core } });
    const video = document.querySelector("video");
    hls.p2pEngine.addEventListener("onEngineFailed", (reason) => window.failed.push(String(reason)));
    window.played = new Promise((done) => {
        video.ontimeupdate = () => video.currentTime > ${PLAYED_S} && done();
        hls.on("hlsError", (_, { fatal, details }) => fatal && done(window.fatal.push(details)));
    });
    Object.assign(window, { hls, video });
    if (showStats) window.overlay = showStats(hls.p2pEngine);
    hls.attachMedia(video);
    hls.loadSource("/clip/index.m3u8");
    video.play().catch(() => {});
    const { version } = Hls;
    window.report = () => ({ failed, fatal, version, stats: hls.p2pEngine.getStats() });
};`;

const page = (scripts, csp) => ({
    html: `<!doctype html><link rel="icon" href="data:,"><body><video muted width="640" height="360"></video>
<script nonce="page">${START}</script>${scripts}`,
    csp,
});
const hls = (version) => `<script src="/hls-${version}/hls.min.js"></script>`;
const inline = (code) => `<script nonce="page" type="module">${code}</script>`;
const module = (file) => inline(`import { HlsJsP2PEngine } from "/dist/${file}"; window.start(Hls, HlsJsP2PEngine);`);
const classic = (file) =>
    `<script src="/dist/${file}"></script>` +
    '<script nonce="page">window.start(Hls, beekeepr.HlsJsP2PEngine, beekeepr.showStats)</script>';

/** For what is loaded on demand. */
const RARE = '<script nonce="page">window.options = { generation: "auto" };</script>';

const IMPORT_MAP = JSON.stringify({
    imports: {
        "@beekeepr/client/hlsjs": "/dist/beekeepr-hlsjs.js",
        "@beekeepr/client/overlay": "/dist/beekeepr-overlay.js",
    },
});

/** Pages by name. */
const PAGES = {
    "hls.js 1.5": page(hls("1.5") + module("beekeepr-client.js")),
    "hls.js 1.6": page(hls("1.6") + module("beekeepr-client.js")),
    "hls.js 1.7": page(hls("1.7") + module("beekeepr-client.js")),
    "a single file": page(hls("1.7") + module("beekeepr-client.inline.js")),
    "a script tag": page(hls("1.7") + classic("beekeepr-client.iife.js")),
    "a script tag with a single file": page(hls("1.7") + classic("beekeepr-client.inline.iife.js")),
    "an import map": page(
        `${hls("1.7")}<script nonce="page" type="importmap">${IMPORT_MAP}</script>` +
            inline(
                'import { HlsJsP2PEngine } from "@beekeepr/client/hlsjs"; import { showStats } from "@beekeepr/client/overlay";' +
                    "window.start(Hls, HlsJsP2PEngine, showStats);",
            ),
    ),
    "rare options": page(RARE + hls("1.7") + module("beekeepr-client.js")),
    "rare options in a single file": page(RARE + hls("1.7") + module("beekeepr-client.inline.js")),
    "rare options of a script tag": page(RARE + hls("1.7") + classic("beekeepr-client.iife.js")),
    "Vite": page(`${RARE}<script type="module" src="/vite/main.js"></script>`),
    "webpack": page(`${RARE}<script src="/webpack/main.js"></script>`),
    "no WebAssembly": page(
        hls("1.7") + module("beekeepr-client.js"),
        "default-src 'self'; script-src 'self' 'nonce-page'; media-src blob:; worker-src blob:",
    ),
};

let visits;

before(async () => {
    visits = await visitor({ vite: await vite(HLSJS), webpack: await webpack(HLSJS) }, PAGES);
});
after(() => visits?.close());

const play = (name) => visits.play(name);

for (const name of Object.keys(PAGES).filter((name) => name !== "no WebAssembly")) {
    test(`plays through the engine: ${name}`, async () => {
        const { tab, failed, fatal, version, stats } = await play(name);
        assert.deepEqual([failed, fatal, stats.state], [[], [], "running"]);
        const [, wanted] = /hls\.js (.*)/.exec(name) ?? [];
        assert.ok(version.startsWith(wanted ?? "1."), `hls.js is ${version}`);
        // The segments came through the engine, not past it.
        assert.ok(stats.segments.http > 0 && stats.bytes.http > 0);
        assert.ok(stats.firstFrameMs > 0 && stats.bufferS > 0);
        await tab.close();
    });
}

test("what is weighed is all that a page with hls.js loads; rare options come on demand", async () => {
    const plain = await play("hls.js 1.7");
    const rare = await play("rare options");
    assert.deepEqual(plain.loaded, ["beekeepr-client.js", "beekeepr-client_bg.wasm"]);
    assert.deepEqual(rare.loaded, ["beekeepr-client.js", "beekeepr-client_bg.wasm", "beekeepr-rare.js"]);
    await Promise.all([plain.tab.close(), rare.tab.close()]);
});

test("where WebAssembly is forbidden the player plays on, with one warning", async () => {
    const { tab, warnings, failed, fatal, stats } = await play("no WebAssembly");
    assert.deepEqual([fatal, failed.length, stats.state, stats.isSharing], [[], 1, "failed", false]);
    assert.ok(stats.bytes.http > 0);
    assert.equal(warnings.filter((text) => text.startsWith("beekeepr")).length, 1);
    await tab.close();
});

test("the overlay shows the figures and goes away", async () => {
    const { tab, stats } = await play("an import map");
    const panel = tab.locator("section");
    await panel.getByText(/from HTTP/).waitFor();
    assert.ok(stats.share === 0 && (await panel.textContent()).includes("0 % shared"));
    const shots = path.join(PACKAGE, "../../target/client-pages");
    await mkdir(shots, { recursive: true });
    await tab.screenshot({ path: path.join(shots, "overlay.png") });
    await panel.getByRole("button").click();
    assert.equal(await tab.locator("section").count(), 0);
    await tab.close();
});
