import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Api, Refusal } from "../api.js";

const original = globalThis.fetch;
afterEach(() => void (globalThis.fetch = original));

/** Answers with these in turn, and keeps what was asked. */
function answering(...answers: Response[]): [path: string, request: RequestInit][] {
    const asked: [string, RequestInit][] = [];
    globalThis.fetch = async (path, request = {}) => {
        asked.push([String(path), request]);
        return answers.shift() ?? Promise.reject(new TypeError("no network"));
    };
    return asked;
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

test("a change brings the session's token", async () => {
    const asked = answering(json({ csrf: "t0ken", title: "", role: "owner" }, 201), new Response(null, { status: 204 }));
    const api = new Api();
    await api.signIn("bk_x");
    await api.send("DELETE", "/v1/channels/a", undefined, { "if-match": '"7"' });
    assert.deepEqual(asked[1]?.[1].headers, { "x-csrf-token": "t0ken", "if-match": '"7"' });
});

test("a refusal says what the API says", async () => {
    answering(json({ status: 422, title: "Unprocessable", detail: "manifest: expected https" }, 422));
    await assert.rejects(new Api().get("/v1/x"), (it) => it instanceof Refusal && it.message === "manifest: expected https");
});

test("no answer is a refusal too", async () => {
    answering();
    await assert.rejects(new Api().get("/v1/x"), /does not answer/);
});

test("the end of a session is told, a wrong key is not one", async () => {
    const api = new Api();
    let ends = 0;
    api.onSignedOut = () => ends++;
    answering(json({}, 401), json({}, 401));
    await assert.rejects(api.signIn("bk_wrong"));
    assert.equal(ends, 0);
    await assert.rejects(api.get("/v1/channels"));
    assert.equal(ends, 1);
});

test("a list is read to its end", async () => {
    const asked = answering(json({ items: [1, 2], next: "b c" }), json({ items: [3] }));
    assert.deepEqual(await new Api().all("/v1/channels"), [1, 2, 3]);
    assert.equal(asked[1]?.[0], "/v1/channels?limit=500&after=b%20c");
});
