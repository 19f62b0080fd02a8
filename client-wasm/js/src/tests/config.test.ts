import assert from "node:assert/strict";
import { test } from "node:test";
import { PUBLIC_STUN, PUBLIC_TRACKERS, Settings } from "../config.js";
import { NUMBERS } from "../options.js";

const ALL = { sharing: true, uploads: true };

const number = (settings: Settings, name: string, type: "main" | "secondary" = "main") =>
    settings.numbers(type, ALL)[NUMBERS.findIndex(([one]) => one === name)];

test("a page that sets nothing gives the engine its own defaults, with two trackers", () => {
    const expected = NUMBERS.map(([name, unit, value]) => (name === "announceTrackers" ? 2 : value * unit));
    assert.deepEqual([...new Settings().numbers("main", ALL)], expected);
    assert.deepEqual([...new Settings().numbers("secondary", ALL)], expected);
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

test("each number may differ for one kind of streams, at the start and later", () => {
    for (const [name, unit, standard] of NUMBERS.slice(2, 13)) {
        const settings = new Settings({ secondaryStream: { [name]: standard + 1 } });
        const numbers = () => [number(settings, name), number(settings, name, "secondary")];
        assert.deepEqual(numbers(), [standard * unit, (standard + 1) * unit], name);
        assert.ok(!settings.isUniform);
        settings.change({ mainStream: { [name]: standard + 2 } });
        assert.deepEqual(numbers(), [(standard + 2) * unit, (standard + 1) * unit], name);
        settings.change({ [name]: standard });
        assert.deepEqual(numbers(), [standard * unit, standard * unit], name);
        assert.ok(settings.isUniform);
    }
});

test("own trackers and servers are an own engine's, an own name is not", () => {
    assert.ok(!new Settings({ secondaryStream: { announceTrackers: ["ws://a"] } }).isUniform);
    assert.ok(!new Settings({ mainStream: { rtcConfig: {} } }).isUniform);
    assert.ok(new Settings({ mainStream: { swarmId: "video" }, secondaryStream: { swarmId: "audio" } }).isUniform);
});

test("what belongs to all streams is no setting of one kind", (context) => {
    const warn = context.mock.method(console, "warn", () => {});
    const settings = new Settings({ mainStream: { mode: "off" } } as object);
    assert.equal(settings.common.mode, "mesh");
    assert.match(String(warn.mock.calls[0]?.arguments), /core\.mainStream\.mode: belongs to all streams/);
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
    const numbers = settings.numbers("main", { sharing: false, uploads: false });
    const of = (wanted: string) => numbers[NUMBERS.findIndex(([name]) => name === wanted)];
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
