// Time from making the player to its first frame, stock hls.js and ours turn by turn (docs/benchmarks). Prints the
// medians and their ratio: `node pages/first-frame.mjs [rounds]`.

import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const rounds = Number(process.argv[2] ?? 8);

const page = (code) => ({
    html: `<!doctype html><link rel="icon" href="data:,"><video muted></video><script src="/hls-1.7/hls.min.js"></script>
<script nonce="page" type="module">${code}
const video = document.querySelector("video");
const began = performance.now();
const hls = make();
hls.attachMedia(video);
hls.loadSource("/clip/index.m3u8");
video.play().catch(() => {});
window.firstFrame = new Promise((done) => video.requestVideoFrameCallback(() => done(performance.now() - began)));</script>`,
});

const OURS = `import { HlsJsP2PEngine } from "/dist/beekeepr-client.js";
const core = { announceTrackers: [], rtcConfig: { iceServers: [] } };
const make = () => new (HlsJsP2PEngine.injectMixin(Hls))({ p2p: { core } });`;

const site = await serve({}, { "/stock": page("const make = () => new Hls();"), "/ours": page(OURS) });
const executablePath = process.env.BEEKEEPR_CHROMIUM ?? "/usr/bin/chromium";
const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"];
const browser = await chromium.launch({ executablePath, args });
const times = { stock: [], ours: [] };
for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? ["ours", "stock"] : ["stock", "ours"]) {
        const context = await browser.newContext();
        const tab = await context.newPage();
        await tab.goto(`${site.url}/${name}`);
        times[name].push(await tab.evaluate(() => window.firstFrame));
        await context.close();
    }
}
await browser.close();
site.close();
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const [stock, ours] = [median(times.stock), median(times.ours)];
const ms = (time) => `${time.toFixed(0)} ms`;
console.log(`first frame, median of ${rounds}: stock ${ms(stock)}, ours ${ms(ours)}, ratio ${(ours / stock).toFixed(2)}`);
