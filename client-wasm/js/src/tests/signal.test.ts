import assert from "node:assert/strict";
import { test } from "node:test";
import { Input } from "../input.js";
import { readTrackerMessage, trackerMessage } from "../signal.js";

const SWARM = "swarmswarmswarmswarm";
const SELF = "-BK0001-abcdefghijkl";
const PEER = "-PM0203-\0\x80\xffxxxxxxxxx";
const OFFER = "offeroffer\0fferoffer";

const said = (numbers: number[], text: string, token?: string) =>
    JSON.parse(trackerMessage((index) => numbers[index] ?? Number.NaN, text, token));

test("an announce carries each offer with its id, whatever bytes the id has", () => {
    const text = `${SWARM}${SELF}${OFFER}v=0\r\na\0${OFFER}v=0\r\nb\0`;
    const offer = (end: string) => ({ offer: { type: "offer", sdp: `v=0\r\n${end}` }, offer_id: OFFER });
    assert.deepEqual(said([0, 1, 5, 7, 0], text, "secret"), {
        numwant: 2,
        uploaded: 5,
        downloaded: 7,
        event: "started",
        action: "announce",
        info_hash: SWARM,
        peer_id: SELF,
        offers: [offer("a"), offer("b")],
    });
});

test("without a reason there is no event, and the token goes along when it is to", () => {
    const message = said([0, 0, 0, 0, 1], SWARM + SELF, "secret");
    assert.deepEqual([message.event, message.jwt, message.offers], [undefined, "secret", []]);
    assert.equal(said([0, 2, 0, 0, 0], SWARM + SELF).event, "stopped");
});

test("an answer names the peer that offered", () => {
    assert.deepEqual(said([0, 4], `${SWARM}${SELF}${PEER}${OFFER}v=0\0`), {
        action: "announce",
        info_hash: SWARM,
        peer_id: SELF,
        to_peer_id: PEER,
        answer: { type: "answer", sdp: "v=0" },
        offer_id: OFFER,
    });
});

const parse = (text: string) => {
    const [kind, fields, interval, peers] = readTrackerMessage(text);
    return { kind, fields, interval, peers };
};
const read = (message: object) => parse(JSON.stringify(message));
const ids = { action: "announce", info_hash: SWARM, peer_id: PEER, offer_id: OFFER };

test("a reply tells the interval, the peers in all and a warning", () => {
    const reply = { action: "announce", info_hash: SWARM, interval: 30, complete: 2, incomplete: 3 };
    const flat = { kind: Input.TrackerAnnounced, interval: 30, peers: 5, fields: SWARM };
    assert.deepEqual(read(reply), flat);
    assert.equal(read({ ...reply, "warning message": "slow" }).fields, `${SWARM}slow`);
});

test("offers and answers are relayed with their ids", () => {
    const fields = `${SWARM}${PEER}${OFFER}v=0`;
    const offer = read({ ...ids, offer: { type: "offer", sdp: "v=0" } });
    const answer = read({ ...ids, answer: { type: "answer", sdp: "v=0" } });
    assert.deepEqual([offer.kind, offer.fields], [Input.TrackerOffer, fields]);
    assert.deepEqual([answer.kind, answer.fields], [Input.TrackerAnswer, fields]);
});

test("a refusal is passed on, and what nobody needs is left out", () => {
    const refusal = read({ "failure reason": "no token" });
    assert.deepEqual([refusal.kind, refusal.fields], [Input.TrackerFailure, "no token"]);
    for (const message of [{}, [], 5, { action: "scrape" }, { action: "announce", info_hash: SWARM }]) {
        assert.equal(parse(JSON.stringify(message)).kind, Input.Tick);
    }
});

test("what cannot be read becomes a refusal", () => {
    const sdp = { type: "offer", sdp: "v=0" };
    const bad = [
        { ...ids, offer: sdp, peer_id: "short" },
        { ...ids, offer: sdp, offer_id: "offerofferofferoffe\u0100" },
        { ...ids, answer: { type: "answer" } },
        { ...ids, offer: "v=0" },
        { action: "announce", interval: 30 },
    ];
    for (const text of ["", "{", "null", ...bad.map((message) => JSON.stringify(message))]) {
        const { kind, fields } = parse(text);
        assert.equal(kind, Input.TrackerFailure);
        assert.match(fields, /^message cannot be read/);
    }
});
