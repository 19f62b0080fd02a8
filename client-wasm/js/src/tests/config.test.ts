import assert from "node:assert/strict";
import { test } from "node:test";
import { PUBLIC_STUN, PUBLIC_TRACKERS, Settings } from "../config.js";
import list from "../settings.json";

const ALL = { sharing: true, uploads: true };

const number = (settings: Settings, name: string) =>
    settings.numbers(ALL)[list.findIndex((setting) => setting.name === name)];

test("a page that sets nothing gives the engine its own defaults, with two trackers", () => {
    const expected = list.map(({ name, unit, default: value }) => (name === "announceTrackers" ? 2 : value * unit));
    assert.deepEqual([...new Settings().numbers(ALL)], expected);
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
    assert.deepEqual(settings.of("main").announceTrackers, PUBLIC_TRACKERS);
});

test("without settings viewers meet by public servers, and two settings leave none of them", () => {
    const { announceTrackers, rtcConfig } = new Settings().of("main");
    assert.deepEqual(announceTrackers, PUBLIC_TRACKERS);
    assert.deepEqual(rtcConfig.iceServers?.map(({ urls }) => urls), PUBLIC_STUN);
    const own = new Settings({ announceTrackers: [], rtcConfig: { iceServers: [] } }).of("main");
    assert.deepEqual([own.announceTrackers, own.rtcConfig.iceServers], [[], []]);
});

test("what page, user and machine do not allow reaches the engine as switched off", () => {
    const settings = new Settings();
    const numbers = settings.numbers({ sharing: false, uploads: false });
    const of = (wanted: string) => numbers[list.findIndex((setting) => setting.name === wanted)];
    assert.deepEqual([of("isP2PDisabled"), of("isP2PUploadDisabled")], [1, 1]);
});

test("a mistake is told once, with what was seen and expected, and costs nothing else", (context) => {
    const warn = context.mock.method(console, "warn", () => {});
    const settings = new Settings({
        p2pErrorRetries: "many",
        highDemandTimeWindow: -1,
        isP2PDisabled: "yes",
        announceTrackers: ["ws://a", 5],
        mode: "half",
        mainStream: { swarmid: "x" },
        simultaneousHttpDownloads: 4,
    } as object);
    assert.equal(number(settings, "p2pErrorRetries"), 3);
    assert.equal(number(settings, "simultaneousHttpDownloads"), 4);
    assert.deepEqual(settings.of("main").announceTrackers, PUBLIC_TRACKERS);
    assert.equal(warn.mock.callCount(), 1);
    const [text] = warn.mock.calls[0]?.arguments as [string];
    assert.match(text, /core\.p2pErrorRetries: expected number, got "many"/);
    assert.match(text, /core\.mode: expected mesh\|super-peer-only\|off, got "half"/);
    assert.match(text, /core\.mainStream\.swarmid: there is no such setting/);
});
