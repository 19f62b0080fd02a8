import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type CommonCoreConfig, Settings, type StreamConfig } from "../config.js";
import { FORMS } from "../options.js";
import type { CoreEventMap } from "../types.js";

/** Where `npm test` runs. */
const readme = readFileSync(path.join(process.cwd(), "README.md"), "utf8");

/** The rows of the tables under a heading, cell by cell. */
function rows(heading: string): string[][] {
    const [section = ""] = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ") ?? [];
    const lines = section.split("\n").filter((line) => line.startsWith("| `"));
    return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()).slice(1, -1));
}

const code = (cell: string | undefined) => /^`(.*)`$/.exec(cell ?? "")?.[1];

/** Each option, as the types have them; a missing or a wrong name does not compile. */
const TYPED: Record<keyof StreamConfig | keyof CommonCoreConfig | "mainStream" | "secondaryStream", 1> = {
    isP2PUploadDisabled: 1, isP2PDisabled: 1, highDemandTimeWindow: 1, httpDownloadTimeWindow: 1,
    p2pDownloadTimeWindow: 1, httpDownloadInitialTimeoutMs: 1, simultaneousHttpDownloads: 1,
    simultaneousP2PDownloads: 1, simultaneousP2PUploads: 1, p2pUploadRateLimit: 1, webRtcMaxMessageSize: 1,
    p2pNotReceivingBytesTimeoutMs: 1, p2pInactiveLoaderDestroyTimeoutMs: 1, httpNotReceivingBytesTimeoutMs: 1,
    httpFirstByteTimeoutMs: 1, httpErrorRetries: 1, p2pErrorRetries: 1, p2pMaxPeers: 1, p2pChurnGracePeriodMs: 1, webRtcOffersCount: 1,
    announceTrackers: 1, rtcConfig: 1, trackerClientVersionPrefix: 1, swarmId: 1, generation: 1,
    streamSwarmIdBuilder: 1, swarmIdParameters: 1, validateP2PSegment: 1, validateHTTPSegment: 1, httpRequestSetup: 1,
    segmentMemoryStorageLimit: 1, customSegmentStorageFactory: 1, mode: 1, minViewers: 1, consent: 1,
    isP2PUploadAllowedOnMetered: 1, isP2PUploadAllowedWhenHidden: 1, p2pUploadLimit: 1, token: 1, wasmUrl: 1,
    mainStream: 1, secondaryStream: 1,
};

const EVENTS: Record<keyof CoreEventMap, 1> = {
    onSegmentLoaded: 1, onSegmentError: 1, onSegmentAbort: 1, onSegmentStart: 1, onPeerConnect: 1, onPeerClose: 1,
    onPeerError: 1, onChunkDownloaded: 1, onChunkUploaded: 1, onTrackerError: 1, onTrackerWarning: 1,
    onSegmentRegistryMiss: 1, onStreamRegistrationError: 1, onEngineFailed: 1,
};

test("types, checks and README know the same options", () => {
    const typed = Object.keys(TYPED).sort();
    const { mainStream, ...common } = new Settings().copy();
    const checked = new Set(["mainStream", ...Object.keys({ ...common, ...mainStream, ...FORMS })]);
    assert.deepEqual([...checked].sort(), typed);
    assert.deepEqual(rows("Options").map(([name]) => code(name)).sort(), typed);
});

test("the README tells each option's default, and nothing where there is none", () => {
    const { mainStream, secondaryStream, ...common } = new Settings().copy();
    const defaults: Record<string, unknown> = { ...mainStream, ...common };
    assert.deepEqual(secondaryStream, mainStream);
    for (const [name, shown] of rows("Options")) {
        assert.equal(code(shown), JSON.stringify(defaults[code(name) ?? ""]), `default of ${name}`);
    }
});

test("what the README calls fixed does not change while running", () => {
    const other: Record<string, unknown> = { number: 7, string: "x" };
    for (const [name = "", , text] of rows("Options")) {
        const option = code(name) ?? "";
        const settings = new Settings();
        const value = (of: Settings) => ({ ...of.copy().mainStream, ...of.copy() })[option as "swarmId"];
        const before = value(settings);
        const changed = option === "mode" ? "off" : typeof before === "boolean" ? !before : (other[typeof before] ?? []);
        if (before === undefined || option.endsWith("Stream")) continue;
        settings.change({ [option]: changed });
        assert.equal(JSON.stringify(value(settings)) === JSON.stringify(before), text?.startsWith("*fixed*"), option);
    }
});

test("the README lists all events", () => {
    assert.deepEqual(rows("Events").map(([name]) => code(name)).sort(), Object.keys(EVENTS).sort());
});
