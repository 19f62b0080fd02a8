import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../../../tests/fixtures/swarm-ids.json";
import { swarmIdOf } from "../swarm-id.js";

test("swarm ids are those that the seeder makes", () => {
    for (const { address, keep, id } of vectors) {
        assert.equal(swarmIdOf(address, keep), id, address);
    }
});
