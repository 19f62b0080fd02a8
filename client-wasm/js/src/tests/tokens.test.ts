import assert from "node:assert/strict";
import { test } from "node:test";
import { Input } from "../input.js";
import { livesMs, Tokens } from "../tokens.js";
import { settled } from "./fake-engine.js";

const token = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

test("a token counts until `exp`, whatever characters its claims have", () => {
    assert.equal(livesMs(token({ exp: 100, sub: "ü~~?>" }), 40_000), 60_000);
    assert.equal(livesMs(token({ exp: 100 }), 200_000), 0);
});

test("of a text that is no token nobody knows how long it counts", () => {
    for (const text of ["", "a.b", "a.!!!.c", token({})]) {
        assert.ok(Number.isNaN(livesMs(text)));
    }
});

test("each tracker gets its token at the start, and a new one when asked for", async () => {
    const told: unknown[] = [];
    let count = 0;
    const source = (url: string) => `${url}#${++count}`;
    const tokens = new Tokens(source, ["ws://a", "ws://b"], (kind, tracker) => void told.push([kind, tracker]));
    await settled();
    assert.deepEqual([tokens.of(0), tokens.of(1)], ["ws://a#1", "ws://b#2"]);
    void tokens.renew(1);
    await settled();
    assert.equal(tokens.of(1), "ws://b#3");
    assert.deepEqual(told, [[Input.TokenGiven, 0], [Input.TokenGiven, 1], [Input.TokenGiven, 1]]);
});

test("a source that fails leaves the token that there is", async (context) => {
    context.mock.method(console, "warn", () => {});
    let broken = false;
    const source = async () => (broken ? Promise.reject(new Error("down")) : "t");
    const tokens = new Tokens(source, ["ws://a"], () => {});
    await settled();
    broken = true;
    void tokens.renew(0);
    await settled();
    assert.equal(tokens.of(0), "t");
});
