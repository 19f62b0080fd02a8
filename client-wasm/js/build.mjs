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
    logLevel: "warning",
    plugins: [modulePlugin],
    absWorkingDir: here,
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

/** What the shell calls must be what the module has. */
async function checkAgainstModule() {
    const options = { entryPoints: ["src/wasm.ts"], format: "esm", minify: false, sourcemap: false };
    const { outputFiles: [script] } = await build({ ...common, ...options, outfile: "wasm.js" });
    const { NAMES } = await import(`data:text/javascript,${encodeURIComponent(script.text)}`);
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(await readFile(wasm)));
    const made = exports.filter(({ kind }) => kind === "function").map(({ name }) => name);
    if (made.sort().join() !== [...NAMES].sort().join()) {
        throw new Error(`the module has the functions ${made}, src/wasm.ts expects ${NAMES}`);
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
        const outfile = path.join(dist, name);
        const { outputFiles } = await build(Object.assign({ ...common, outfile }, ...options));
        await minified(name, Object.fromEntries(outputFiles.map(({ path: file, text }) => [path.extname(file), text])));
    };
    const esm = (name) => ({ entryPoints: [`src/${name}.ts`], format: "esm" });
    await bundle("beekeepr-client.js", esm("index"));
    await bundle("beekeepr-client.inline.js", esm("index"), inline);
    await bundle("beekeepr-overlay.js", esm("overlay"));
    await bundle("beekeepr-client.iife.js", classic);
    await bundle("beekeepr-client.inline.iife.js", classic, inline);
    // One copy of everything: the entry for hls.js alone leads to the same file.
    const entry = 'export { HlsJsP2PEngine } from "./beekeepr-client.js";\n';
    await writeFile(path.join(dist, "beekeepr-hlsjs.js"), entry);
    await copyFile(wasm, path.join(dist, "beekeepr-client_bg.wasm"));
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
    await checkAgainstModule();
    await bundles();
    declarations();
    await rm(finished, { recursive: true, force: true });
    await rename(dist, finished);
} finally {
    await rm(dist, { recursive: true, force: true });
}
console.log((await weigh(finished)).table);
