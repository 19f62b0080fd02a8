import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOf, SEGMENT_BYTES_MAX, SegmentStore } from "../store.js";

const key = nameOf(1, 7);
const bytes = (...values: number[]) => Uint8Array.from(values);
const content = (store: SegmentStore) => [...new Uint8Array(store.get(key)?.copy() ?? new ArrayBuffer(0))];

test("parts of a segment of known size come in any order", () => {
    const store = new SegmentStore();
    assert.ok(store.write(key, 2, bytes(3, 4), 4));
    assert.ok(store.write(key, 0, bytes(1, 2), 4));
    assert.deepEqual(content(store), [1, 2, 3, 4]);
    assert.equal(store.get(key)?.total, 4);
});

test("a copy taken away leaves the segment whole", () => {
    const store = new SegmentStore();
    store.write(key, 0, bytes(1, 2), 2);
    const taken = store.get(key)?.copy() as ArrayBuffer;
    structuredClone(taken, { transfer: [taken] });
    assert.deepEqual(content(store), [1, 2]);
});

test("bytes beyond the known size are refused", () => {
    const store = new SegmentStore();
    assert.ok(!store.write(key, 3, bytes(1, 2), 4));
    assert.ok(!store.has(key));
});

test("a segment of unknown size grows and ends where its response ends", () => {
    const store = new SegmentStore();
    const chunk = new Uint8Array(700_000).fill(9);
    assert.ok(store.write(key, 0, chunk));
    assert.ok(store.write(key, chunk.length, chunk));
    store.get(key)?.finish();
    assert.equal(store.get(key)?.copy()?.byteLength, 1_400_000);
});

test("a segment of unknown size has its limit", () => {
    const store = new SegmentStore();
    assert.ok(!store.write(key, SEGMENT_BYTES_MAX, bytes(1)));
});

test("nothing is sent beyond what has come", () => {
    const store = new SegmentStore();
    store.write(key, 0, bytes(1, 2), 4);
    assert.deepEqual([...(store.get(key)?.slice(0, 2) ?? [])], [1, 2]);
    assert.equal(store.get(key)?.slice(1, 3), undefined);
});

test("a dropped segment is gone", () => {
    const store = new SegmentStore();
    store.write(key, 0, bytes(1), 1);
    store.delete(key);
    assert.ok(!store.has(key));
    assert.equal(store.get(key)?.copy(), undefined);
});
