// `beekeepr up` on free ports, with a folder of its own, and its owner's key.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const ROOT = path.join(import.meta.dirname, "../../..");
const BINARY = process.env.BEEKEEPR_BIN ?? path.join(ROOT, "target/debug/beekeepr");

/** On a crowded machine a start takes seconds. */
const READY_MS_MAX = 60_000;

const CONFIG = `
[web]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[tracker]
listen = "127.0.0.1:0"
[stun]
listen = ["127.0.0.1:0"]
[control]
listen = "127.0.0.1:0"
[control.beacons]
listen = "127.0.0.1:0"
`;

export async function up() {
    const folder = await mkdtemp(path.join(tmpdir(), "beekeepr-dashboard-"));
    const config = path.join(folder, "config.toml");
    await writeFile(config, CONFIG);
    const child = spawn(BINARY, ["up", "--config", config], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((done) => child.once("exit", done));
    const close = async () => {
        child.kill("SIGTERM");
        await ended;
        await rm(folder, { recursive: true, force: true });
    };
    try {
        return { ...(await told(child, ended)), close };
    } catch (error) {
        await close();
        throw error;
    }
}

/** What it says until it is ready. */
async function told(child, ended) {
    let key = "";
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise((found, failed) => {
        lines.on("line", (line) => {
            key ||= line.match(/owner key.*: (bk_\S+)/)?.[1] ?? "";
            if (line.startsWith("ready ")) {
                found(line);
            }
        });
        void ended.then((code) => failed(new Error(`it ended with ${code} before it was ready`)));
        AbortSignal.timeout(READY_MS_MAX).addEventListener("abort", () => failed(new Error("it does not become ready")));
    });
    const listen = (await ready).match(/listen=(\S+)/)[1].split(",");
    const http = listen.filter((it) => it.startsWith("http://"));
    // The page comes first, then control: its API, and where viewers report.
    const [page, control, beacons] = http;
    return { key, page, control, beacons: `${beacons}/v1/beacons` };
}
