import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { firstPicture } from "../shaka-start.js";
import { settled } from "./fake-engine.js";

/** A player that has nothing yet; tells whether it is still waited for. */
async function waiting(readyState: number) {
    const media = Object.assign(new EventTarget(), { readyState });
    let isOver = false;
    void firstPicture(media as unknown as HTMLMediaElement).then(() => (isOver = true));
    await settled();
    return { media, isOver: () => isOver };
}

test("the first picture is waited for", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
        const { media, isOver } = await waiting(1);
        assert.equal(isOver(), false);
        media.dispatchEvent(new Event("loadeddata"));
        await Promise.resolve();
        assert.equal(isOver(), true);
    } finally {
        mock.timers.reset();
    }
});

test("where the picture does not come others are met all the same", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
        const { isOver } = await waiting(0);
        mock.timers.tick(2_999);
        await Promise.resolve();
        assert.equal(isOver(), false);
        mock.timers.tick(1);
        await Promise.resolve();
        assert.equal(isOver(), true);
    } finally {
        mock.timers.reset();
    }
});

test("a player that shows something is not waited for", async () => {
    assert.equal((await waiting(2)).isOver(), true);
    await firstPicture(null);
});
