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

test("segment bytes that look like a command travel in messages that do not", () => {
    const bytes = ascii("cstr cend dend");
    const messages = segmentMessages(ascii("cstr some dend"));
    assert.equal(messages.length, 2);
    assert.ok(!messages.some(isCommandChunk));
    assert.deepEqual(Buffer.concat(messages).toString(), "cstr some dend");
    assert.equal(segmentMessages(bytes.subarray(1)).length, 1);
});
