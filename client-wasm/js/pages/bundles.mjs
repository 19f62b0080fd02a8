// Builds a page that imports the package by its name, with bundlers from npm.

import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { PACKAGE } from "./serve.mjs";

const WORK = path.join(PACKAGE, "../../target/client-pages");

/** What a page writes. */
const SOURCE = `
import Hls from "hls.js";
import { HlsJsP2PEngine } from "@beekeepr/client/hlsjs";
import { showStats } from "@beekeepr/client/overlay";
window.start(Hls, HlsJsP2PEngine, showStats);
`;

/** A project with the package among its modules, as npm would put it there. */
async function project(name) {
    const root = path.join(WORK, name);
    await rm(root, { recursive: true, force: true });
    await mkdir(path.join(root, "node_modules/@beekeepr"), { recursive: true });
    await symlink(PACKAGE, path.join(root, "node_modules/@beekeepr/client"));
    await symlink(path.join(PACKAGE, "node_modules/hls.js"), path.join(root, "node_modules/hls.js"));
    await writeFile(path.join(root, "main.js"), SOURCE);
    await writeFile(path.join(root, "package.json"), '{ "type": "module" }');
    return root;
}

/** Gives the folder with the built page's files. */
export async function vite() {
    const { build } = await import("vite");
    const root = await project("vite");
    await writeFile(path.join(root, "index.html"), '<script type="module" src="/main.js"></script>');
    const output = { entryFileNames: "main.js", assetFileNames: "[name][extname]" };
    // Below 4 KB files would become data: URLs; the module is larger.
    await build({ root, base: "./", logLevel: "error", build: { outDir: "out", rollupOptions: { output } } });
    return path.join(root, "out");
}

/** Gives the folder with the built page's files. */
export async function webpack() {
    const { default: bundle } = await import("webpack");
    const root = await project("webpack");
    const output = { path: path.join(root, "out"), filename: "main.js", publicPath: "auto" };
    const resolve = { symlinks: false };
    const config = { mode: "production", context: root, entry: "./main.js", output, resolve, performance: { hints: false } };
    const stats = await promisify(bundle)(config);
    if (stats.hasErrors()) {
        throw new Error(stats.toString({ all: false, errors: true }));
    }
    return path.join(root, "out");
}
