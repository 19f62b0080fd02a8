import assert from "node:assert/strict";
import { test } from "node:test";
import { isSeeder, peerName } from "../names.js";

test("a peer has one name", () => {
    assert.equal(peerName("-BK0001-abcdefghijkl"), peerName("-BK0001-abcdefghijkl"));
    assert.match(peerName("-PM0203-abcdefghijkl"), /^[A-Z][a-z]+ [A-Z][a-z]+$/);
});

test("peers have many names", () => {
    const ids = Array.from({ length: 100 }, (_, i) => `-BK0001-abcdefghij${i}`);
    assert.ok(new Set(ids.map(peerName)).size > 80);
});

test("a seeder is called one", () => {
    assert.ok(isSeeder("-BS0001-abcdefghijkl"));
    assert.match(peerName("-BS0001-abcdefghijkl"), /^Seeder /);
    assert.ok(!isSeeder("-BK0001-BSbcdefghijk"));
});
