// What the engine and a tracker say to each other: JSON outside (the protocol of WebTorrent's trackers), flat
// fields inside. `core/tracker-proto` does the same for the seeder; here JavaScript has JSON anyway.

import { Input } from "./input.js";

/** Characters of the id of a swarm, a peer or an offer. */
const ID = 20;

/** What the numbers of `Action.TrackerSend` say of the reason. */
const EVENTS = [undefined, "started", "stopped", "completed"] as const;
const ANSWER = 4;

/** The JSON of what the engine wants to say, in the order of fields that bittorrent-tracker 11.2.3 uses. */
export function trackerMessage(number: (index: number) => number, text: string, token?: string): string {
    const why = number(1);
    const ids = { info_hash: text.slice(0, ID), peer_id: text.slice(ID, 2 * ID) };
    if (why === ANSWER) {
        const [answer] = descriptions(text, 3 * ID, "answer");
        const to_peer_id = text.slice(2 * ID, 3 * ID);
        return JSON.stringify({ action: "announce", ...ids, to_peer_id, ...answer });
    }
    const offers = descriptions(text, 2 * ID, "offer");
    const counts = { numwant: offers.length, uploaded: number(2), downloaded: number(3) };
    const jwt = number(4) ? token : undefined;
    return JSON.stringify({ ...counts, event: EVENTS[why], action: "announce", ...ids, jwt, offers });
}

/** From `at` on: an id, a description and U+0000, again and again. */
function descriptions(text: string, at: number, type: "offer" | "answer"): object[] {
    const found = [];
    while (at < text.length) {
        const end = text.indexOf("\0", at + ID);
        found.push({ [type]: { type, sdp: text.slice(at + ID, end) }, offer_id: text.slice(at, at + ID) });
        at = end + 1;
    }
    return found;
}

/** What a tracker said, for the engine: kind 0 for what a player does not need, then fields and numbers as {@link Input} lists them. */
export type Said = [kind: Input, fields: string, intervalS?: number, peers?: number];

/** Reads a tracker's message. What cannot be read becomes a refusal, so that the page hears of it. */
export function readTrackerMessage(text: string): Said {
    try {
        return read(JSON.parse(text));
    } catch (error) {
        return [Input.TrackerFailure, `message cannot be read: ${error}`];
    }
}

function read(message: Record<string, unknown>): Said {
    const failure = message["failure reason"];
    if (failure) {
        return [Input.TrackerFailure, String(failure)];
    }
    const { action, offer, answer, interval, complete, incomplete } = message;
    const ids = (...names: string[]) => names.map((name) => id(message, name)).join("");
    if (action === "announce" && (offer || answer)) {
        const { sdp } = (offer || answer) as { sdp?: unknown };
        if (typeof sdp !== "string") throw new Error("no sdp");
        const kind = offer ? Input.TrackerOffer : Input.TrackerAnswer;
        return [kind, ids("info_hash", "peer_id", "offer_id") + sdp];
    }
    if (action !== "announce" || interval === undefined) {
        return [Input.Tick, ""];
    }
    const fields = ids("info_hash") + String(message["warning message"] ?? "");
    return [Input.TrackerAnnounced, fields, Number(interval), (Number(complete) || 0) + (Number(incomplete) || 0)];
}

/** An id has 20 characters of which each stands for a byte. */
function id(message: Record<string, unknown>, name: string): string {
    const value = message[name];
    if (typeof value === "string" && /^[\0-\xff]{20}$/.test(value)) {
        return value;
    }
    throw new Error(`${name} is not 20 bytes`);
}
