// Builds dist/ from src/ and the output of wasm-bindgen (BEEKEEPR_WASM_PKG, made by `cargo xtask wasm`).

import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = import.meta.dirname;
const dist = path.join(here, "dist");
const tsc = path.join(here, "node_modules/.bin/tsc");
const wasmPackage = path.resolve(here, process.env.BEEKEEPR_WASM_PKG ?? "../../target/wasm-pkg");
const glue = path.join(wasmPackage, "beekeepr_client_wasm.js");
const wasm = path.join(wasmPackage, "beekeepr_client_wasm_bg.wasm");

/** What a page with hls.js loads may weigh, gzipped: p2p-media-loader 2.3.1 weighs 45.2 KB. */
const GZIP_BYTES_MAX = 45_000;

/** wasm-bindgen's glue without its own guess where the module is, which would mislead bundlers. */
const gluePlugin = {
    name: "beekeepr-wasm",
    setup(build) {
        build.onResolve({ filter: /^beekeepr-wasm$/ }, () => ({ path: glue }));
        build.onLoad({ filter: /beekeepr_client_wasm\.js$/ }, async ({ path: file }) => {
            const text = await readFile(file, "utf8");
            return { contents: text.replace(/new URL\('[^']*_bg\.wasm', import\.meta\.url\)/, "undefined") };
        });
    },
};

const common = {
    bundle: true,
    minify: true,
    sourcemap: "linked",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    plugins: [gluePlugin],
    absWorkingDir: here,
};

/** The shell's own declarations of the module may not differ from what wasm-bindgen made. */
async function checkAgainstModule() {
    const config = {
        extends: path.join(here, "tsconfig.json"),
        compilerOptions: {
            paths: { "beekeepr-wasm": [glue.replace(/\.js$/, ".d.ts")] },
            types: [],
            lib: ["ES2022", "ESNext.Disposable", "DOM", "DOM.Iterable"],
        },
        files: [path.join(here, "src/index.ts")],
        include: [],
    };
    const file = path.join(dist, "tsconfig.json");
    await writeFile(file, JSON.stringify(config));
    execFileSync(tsc, ["-p", file], { stdio: "inherit" });
    await rm(file);
}

async function bundles() {
    const outfile = (name) => ({ outfile: path.join(dist, name) });
    await build({
        ...common,
        ...outfile("beekeepr-client.js"),
        entryPoints: ["src/index.ts"],
        format: "esm",
    });
    await build({
        ...common,
        ...outfile("beekeepr-client.iife.js"),
        entryPoints: ["src/index.ts"],
        format: "iife",
        globalName: "beekeepr",
        // A classic script has no import.meta; what it has must be read while it runs.
        define: { "import.meta.url": "beekeeprScriptUrl" },
        banner: { js: "var beekeeprScriptUrl=document.currentScript?.src;" },
    });
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

async function weigh() {
    const weight = async (name) => gzipSync(await readFile(path.join(dist, name)), { level: 9 }).length;
    const module = await weight("beekeepr-client_bg.wasm");
    const script = await weight("beekeepr-client.js");
    const total = module + script;
    console.log(`client: ${total} bytes gzipped (module ${module}, script ${script}; at most ${GZIP_BYTES_MAX})`);
    if (total > GZIP_BYTES_MAX) {
        console.warn(`client: ${total - GZIP_BYTES_MAX} bytes over its budget`);
    }
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await checkAgainstModule();
await bundles();
declarations();
await weigh();
