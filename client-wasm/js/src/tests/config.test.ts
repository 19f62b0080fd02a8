import assert from "node:assert/strict";
import { test } from "node:test";
import { Settings } from "../config.js";
import list from "../settings.json";

const number = (settings: Settings, name: string) =>
    settings.numbers()[list.findIndex((setting) => setting.name === name)];

test("a page that sets nothing gives the engine its own defaults, and no tracker", () => {
    const expected = list.map(({ name, unit, default: value }) => (name === "announceTrackers" ? 0 : value * unit));
    assert.deepEqual([...new Settings().numbers()], expected);
});

test("seconds and MiB reach the engine in milliseconds and bytes", () => {
    const settings = new Settings({ highDemandTimeWindow: 15, segmentMemoryStorageLimit: 64 });
    assert.equal(number(settings, "highDemandTimeWindow"), 15_000);
    assert.equal(number(settings, "segmentMemoryStorageLimit"), 64 * 1024 * 1024);
});

test("what is said of one kind of stream beats what is said of all", () => {
    const settings = new Settings({ swarmId: "all", secondaryStream: { swarmId: "audio" } });
    assert.equal(settings.of("main").swarmId, "all");
    assert.equal(settings.of("secondary").swarmId, "audio");
});

test("the engine stops only when no kind of stream needs it", () => {
    const settings = new Settings({ mainStream: { isP2PDisabled: true } });
    assert.equal(number(settings, "isP2PDisabled"), 0);
    settings.change({ isP2PDisabled: true });
    assert.equal(number(settings, "isP2PDisabled"), 1);
});

test("trackers, servers and names stay as they were at the start", () => {
    const settings = new Settings({ announceTrackers: ["ws://a"], swarmId: "s" });
    settings.change({ announceTrackers: [], swarmId: "t", simultaneousHttpDownloads: 5 } as object);
    assert.deepEqual(settings.of("main").announceTrackers, ["ws://a"]);
    assert.equal(settings.of("main").swarmId, "s");
    assert.equal(settings.of("main").simultaneousHttpDownloads, 5);
});

test("a changed copy changes nothing", () => {
    const settings = new Settings();
    settings.copy().mainStream.announceTrackers.push("ws://a");
    assert.deepEqual(settings.of("main").announceTrackers, []);
});

test("no third party's servers are asked unless the page names them", () => {
    assert.deepEqual(new Settings().of("main").rtcConfig, { iceServers: [] });
    assert.deepEqual(new Settings().of("main").announceTrackers, []);
});

test("what is no number leaves the engine's default", () => {
    const settings = new Settings({ p2pErrorRetries: "many" as unknown as number });
    assert.ok(Number.isNaN(number(settings, "p2pErrorRetries")));
});
