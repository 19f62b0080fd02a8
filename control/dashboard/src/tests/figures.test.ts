import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, experience, growth, metric, originBps, renditions, share, startUps, sum } from "../figures.js";
import { flows, width } from "../graph.js";
import type { Point } from "../types.js";

const point = (at_s: number, more: Partial<Point>): Point => ({ ...sum([]), at_s, ...more });

test("figures of several points add up, and what is missing counts as nothing", () => {
    const all = sum([{ http_bytes: 1, stalls: 2 }, { http_bytes: 3 }]);
    assert.deepEqual([all.http_bytes, all.stalls, all.peer_bytes], [4, 2, 0]);
});

test("the share is of viewers' bytes that did not come over HTTP", () => {
    assert.equal(share(sum([{ http_bytes: 25, peer_bytes: 50, super_peer_bytes: 25 }])), 0.75);
    assert.equal(share(sum([])), 0);
});

test("the origin serves viewers and seeders", () => {
    assert.equal(originBps(sum([{ http_bytes: 1000, seeder_fetched_bytes: 250 }]), 10), 1000);
});

test("a span in which nothing happened is a zero between others", () => {
    const made = columns([point(10, { viewer_s: 20 }), point(30, { viewer_s: 40, peer_bytes: 100 })], 10, 45, 10);
    assert.deepEqual(made.at_s, [10, 20, 30, 40]);
    assert.deepEqual(made.viewers, [2, 0, 4, 0]);
    assert.deepEqual(made.peers, [0, 0, 80, 0]);
});

test("columns are bounded and end with the newest", () => {
    const made = columns([], 0, 1_000_000, 10);
    assert.equal(made.at_s.length, 2_000);
    assert.equal(made.at_s.at(-1), 999_990);
});

test("starts are those of each bucket, and the rest took longer", () => {
    const parts = startUps(sum([{ starts: 10, starts_250: 4, starts_1000: 3 }]));
    assert.deepEqual(parts.map((it) => it.value), [4, 0, 3, 0, 0, 3]);
    assert.equal(renditions(sum([{ lines_800_s: 7 }]))[3]?.value, 7);
});

test("how viewers fared is unknown without viewers", () => {
    assert.deepEqual(experience(sum([])), { start_ms: undefined, stallsPerHour: undefined, stalledPart: undefined });
    const it = experience(sum([{ viewer_s: 1800, stalls: 3, stalled_ms: 18_000, starts: 2, start_ms: 500 }]));
    assert.deepEqual(it, { start_ms: 250, stallsPerHour: 6, stalledPart: 0.01 });
});

test("a counter's growth is by the second, also after the server began anew", () => {
    assert.equal(growth(10, 30, 5), 4);
    assert.equal(growth(30, 10, 5), 2);
    assert.equal(growth(undefined, 10, 5), undefined);
});

test("a metric is the sum over its labels, and unknown when there is none", () => {
    const figure = (metric: string, value: number) => ({ metric, value, help: "", labels: [], is_counter: true });
    assert.equal(metric([figure("a", 1), figure("a", 2), figure("b", 4)], "a"), 3);
    assert.equal(metric([], "a"), undefined);
});

test("the swarm's lines are as wide as what flows in them", () => {
    const now = flows(sum([{ viewer_s: 31, peer_bytes: 500 }]), 10);
    assert.deepEqual([now.viewers, now.peers, now.http], [3, 400, 0]);
    assert.equal(width(400, 400), 14);
    assert.equal(width(0, 400), 0);
    assert.ok(width(1, 1e9) >= 1);
});
