import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { LiveNews } from "../live.js";

class FakeSource extends EventTarget {
    static readonly CLOSED = 2;
    static made: FakeSource[] = [];
    readyState = 0;
    onopen = () => {};
    onerror = () => {};

    constructor() {
        super();
        FakeSource.made.push(this);
    }

    close(): void {
        this.readyState = FakeSource.CLOSED;
    }
}

beforeEach(() => {
    FakeSource.made = [];
    globalThis.EventSource = FakeSource as unknown as typeof EventSource;
});

function opened() {
    const news = new LiveNews();
    const told: string[] = [];
    news.listen({ statistics: (live) => told.push(`at ${live.at_s}`), changed: () => told.push("changed") });
    news.open((is) => told.push(is ? "on" : "off"));
    return { news, told, source: FakeSource.made[0] as FakeSource };
}

test("figures and changes come to who listens", () => {
    const { told, source } = opened();
    source.onopen();
    source.dispatchEvent(new MessageEvent("statistics", { data: '{"at_s":10,"step_s":10,"channels":[]}' }));
    source.dispatchEvent(new MessageEvent("change", { data: "{}" }));
    assert.deepEqual(told, ["on", "at 10", "changed"]);
});

test("after an interruption everything is read anew", () => {
    const { told, source } = opened();
    source.onopen();
    source.onerror();
    source.onopen();
    assert.deepEqual(told, ["on", "off", "on", "changed"]);
});

test("after a refusal it is tried again, and who listens asks, which tells whether the session has ended", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const { news, told, source } = opened();
    source.readyState = FakeSource.CLOSED;
    source.onerror();
    mock.timers.tick(10_000);
    assert.equal(FakeSource.made.length, 2);
    assert.deepEqual(told, ["off", "changed"]);
    FakeSource.made[1]?.onerror();
    news.close();
    mock.timers.tick(60_000);
    assert.equal(FakeSource.made.length, 2);
    mock.timers.reset();
});
