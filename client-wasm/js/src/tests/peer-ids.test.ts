import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerIds } from "../peer-ids.js";

/** Ids in the order of their making. */
function ids() {
    let made = 0;
    const all = new PeerIds();
    return { all, claim: (swarm: string) => all.claim(swarm, () => `id${++made}`) };
}

test("a player that comes back to a swarm is the same peer", () => {
    const { all, claim } = ids();
    const first = claim("a");
    all.release("a", first);
    assert.equal(claim("a"), first);
});

test("two players of one stream on one page are two peers", () => {
    const { claim } = ids();
    assert.notEqual(claim("a"), claim("a"));
});

test("an id of one swarm is never used in another", () => {
    const { all, claim } = ids();
    all.release("a", claim("a"));
    assert.equal(claim("b"), "id2");
});
