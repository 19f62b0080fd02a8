// Swarms that the page names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Core } from "../core.js";
import type { SwarmIdBuilder, SwarmIdContext } from "../generations.js";
import { defaultInfoHash, infoHash } from "../identity.js";
import type { Stream } from "../types.js";
import { FakeEngine, settled } from "./fake-engine.js";

const stream = (runtimeId: string, bitrate: number): Stream => ({ runtimeId, type: "main", properties: { bitrate } });

/** What the engine is told of two streams, and the page of their errors. */
async function named(streamSwarmIdBuilder: SwarmIdBuilder, streams = [stream("a.m3u8", 1), stream("b.m3u8", 2)]) {
    const engine = new FakeEngine();
    const core = new Core({ streamSwarmIdBuilder, swarmId: "film" }, Promise.resolve(engine.module()));
    const errors: string[] = [];
    core.addEventListener("onStreamRegistrationError", ({ runtimeId, error }) => errors.push(`${runtimeId}: ${error.message}`));
    for (const one of streams) core.addStreamIfNoneExists(one);
    await settled();
    const swarms = engine.calls.flatMap(([name, , hash]) => (name === "streamAdded" ? [hash] : []));
    return { swarms, errors };
}

test("the page names swarms, and leaves names to us", async () => {
    const told: SwarmIdContext[] = [];
    const { swarms, errors } = await named((context) => {
        told.push(context);
        return context.runtimeId === "a.m3u8" ? "tenant/film/a" : undefined;
    });
    assert.deepEqual([swarms, errors], [[infoHash("tenant/film/a"), defaultInfoHash("film", stream("b.m3u8", 2))], []]);
    const [{ identityHash = "", ...context } = {}] = told;
    assert.deepEqual(context, {
        swarmId: "film",
        runtimeId: "a.m3u8",
        streamType: "main",
        properties: { bitrate: 1 },
        defaultStreamSwarmId: `v2-film-main-${identityHash}`,
        peerProtocolVersion: "v2",
    });
});

test("one name for two streams leaves the second to the player's own loader", async () => {
    const { swarms, errors } = await named(() => "same");
    assert.deepEqual(swarms, [infoHash("same")]);
    assert.match(errors.join(), /^b\.m3u8: streamSwarmIdBuilder gave .* expected one for each stream$/);
});

test("a stream that is listed twice is one", async () => {
    const { swarms, errors } = await named(() => "same", [stream("a.m3u8", 1), stream("mirror/a.m3u8", 1)]);
    assert.deepEqual([swarms, errors], [[infoHash("same")], []]);
});

test("a builder that throws or gives no text is told of, and nothing else stops", async () => {
    const { swarms, errors } = await named(({ runtimeId }) => {
        if (runtimeId === "a.m3u8") throw new Error("broken");
        return "";
    });
    assert.deepEqual(swarms, []);
    assert.deepEqual(errors, ["a.m3u8: broken", 'b.m3u8: streamSwarmIdBuilder gave "", expected a text or nothing']);
});
