// The dashboard in Chromium against a running `beekeepr up`: what an operator does, at a desk and on a phone.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { up } from "./server.mjs";

/** For what comes with the figures of ten seconds, on a busy machine. */
const PATIENCE_MS = 45_000;

/** Pictures for whoever wants to look. */
const PICTURES = path.join(import.meta.dirname, "../../../target/dashboard-pictures");

const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

let server;
let browser;
before(async () => {
    await mkdir(PICTURES, { recursive: true });
    const executablePath = process.env.BEEKEEPR_CHROMIUM ?? "/usr/bin/chromium";
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu"];
    [server, browser] = await Promise.all([up(), chromium.launch({ executablePath, args })]);
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/** A page that is signed in, and everything that it complained about or asked of others. */
async function signedIn(size, colorScheme = "dark") {
    const context = await browser.newContext({ viewport: SIZES[size], colorScheme });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const wrong = [];
    page.on("console", (it) => it.type() === "error" && !it.text().includes("status of 401") && wrong.push(it.text()));
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("request", (it) => it.url().startsWith(server.control) || wrong.push(`asked ${it.url()}`));
    await page.goto(server.control);
    await page.getByLabel("API key").fill(server.key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    return { page, wrong, close: () => context.close() };
}

const picture = (page, name) => page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });

/** Two viewers that gave each other what they say they got, for as long as it is called. */
async function viewers(channel) {
    await known(channel);
    const began = performance.now();
    let n = 0;
    return async () => {
        const t = Math.round(performance.now() - began) + 1_000;
        const v = { v: 1, c: channel, n: n++, t, h: t * 50, p: t * 200, sp: 0, u: t * 200, st: 1, sm: 300, f: 812, l: 720 };
        for (const s of ["viewer-one-1", "viewer-two-2"]) {
            const answer = await report({ ...v, s });
            assert.equal(answer.status, 204, await answer.text());
        }
    };
}

const report = (beacon) => fetch(server.beacons, { method: "POST", body: JSON.stringify(beacon) });

/** Control looks every ten seconds which channels the configuration has. */
async function known(channel) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const old = { v: 1, c: channel, s: "viewer-none", n: 0, t: 0, h: 0, p: 0, sp: 0, u: 0, st: 0, sm: 0 };
    while ((await report(old)).status !== 204) {
        patience.throwIfAborted();
        await new Promise((done) => setTimeout(done, 200));
    }
}

async function noneIsWide(page) {
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `the page is ${content} px wide in a window of ${window}`);
}

