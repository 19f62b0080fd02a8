import assert from "node:assert/strict";
import { test } from "node:test";
import { isCommandChunk, segmentMessages } from "../chunks.js";

const ascii = (text: string) => new TextEncoder().encode(text);

test("whole commands and their parts are commands", () => {
    for (const text of ["cstrXcend", "cstrXdend", "dstrXdend", "dstrXcend", "cstrcend"]) {
        assert.ok(isCommandChunk(ascii(text)), text);
    }
});

test("all else is segment data", () => {
    for (const text of ["", "cstr", "cstrend", "cstrXcen?", "GG@Xcend"]) {
        assert.ok(!isCommandChunk(ascii(text)), text);
    }
});

test("a view into a larger buffer is judged by its own bytes", () => {
    const view = ascii("??cstrXcend??").subarray(2, 11);
    assert.ok(isCommandChunk(view));
});

/** All texts of up to `count` words. */
function texts(words: readonly string[], count: number): string[] {
    const shorter = count === 0 ? [] : texts(words, count - 1);
    return ["", ...shorter.flatMap((text) => words.map((word) => word + text))];
}

test("segment bytes that look like a command travel in messages that do not", () => {
    assert.equal(segmentMessages(ascii("cstr some dend")).length, 2);
    assert.equal(segmentMessages(ascii("str cend dend")).length, 1);
    for (const text of texts(["cstr", "dstr", "cend", "dend", "x"], 4)) {
        const messages = segmentMessages(ascii(text));
        assert.ok(!messages.some(isCommandChunk), text);
        assert.equal(Buffer.concat(messages).toString(), text);
    }
});
