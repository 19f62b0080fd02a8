import assert from "node:assert/strict";
import { test } from "node:test";
import { route, toChannel } from "../route.js";

test("every page has an address", () => {
    assert.deepEqual(["", "#/", "#/channels", "#/new-channel", "#/tokens", "#/servers"].map((it) => route(it).page), [
        "overview",
        "overview",
        "channels",
        "new-channel",
        "tokens",
        "servers",
    ]);
});

test("a channel's name survives its address", () => {
    const name = "Ärger 1.0 - a_b";
    assert.deepEqual(route(toChannel(name)), { page: "channel", name });
    assert.deepEqual(route(toChannel(name, "edit")), { page: "edit-channel", name });
});

test("what is no address is said to be none", () => {
    for (const it of ["#/nothing", "#/channels/a/b", "#/channels/a/edit/x", "#/tokens/1"]) {
        assert.equal(route(it).page, "missing", it);
    }
    assert.deepEqual(route("#/channels/%E0"), { page: "channel", name: "%E0" });
});
