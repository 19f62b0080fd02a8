// Runs src/tests/*.test.ts with Node's test runner.

import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const outdir = path.resolve(here, "../../target/dashboard-tests");
const names = (await readdir(path.join(here, "src/tests"))).filter((name) => name.endsWith(".test.ts"));

await rm(outdir, { recursive: true, force: true });
await build({
    absWorkingDir: here,
    entryPoints: names.map((name) => `src/tests/${name}`),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    sourcemap: "inline",
});
const files = names.map((name) => path.join(outdir, name.replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
process.exit(status ?? 1);