test("nobody is let in with a wrong key, and is told so", async () => {
    const page = await browser.newPage();
    await page.goto(server.control);
    await page.getByLabel("API key").fill("bk_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.close();
});

test("figures change as viewers report, on every page that shows them", async () => {
    const { page, wrong, close } = await signedIn("desktop");
    const tile = page.getByLabel("Now").locator("dd").first();
    await tile.waitFor();
    assert.equal(await tile.textContent(), "0");
    const watch = await viewers(`${server.page}/demo/live/master.m3u8`);
    await watch();
    const timer = setInterval(() => void watch().catch(() => {}), 3_000);
    try {
        await page.waitForFunction(() => Number(document.querySelector(".tiles dd")?.textContent) > 0);
        const saved = page.getByLabel("Saved").locator("dd").first();
        await page.getByRole("link", { name: "Demo live" }).waitFor();
        await page.waitForFunction(() => /[1-9]/.test(document.querySelectorAll(".tiles")[1]?.querySelector("dd")?.textContent ?? ""));
        assert.match(await saved.textContent(), /[1-9].* [kMG]?B/);
        await page.waitForFunction(() => !document.querySelector(".plot")?.ariaLabel?.includes("Peers 0 Mbit/s"));
        await picture(page, "overview");
        await page.getByRole("link", { name: "Demo live" }).click();
        await page.getByText("812 ms").waitFor();
        await page.getByText("import { HlsJsP2PEngine }").waitFor();
        await page.getByText("Super-peer of this process").waitFor();
        await page.getByRole("img", { name: /from each other/ }).waitFor();
        await picture(page, "channel");
        await page.setViewportSize(SIZES.phone);
        await noneIsWide(page);
        await picture(page, "channel-phone");
    } finally {
        clearInterval(timer);
    }
    const csv = await page.evaluate(() => fetch("/v1/statistics?format=csv").then((it) => it.text()));
    assert.match(csv, /^at_s,channel,viewer_s/);
    assert.deepEqual(wrong, []);
    await close();
});

for (const size of ["desktop", "phone"]) {
    test(`a channel is tested, added, changed and removed (${size})`, async () => {
        const { page, wrong, close } = await signedIn(size, size === "phone" ? "light" : "dark");
        const name = `Added ${size}`;
        await page.getByRole("link", { name: "Channels", exact: true }).first().click();
        await page.getByRole("link", { name: "Add a channel" }).click();
        await page.getByLabel("Name").fill(name);
        await page.getByLabel("Manifest").fill(`${server.page}/demo/vod/master.m3u8?token=secret`);
        await page.getByRole("button", { name: "Test" }).click();
        await page.getByText(`${name} can be seeded`).waitFor();
        await picture(page, `editor-${size}`);
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByRole("heading", { name }).waitFor();
        await page.getByRole("link", { name: "All channels" }).click();
        const row = page.getByRole("row", { name: new RegExp(name) });
        await row.waitFor();
        assert.ok(!(await page.content()).includes("token=secret"));
        await page.getByRole("link", { name: `Edit ${name}` }).click();
        await page.getByText("More settings").click();
        await page.getByLabel("Renditions").fill("nothing-like-that");
        await page.getByRole("button", { name: "Test" }).click();
        await page.getByText(`${name} cannot be seeded`).waitFor();
        await page.getByLabel("Renditions").fill("top");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByRole("link", { name: "All channels" }).click();
        await row.waitFor();
        await noneIsWide(page);
        await picture(page, `channels-${size}`);
        await page.getByRole("button", { name: `Remove ${name}` }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
        await page.getByText(`${name} is removed.`).waitFor();
        await row.waitFor({ state: "detached" });
        assert.deepEqual(wrong, []);
        await close();
    });
}

test("tokens are issued and revoked, servers tell how they are", async () => {
    const { page, wrong, close } = await signedIn("phone");
    await page.getByRole("link", { name: "Tokens" }).click();
    await page.getByRole("button", { name: "Issue" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    const id = (await page.getByText("To revoke it").textContent()).match(/revoke it: (\S+)\./)[1];
    await page.getByLabel("Token’s id").fill(id);
    await page.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name: new RegExp(id) }).waitFor();
    await noneIsWide(page);
    await picture(page, "tokens-phone");
    await page.getByRole("link", { name: "Servers" }).click();
    await page.getByText("Peers in swarms", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "STUN server" }).waitFor();
    await noneIsWide(page);
    await picture(page, "servers-phone");
    assert.deepEqual(wrong, []);
    await close();
});

test("everything can be reached and used with the keyboard, and has a name", async () => {
    const { page, close } = await signedIn("desktop", "light");
    for (const hash of ["#/", "#/channels", "#/new-channel", "#/tokens", "#/servers"]) {
        await page.evaluate((it) => (location.hash = it), hash);
        await page.waitForFunction(() => document.activeElement?.id === "main");
        await page.waitForLoadState("networkidle", { timeout: 2_000 }).catch(() => {});
        const unreached = await page.evaluate(walk);
        assert.deepEqual(unreached, [], hash);
    }
    await page.keyboard.press("Tab");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid");
    await page.getByRole("button", { name: "Sign out" }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("API key").waitFor();
    const status = await page.evaluate(() => fetch("/v1/channels").then((it) => it.status));
    assert.equal(status, 401);
    await close();
});

/** What cannot be reached with Tab, has no name, or repeats an id. Runs in the page. */
function walk() {
    const wrong = [];
    const name = (it) =>
        it.ariaLabel || it.labels?.[0]?.textContent || it.textContent.trim() || it.title || (it.getAttribute("aria-labelledby") ?? "");
    for (const it of document.querySelectorAll("a, button, input, select, textarea, summary")) {
        const isSeen = it.checkVisibility();
        if (isSeen && it.tabIndex < 0) {
            wrong.push(`not reached: ${it.outerHTML}`);
        }
        if (isSeen && !name(it)) {
            wrong.push(`no name: ${it.outerHTML}`);
        }
        if (it.tabIndex > 0) {
            wrong.push(`out of order: ${it.outerHTML}`);
        }
    }
    for (const it of document.querySelectorAll("[onclick]:not(a, button)")) {
        wrong.push(`only for the mouse: ${it.outerHTML}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
    wrong.push(...ids.filter((it, index) => ids.indexOf(it) !== index).map((it) => `twice: ${it}`));
    if (document.querySelectorAll("h1").length !== 1) {
        wrong.push("not one h1");
    }
    return wrong;
}
