// Serves the built package, players of several versions and a clip to test pages, each with the
// Content-Security-Policy that the README asks for.

import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { promisify } from "node:util";

export const PACKAGE = path.join(import.meta.dirname, "..");
const TARGET = path.join(PACKAGE, "../../target");
const MODULES = path.join(PACKAGE, "node_modules");

/** What a page with the client needs, and no more. */
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-page'; media-src blob:; worker-src blob:";

const TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
};

/** Seconds of the clip and of its segments. */
const CLIP_S = 20;
const SEGMENT_S = 2;

/** Encodes the clip once; it stays in the target folder. */
export async function clip() {
    const folder = path.join(TARGET, "client-pages-clip");
    const playlist = path.join(folder, "index.m3u8");
    if (await readFile(playlist).catch(() => undefined)) {
        return folder;
    }
    const unfinished = `${folder}.${process.pid}`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    const source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", "-f", "lavfi", "-i", "sine=frequency=330"];
    const video = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p", "-g", "30"];
    const hls = ["-f", "hls", "-hls_time", `${SEGMENT_S}`, "-hls_list_size", "0", "-hls_playlist_type", "vod"];
    const files = ["-hls_segment_filename", "%05d.ts", "index.m3u8"];
    const all = ["-loglevel", "error", ...source, "-t", `${CLIP_S}`, ...video, "-c:a", "aac", ...hls, ...files];
    await promisify(execFile)("ffmpeg", all, { cwd: unfinished });
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    return folder;
}

/** `pages` are whole documents by path. Gives the server's URL; `close` ends it. */
export async function serve(folders, pages) {
    const mounts = {
        dist: path.join(PACKAGE, "dist"),
        "hls-1.5": path.join(MODULES, "hls.js-1-5/dist"),
        "hls-1.6": path.join(MODULES, "hls.js-1-6/dist"),
        "hls-1.7": path.join(MODULES, "hls.js/dist"),
        "shaka-4": path.join(MODULES, "shaka-player-4/dist"),
        "shaka-5": path.join(MODULES, "shaka-player/dist"),
        clip: await clip(),
        ...folders,
    };
    const server = createServer(async (request, response) => {
        const { pathname } = new URL(request.url, "http://page.test");
        const [, mount = "", ...rest] = pathname.split("/");
        const page = pages[pathname];
        const folder = mounts[mount];
        const file = folder && path.join(folder, path.normalize(`/${rest.join("/")}`));
        const content = page?.html ?? (file && (await readFile(file).catch(() => undefined)));
        const type = page ? TYPES[".html"] : (TYPES[path.extname(pathname)] ?? "application/octet-stream");
        const head = { "content-type": type, "content-security-policy": page?.csp ?? CSP };
        response.writeHead(content === undefined ? 404 : 200, head).end(content);
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    const close = () => {
        server.closeAllConnections();
        server.close();
    };
    return { url: `http://127.0.0.1:${server.address().port}`, close };
}
