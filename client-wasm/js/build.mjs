// Builds dist/ from src/ and the WebAssembly module (in BEEKEEPR_WASM_PKG, made by `cargo xtask wasm`).

import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";
import { weigh } from "./weigh.mjs";

const here = import.meta.dirname;
/** Whoever reads dist/ meanwhile finds what was there before. */
const dist = path.join(here, `dist.${process.pid}`);
const finished = path.join(here, "dist");
const tsc = path.join(here, "node_modules/.bin/tsc");
const wasmPackage = path.resolve(here, process.env.BEEKEEPR_WASM_PKG ?? "../../target/wasm-pkg");
const wasm = path.join(wasmPackage, "beekeepr_client_wasm_bg.wasm");
/** The reader of manifests, which only pages with Shaka Player load. */
const readerWasm = path.join(wasmPackage, "beekeepr_client_playlist_bg.wasm");

/** Where the single-file scripts have the module from. */
const modulePlugin = {
    name: "beekeepr-wasm",
    setup(build) {
        build.onResolve({ filter: /^beekeepr-wasm-packed$/ }, () => ({ path: wasm, namespace: "packed" }));
        build.onLoad({ filter: /.*/, namespace: "packed" }, async ({ path: file }) => {
            const packed = gzipSync(await readFile(file), { level: 9 }).toString("base64");
            return { contents: packed, loader: "text" };
        });
    },
};

const inlinePlugin = {
    name: "beekeepr-inline",
    setup(build) {
        const inline = path.join(here, "src/wasm-bytes-inline.ts");
        build.onResolve({ filter: /\/wasm-bytes\.js$/ }, () => ({ path: inline }));
    },
};

const common = {
    bundle: true,
    minify: true,
    sourcemap: "external",
    write: false,
    target: "es2022",
    // Fields that a constructor sets need no declaration.
    tsconfigRaw: { compilerOptions: { target: "ES2022", useDefineForClassFields: false } },
    legalComments: "none",
    loader: { ".css": "text" },
    logLevel: "warning",
    plugins: [modulePlugin],
    absWorkingDir: here,
};

/** The engine for Shaka Player stands on the script that has the core, so that a page loads that once. */
const onClientPlugin = {
    name: "beekeepr-on-client",
    setup(build) {
        build.onResolve({ filter: /\/core\.js$/ }, () => ({ path: "./beekeepr-client.js", external: true }));
    },
};

const inline = { plugins: [modulePlugin, inlinePlugin] };

/** A classic script with a global `beekeepr`. It has no import.meta; what it has must be read while it runs. */
const classic = {
    entryPoints: ["src/classic.ts"],
    format: "iife",
    globalName: "beekeepr",
    define: { "import.meta.url": "beekeeprScriptUrl" },
    banner: { js: "var beekeeprScriptUrl=document.currentScript?.src;" },
};

/** What few pages need goes into a file of its own, `beekeepr-rare.js`; single files bring it along. */
const split = { format: "esm", splitting: true, outfile: undefined, outdir: dist, chunkNames: "beekeepr-[name]" };

/** What the shell calls must be what the modules have. */
async function checkAgainstModules() {
    await checkAgainstModule(wasm, "wasm", "NAMES");
    await checkAgainstModule(readerWasm, "shaka-reader", "READER_NAMES");
}

async function checkAgainstModule(module, source, names) {
    const options = { entryPoints: [`src/${source}.ts`], format: "esm", minify: false, sourcemap: false };
    const { outputFiles: [script] } = await build({ ...common, ...options, outfile: `${source}.js` });
    const { [names]: expected } = await import(`data:text/javascript,${encodeURIComponent(script.text)}`);
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(await readFile(module)));
    const made = exports.filter(({ kind }) => kind === "function").map(({ name }) => name);
    if (made.sort().join() !== [...expected].sort().join()) {
        throw new Error(`${module} has the functions ${made}, src/${source}.ts expects ${expected}`);
    }
}

/** After esbuild, terser makes the script another twenty-fifth smaller, gzipped. */
async function minified(name, { ".js": script, ".map": map }) {
    const { code, map: mapped } = await minify(script, {
        module: !name.includes("iife"),
        ecma: 2020,
        compress: { passes: 3, pure_getters: true, unsafe_arrows: true },
        format: { comments: false },
        sourceMap: { content: map, url: `${name}.map` },
    });
    await writeFile(path.join(dist, name), code);
    await writeFile(path.join(dist, `${name}.map`), mapped);
}

async function bundles() {
    const bundle = async (name, ...options) => {
        const { outputFiles } = await build(Object.assign({ ...common, outfile: path.join(dist, name) }, ...options));
        const texts = new Map(outputFiles.map(({ path: file, text }) => [path.basename(file), text]));
        for (const [file, text] of texts) {
            if (file.endsWith(".js")) await minified(file, { ".js": text, ".map": texts.get(`${file}.map`) });
        }
    };
    const esm = (name) => ({ entryPoints: [`src/${name}.ts`], format: "esm" });
    await bundle("beekeepr-client.js", split, { entryPoints: { "beekeepr-client": "src/index.ts" } });
    await bundle("beekeepr-client.inline.js", esm("index"), inline);
    await bundle("beekeepr-overlay.js", esm("overlay"));
    await bundle("beekeepr-shaka.js", esm("shaka"), { plugins: [onClientPlugin] });
    await bundle("beekeepr-client.iife.js", classic);
    await bundle("beekeepr-shaka.iife.js", classic, { entryPoints: ["src/shaka.ts"], globalName: "beekeeprShaka" });
    await bundle("beekeepr-client.inline.iife.js", classic, inline);
    // One copy of everything: the entry for hls.js alone leads to the same file.
    const entry = 'export { HlsJsP2PEngine } from "./beekeepr-client.js";\n';
    await writeFile(path.join(dist, "beekeepr-hlsjs.js"), entry);
    await copyFile(wasm, path.join(dist, "beekeepr-client_bg.wasm"));
    await copyFile(readerWasm, path.join(dist, "beekeepr-playlist_bg.wasm"));
}

function declarations() {
    const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
    execFileSync(tsc, ["-p", "tsconfig.build.json", ...options, "--outDir", path.join(dist, "types")], {
        cwd: here,
        stdio: "inherit",
    });
}

await mkdir(dist, { recursive: true });
try {
    await checkAgainstModules();
    await bundles();
    declarations();
    await rm(finished, { recursive: true, force: true });
    await rename(dist, finished);
} finally {
    await rm(dist, { recursive: true, force: true });
}
console.log((await weigh(finished)).table);
