import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Action } from "../action.js";
import { Input } from "../input.js";
import { newPeers } from "../peers.js";
import { Shell, type ShellOptions } from "../shell.js";
import { nameOf } from "../store.js";
import { FakeEngine, settled } from "./fake-engine.js";

class FakeChannel {
    readyState = "connecting";
    binaryType = "blob";
    bufferedAmount = 0;
    bufferedAmountLowThreshold = 0;
    sent: Uint8Array[] = [];
    onopen: (() => void) | null = null;
    onclose: (() => void) | null = null;
    onmessage: ((event: { data: unknown }) => void) | null = null;
    onbufferedamountlow: (() => void) | null = null;

    send(message: Uint8Array): void {
        if (this.readyState !== "open") throw new Error("not open");
        this.sent.push(message.slice());
        this.bufferedAmount += message.length;
    }

    open(): void {
        this.readyState = "open";
        this.onopen?.();
    }
}

class FakeRtc {
    static all: FakeRtc[] = [];
    readonly channel = new FakeChannel();
    iceGatheringState = "complete";
    connectionState = "new";
    localDescription = { sdp: "" };
    remote: { type: string; sdp: string } | undefined;
    closed = false;
    onconnectionstatechange: (() => void) | null = null;
    ondatachannel: ((event: { channel: FakeChannel }) => void) | null = null;

    constructor() {
        FakeRtc.all.push(this);
    }

    createDataChannel = () => this.channel;
    setLocalDescription = async () => {
        this.localDescription = { sdp: this.remote ? "answer" : "offer" };
    };
    setRemoteDescription = async (description: { type: string; sdp: string }) => {
        if (description.sdp === "bad") throw new Error("bad sdp");
        this.remote = description;
    };
    close = () => {
        this.closed = true;
    };
}

beforeEach(() => {
    FakeRtc.all = [];
    (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection = FakeRtc;
});
afterEach(() => {
    delete (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection;
});

function peers() {
    const told: unknown[][] = [];
    const names: Partial<Record<Input, string>> = {
        [Input.OfferReady]: "offer",
        [Input.AnswerReady]: "answer",
        [Input.ChannelOpened]: "opened",
        [Input.ChannelClosed]: "closed",
    };
    const made = newPeers(
        {},
        {
            tell: (kind, conn, _b, _c, sdp) => void told.push([names[kind], conn, ...(sdp ? [sdp] : [])]),
            failed: () => {},
            received: (conn, message) => void told.push(["message", conn, message]),
        },
    );
    return { made, told, rtc: () => FakeRtc.all[0] as FakeRtc };
}

test("an offer goes out, is answered, and the channel opens", async () => {
    const { made, told, rtc } = peers();
    made.open(3);
    await settled();
    made.answered(3, "their answer");
    rtc().channel.open();
    assert.deepEqual(told, [["offer", 3, "offer"], ["opened", 3]]);
    assert.deepEqual(rtc().remote, { type: "answer", sdp: "their answer" });
    assert.equal(rtc().channel.binaryType, "arraybuffer");
});

test("an offer is answered and its channel used, also when it is open already", async () => {
    const { made, told, rtc } = peers();
    made.open(3, "their offer");
    await settled();
    rtc().channel.readyState = "open";
    rtc().ondatachannel?.({ channel: rtc().channel });
    assert.deepEqual(told, [["answer", 3, "answer"], ["opened", 3]]);
});

test("a description that cannot be read closes the connection", async () => {
    const { made, told, rtc } = peers();
    made.open(3, "bad");
    await settled();
    assert.deepEqual(told, [["closed", 3]]);
    assert.ok(rtc().closed);
});

test("a lost connection is told once", async () => {
    const { made, told, rtc } = peers();
    made.open(3);
    await settled();
    rtc().connectionState = "failed";
    rtc().onconnectionstatechange?.();
    rtc().onconnectionstatechange?.();
    assert.deepEqual(told.slice(1), [["closed", 3]]);
});

test("nothing is told of a connection that was closed on purpose", async () => {
    const { made, told } = peers();
    made.open(3);
    made.close(3);
    await settled();
    assert.deepEqual(told, []);
});

test("a browser without WebRTC counts as a lost connection", () => {
    delete (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection;
    const { made, told } = peers();
    made.open(3);
    assert.deepEqual(told, [["closed", 3]]);
});

test("a text on the channel closes it", async () => {
    const { made, told, rtc } = peers();
    made.open(3);
    await settled();
    rtc().channel.onmessage?.({ data: "text" });
    assert.deepEqual(told.at(-1), ["closed", 3]);
});

const name = nameOf(1, 7);

/** A shell with one open connection, number 3. */
async function connected() {
    const engine = new FakeEngine();
    const options = { trackers: [], rtcConfig: {}, numbers: new Float64Array(), news: () => {}, tokens: () => undefined };
    const shell = new Shell(engine.module(), options as unknown as ShellOptions);
    engine.queue.push({ kind: Action.OfferCreate, numbers: [3] });
    shell.tell(Input.Tick);
    await settled();
    const { channel } = FakeRtc.all[0] as FakeRtc;
    channel.open();
    return { engine, shell, channel };
}

test("segment bytes go where the engine places them, commands to the engine", async () => {
    const { engine, shell, channel } = await connected();
    engine.placement = [1, 7, 2, 4];
    channel.onmessage?.({ data: Uint8Array.of(8, 9).buffer });
    channel.onmessage?.({ data: new TextEncoder().encode("cstr\0cend").buffer });
    assert.deepEqual([...new Uint8Array(shell.store.get(name)?.copy() as ArrayBuffer)], [0, 0, 8, 9]);
    assert.deepEqual(engine.names().slice(-2), ["place", "command"]);
});

test("bytes that nobody waits for are thrown away", async () => {
    const { shell, channel } = await connected();
    channel.onmessage?.({ data: Uint8Array.of(8, 9).buffer });
    assert.ok(!shell.store.has(name));
});

test("the engine may go on at once while the channel is below its low mark", async () => {
    const { engine, shell, channel } = await connected();
    const slice = 16 * 1024;
    shell.store.write(name, 0, new Uint8Array(10 * slice), 10 * slice);
    const send = () => engine.queue.push({ kind: Action.SliceSend, numbers: [1, 7, 3, 0, slice] });
    engine.onCall = ([name]) => {
        if (name === "drained") send();
    };
    send();
    shell.tell(Input.Tick);
    // The third slice takes the channel above 32 KiB; from there its own event goes on.
    assert.equal(channel.sent.length, 3);
    channel.bufferedAmount = 0;
    channel.onbufferedamountlow?.();
    assert.equal(channel.sent.length, 6);
});

test("promised bytes that are not there close the connection", async () => {
    const { engine, shell } = await connected();
    engine.queue.push({ kind: Action.SliceSend, numbers: [1, 7, 3, 0, 10] });
    shell.tell(Input.Tick);
    assert.deepEqual(engine.calls.at(-1), ["channelClosed", 3]);
    assert.ok(FakeRtc.all[0]?.closed);
});
