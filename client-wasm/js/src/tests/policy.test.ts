import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommonCoreConfig, Settings } from "../config.js";
import { Policy, type Surroundings } from "../policy.js";
import { settled } from "./fake-engine.js";

/** A policy in a browser of the test's own. */
function begin(page: Partial<CommonCoreConfig> = {}, navigator: object = {}) {
    const settings = new Settings(page);
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { hidden: false });
    const around = { window, document, navigator: Object.assign({ onLine: true }, navigator) };
    const changes: string[] = [];
    const policy: Policy = new Policy(
        settings.common,
        () => changes.push(shown(policy)),
        around as unknown as Surroundings,
    );
    policy.open();
    const happens = (target: EventTarget, name: string) => target.dispatchEvent(new Event(name));
    return { policy, settings, around, changes, happens, end: () => policy.close() };
}

const shown = (policy: Policy) => {
    const { sharing, uploads } = policy.allowed();
    return `${sharing ? "shares" : "alone"}${uploads ? "" : ", gives nothing"}`;
};

test("without a word from page, user or machine everything is allowed", () => {
    const { policy, changes, end } = begin();
    assert.equal(shown(policy), "shares");
    assert.deepEqual(changes, []);
    end();
});

test("nothing is shared before consent, everything after", async () => {
    let answer: (yes: boolean) => void = () => {};
    const { policy, changes, end } = begin({ consent: () => new Promise((done) => (answer = done)) });
    assert.equal(shown(policy), "alone");
    await settled();
    answer(true);
    await settled();
    assert.deepEqual(changes, ["shares"]);
    end();
});

test("consent is asked for once, and whoever refuses or fails stays alone", async (context) => {
    context.mock.method(console, "warn", () => {});
    let asked = 0;
    const refused = begin({ consent: () => ++asked < 0 });
    refused.policy.open();
    const failed = begin({ consent: () => Promise.reject(new Error("closed")) });
    await settled();
    assert.deepEqual([asked, shown(refused.policy), shown(failed.policy)], [1, "alone", "alone"]);
    refused.end();
    failed.end();
});

test("a cellular network or a user who saves data gives nothing, unless the page says so", () => {
    const cellular = { connection: Object.assign(new EventTarget(), { type: "cellular" }) };
    const saving = { connection: Object.assign(new EventTarget(), { saveData: true }) };
    for (const navigator of [cellular, saving]) {
        const careful = begin({}, navigator);
        const generous = begin({ isP2PUploadAllowedOnMetered: true }, navigator);
        assert.deepEqual([shown(careful.policy), shown(generous.policy)], ["shares, gives nothing", "shares"]);
        careful.end();
        generous.end();
    }
});

test("a change of network counts at once", () => {
    const connection = Object.assign(new EventTarget(), { type: "wifi" });
    const { changes, happens, end } = begin({}, { connection });
    connection.type = "cellular";
    happens(connection, "change");
    connection.type = "wifi";
    happens(connection, "change");
    assert.deepEqual(changes, ["shares, gives nothing", "shares"]);
    end();
});

test("a hidden page gives nothing where the page wants it so", () => {
    const { around, changes, happens, end } = begin({ isP2PUploadAllowedWhenHidden: false });
    around.document.hidden = true;
    happens(around.document, "visibilitychange");
    around.document.hidden = false;
    happens(around.document, "visibilitychange");
    assert.deepEqual(changes, ["shares, gives nothing", "shares"]);
    end();
});

test("whoever is frozen, gone or offline leaves, and comes back", () => {
    const { around, changes, happens, end } = begin();
    const pairs = [[around.window, "pagehide", "pageshow"], [around.document, "freeze", "resume"]] as const;
    for (const [target, leave, come] of [...pairs, [around.window, "offline", "online"]] as const) {
        happens(target as EventTarget, leave);
        happens(target as EventTarget, come);
    }
    assert.deepEqual(changes, ["alone", "shares", "alone", "shares", "alone", "shares"]);
    end();
});

test("a page that comes back without a network waits for it", () => {
    const { around, changes, happens, end } = begin();
    happens(around.window, "pagehide");
    around.navigator.onLine = false;
    happens(around.window, "pageshow");
    around.navigator.onLine = true;
    happens(around.window, "online");
    assert.deepEqual(changes, ["alone", "shares"]);
    end();
});

test("a machine that has slept meets its peers anew", () => {
    const { policy, changes, end } = begin();
    const now = Date.now();
    policy.lookAtClock(now + 60_000);
    assert.deepEqual(changes, []);
    policy.lookAtClock(now + 200_000);
    assert.deepEqual(changes, ["alone", "shares"]);
    end();
});

test("whoever has given as much as allowed gives no more", () => {
    const { policy, changes, end } = begin({ p2pUploadLimit: 1 });
    policy.uploaded(1024 * 1024 - 1);
    assert.deepEqual(changes, []);
    policy.uploaded(1);
    assert.deepEqual(changes, ["shares, gives nothing"]);
    end();
});

test("the mode `off` shares nothing, also when it is chosen later", () => {
    const { policy, settings, changes, end } = begin();
    settings.change({ mode: "off" });
    policy.look();
    assert.deepEqual(changes, ["alone"]);
    end();
});

test("a closed policy hears nothing", () => {
    const { around, changes, happens, end } = begin();
    end();
    happens(around.window, "offline");
    assert.deepEqual(changes, []);
});
