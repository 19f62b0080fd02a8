import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Input } from "../input.js";
import { Trackers } from "../trackers.js";

class FakeSocket {
    static readonly OPEN = 1;
    static all: FakeSocket[] = [];
    readyState = 0;
    sent: string[] = [];
    closed = false;
    onopen?: () => void;
    onmessage?: (event: { data: unknown }) => void;
    onclose?: () => void;

    constructor(readonly url: string) {
        if (url === "bad") throw new SyntaxError("bad url");
        FakeSocket.all.push(this);
    }

    send(text: string): void {
        this.sent.push(text);
    }

    close(): void {
        this.closed = true;
    }

    open(): void {
        this.readyState = FakeSocket.OPEN;
        this.onopen?.();
    }
}

const real = globalThis.WebSocket;
beforeEach(() => {
    FakeSocket.all = [];
    globalThis.WebSocket = FakeSocket as unknown as typeof WebSocket;
});
afterEach(() => {
    globalThis.WebSocket = real;
});

function trackers(...urls: string[]) {
    const told: unknown[][] = [];
    const names: Partial<Record<Input, string>> = {
        [Input.TrackerOpened]: "opened",
        [Input.TrackerFailure]: "message",
        [Input.TrackerClosed]: "closed",
    };
    const made = new Trackers(urls, (kind, tracker, _interval, _peers, fields) => {
        told.push([names[kind], tracker, ...(fields ? [fields] : [])]);
    });
    return { made, told };
}

test("a socket opens, carries texts both ways and closes", () => {
    const { made, told } = trackers("ws://a", "ws://b");
    made.connect(1);
    const [socket] = FakeSocket.all as [FakeSocket];
    socket.open();
    made.send(1, "hello");
    const says = (reason: string) => JSON.stringify({ "failure reason": reason });
    socket.onmessage?.({ data: says("text") });
    socket.onmessage?.({ data: new TextEncoder().encode(says("binary")).buffer });
    socket.onclose?.();
    assert.equal(socket.url, "ws://b");
    assert.deepEqual(socket.sent, ["hello"]);
    assert.deepEqual(told, [["opened", 1], ["message", 1, "text"], ["message", 1, "binary"], ["closed", 1]]);
});

test("nothing is sent before the socket is open", () => {
    const { made } = trackers("ws://a");
    made.connect(0);
    made.send(0, "early");
    assert.deepEqual(FakeSocket.all[0]?.sent, []);
});

test("a URL that no socket takes counts as closed", () => {
    const { made, told } = trackers("bad");
    made.connect(0);
    assert.deepEqual(told, [["closed", 0]]);
});

test("a socket closed on purpose says nothing more", () => {
    const { made, told } = trackers("ws://a");
    made.connect(0);
    made.disconnect(0);
    FakeSocket.all[0]?.onclose?.();
    FakeSocket.all[0]?.open();
    assert.ok(FakeSocket.all[0]?.closed);
    assert.deepEqual(told, []);
});

test("an oversized message is not read", () => {
    const { made, told } = trackers("ws://a");
    made.connect(0);
    FakeSocket.all[0]?.onmessage?.({ data: "x".repeat(64 * 1024 + 1) });
    assert.deepEqual(told, []);
});
