import assert from "node:assert/strict";
import { test } from "node:test";
import type Hls from "hls.js";
import type { HlsConfig, LoaderConfiguration, LoaderResponse, PlaylistLoaderContext, RetryConfig } from "hls.js";
import { playlistLoaderClass } from "../hlsjs-playlist-loader.js";

/** hls.js's way to load a playlist; what its loader is told ends up in `asked`. */
function player(bufferS: number) {
    const asked: LoaderConfiguration[] = [];
    class Plain {
        load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: any) {
            asked.push(config);
            callbacks.onSuccess({ url: context.url, data: text }, {}, context, null);
        }
    }
    let text = "";
    const config = { loader: Plain } as unknown as HlsConfig;
    const hls = { userConfig: {}, config, mainForwardBufferInfo: { len: bufferS } } as unknown as Hls;
    const LoaderClass = playlistLoaderClass(() => hls) as unknown as new (config: HlsConfig) => any;
    const policy = { loadPolicy: { errorRetry: null } } as unknown as LoaderConfiguration;
    return (url: string, playlist: string): RetryConfig | null | undefined => {
        text = playlist;
        new LoaderClass(config).load({ url, type: "level" }, policy, { onSuccess() {} });
        return asked.at(-1)?.loadPolicy.errorRetry;
    };
}

const LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n";

function retries(retry: RetryConfig | null | undefined, code: number, count = 0, isTimeout = false): boolean {
    return retry?.shouldRetry?.(retry, count, isTimeout, { code } as LoaderResponse, true) ?? false;
}

test("a live playlist that was read once is asked for again while its server fails", () => {
    const load = player(10);
    assert.equal(load("http://o.test/live.m3u8?t=1", LIVE), null);
    const retry = load("http://o.test/live.m3u8?t=2", LIVE);
    assert.deepEqual([0, 408, 429, 503].map((code) => retries(retry, code)), [true, true, true, true]);
    assert.deepEqual([401, 403, 404, 410].map((code) => retries(retry, code)), [false, false, false, false]);
    assert.equal(retries(retry, 503, 5), false);
    assert.equal(retries(retry, 0, 0, true), false);
});

test("with nothing left to play the player hears of the failure at once", () => {
    const load = player(0.5);
    load("http://o.test/live.m3u8", LIVE);
    assert.equal(retries(load("http://o.test/live.m3u8", LIVE), 503), false);
});

test("playlists on demand and unknown ones are left to the player", () => {
    const load = player(10);
    assert.equal(load("http://o.test/film.m3u8", `${LIVE}#EXT-X-ENDLIST\n`), null);
    assert.equal(load("http://o.test/film.m3u8", LIVE), null);
    assert.equal(load("http://o.test/other.m3u8", LIVE), null);
});
