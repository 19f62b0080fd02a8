// A page written for p2p-media-loader-shaka 2.2.2. It has to compile with the types of either package, in strict mode:
// `shaka-model.json` names the model's, `shaka-ours.json` ours, `shaka-ours-4.json` ours with Shaka Player 4. Nothing here runs.

import type { CoreEventMap } from "p2p-core";
import {
    type DynamicShakaP2PEngineConfig,
    type PartialShakaEngineConfig,
    ShakaP2PEngine,
    type ShakaP2PEngineConfig,
} from "p2p-shaka";
import shaka from "shaka-player";

ShakaP2PEngine.registerPlugins();
ShakaP2PEngine.registerPlugins(shaka);

const config: PartialShakaEngineConfig = {
    core: {
        swarmId: "a stream",
        announceTrackers: ["wss://tracker.example"],
        rtcConfig: { iceServers: [{ urls: "stun:stun.example:3478" }] },
        highDemandTimeWindow: 30,
        simultaneousHttpDownloads: 3,
        webRtcMaxMessageSize: 64 * 1024,
        p2pNotReceivingBytesTimeoutMs: 10_000,
        httpErrorRetries: 2,
        mainStream: { isP2PDisabled: false },
        validateP2PSegment: async (url, byteRange) => url.length > (byteRange?.start ?? 0),
    },
};
const engine = new ShakaP2PEngine(config);
const other = new ShakaP2PEngine({}, shaka);
const empty = new ShakaP2PEngine();

const player = new shaka.Player();
engine.bindShakaPlayer(player);
export const started: Promise<void> = player
    .attach(document.createElement("video"))
    .then(() => player.load("https://origin.example/live.mpd"));

const all: ShakaP2PEngineConfig = engine.getConfig();
export const windows: number = all.core.mainStream.p2pDownloadTimeWindow;
const change: DynamicShakaP2PEngineConfig = { core: { isP2PDisabled: true, mainStream: { highDemandTimeWindow: 10 } } };
engine.applyDynamicConfig(change);

export const texts: string[] = [];
engine.addEventListener("onSegmentLoaded", ({ bytesLength, downloadSource, peerId }) => {
    texts.push([bytesLength, downloadSource, peerId].join(" "));
});
engine.addEventListener("onChunkDownloaded", (bytes, source, peerId) => {
    texts.push([bytes, source, peerId].join(" "));
});
const heard: CoreEventMap["onPeerClose"] = ({ peerId }) => void texts.push(peerId);
engine.addEventListener("onPeerClose", heard);
engine.removeEventListener("onPeerClose", heard);

for (const one of [engine, other, empty]) one.destroy();
ShakaP2PEngine.unregisterPlugins();
ShakaP2PEngine.unregisterPlugins(shaka);
