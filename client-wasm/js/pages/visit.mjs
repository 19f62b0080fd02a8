// Opens test pages in a real browser and waits until they have played.

import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

/** Seconds that are played before a page is believed to play. */
export const PLAYED_S = 3;

/** How long a page may take for it on a busy machine. */
const PATIENCE_MS = 60_000;

/** No network to find the way to, no gesture before a page may play. */
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"];

/** Serves `pages` by their names, and the folders; `play` opens one of them. */
export async function visitor(folders, pages) {
    const paths = Object.entries(pages).map(([name, page]) => [`/${encodeURIComponent(name)}`, page]);
    const site = await serve(folders, Object.fromEntries(paths));
    const executablePath = process.env.BEEKEEPR_CHROMIUM ?? "/usr/bin/chromium";
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    return {
        play: (name) => play(browser, site.url, name),
        async close() {
            await browser.close();
            site.close();
        },
    };
}

/**
 * Opens a page and waits until its `played` is fulfilled; gives its warnings, the files of the package that it has loaded, and
 * what its `report` says.
 */
async function play(browser, url, name) {
    const tab = await browser.newPage();
    const warnings = [];
    const loaded = [];
    tab.on("request", (request) => {
        const [, file] = /\/dist\/(.*)$/.exec(request.url()) ?? [];
        if (file) loaded.push(file);
    });
    tab.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
    await tab.goto(`${url}/${encodeURIComponent(name)}`);
    await Promise.race([tab.evaluate(() => window.played), late(name)]);
    const report = await tab.evaluate(() => window.report());
    return { tab, warnings, loaded: loaded.sort(), ...report };
}

async function late(name) {
    await new Promise((done) => setTimeout(done, PATIENCE_MS).unref());
    throw new Error(`"${name}" has not played ${PLAYED_S} s within ${PATIENCE_MS} ms`);
}
