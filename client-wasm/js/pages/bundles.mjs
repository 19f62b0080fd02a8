// Builds a page that imports the package by its name, with bundlers from npm.

import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { PACKAGE } from "./serve.mjs";

const WORK = path.join(PACKAGE, "../../target/client-pages");

/** What a page with hls.js writes, and the player that npm puts beside our package. */
export const HLSJS = {
    name: "hlsjs",
    player: "hls.js",
    source: `
import Hls from "hls.js";
import { HlsJsP2PEngine } from "@beekeepr/client/hlsjs";
import { showStats } from "@beekeepr/client/overlay";
window.start(Hls, HlsJsP2PEngine, showStats);
`,
};

/** The same with Shaka Player. */
export const SHAKA = {
    name: "shaka",
    player: "shaka-player",
    source: `
import shaka from "shaka-player";
import { ShakaP2PEngine } from "@beekeepr/client/shaka";
import { showStats } from "@beekeepr/client/overlay";
window.start(shaka, ShakaP2PEngine, showStats);
`,
};

/** A project with the package among its modules, as npm would put it there. */
async function project(bundler, { name, player, source }) {
    const root = path.join(WORK, `${bundler}-${name}`);
    await rm(root, { recursive: true, force: true });
    await mkdir(path.join(root, "node_modules/@beekeepr"), { recursive: true });
    await symlink(PACKAGE, path.join(root, "node_modules/@beekeepr/client"));
    await symlink(path.join(PACKAGE, "node_modules", player), path.join(root, "node_modules", player));
    await writeFile(path.join(root, "main.js"), source);
    await writeFile(path.join(root, "package.json"), '{ "type": "module" }');
    return root;
}

/** Gives the folder with the built page's files. */
export async function vite(page) {
    const { build } = await import("vite");
    const root = await project("vite", page);
    await writeFile(path.join(root, "index.html"), '<script type="module" src="/main.js"></script>');
    const output = { entryFileNames: "main.js", assetFileNames: "[name][extname]" };
    // Below 4 KB files would become data: URLs; the module is larger.
    await build({ root, base: "./", logLevel: "error", build: { outDir: "out", rollupOptions: { output } } });
    return path.join(root, "out");
}

/** Gives the folder with the built page's files. */
export async function webpack(page) {
    const { default: bundle } = await import("webpack");
    const root = await project("webpack", page);
    const output = { path: path.join(root, "out"), filename: "main.js", publicPath: "auto" };
    const resolve = { symlinks: false };
    const config = { mode: "production", context: root, entry: "./main.js", output, resolve, performance: { hints: false } };
    const stats = await promisify(bundle)(config);
    if (stats.hasErrors()) {
        throw new Error(stats.toString({ all: false, errors: true }));
    }
    return path.join(root, "out");
}
