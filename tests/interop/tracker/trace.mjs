// Says the same to two trackers and compares what they send: ours, and bittorrent-tracker's server.
// Takes {"url", "seed", "steps"} and gives {"steps", "messages", "differences"}.
//
// Two peers in two swarms, so that both trackers have only one peer to choose. Left out is what is
// meant to differ: intervals, a scrape's flags, who may answer what, names that were stolen, and
// `left: null`, which is what Infinity becomes in JSON and theirs takes for 0.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
// Not by the package's index: that loads a native module which is not there.
import Server from "bittorrent-tracker/server";
import { WebSocket } from "ws";

const { url, seed, steps } = JSON.parse(readFileSync(0, "utf8"));
const SWARMS = ["hpw5DN1BrHoy/nDyIVbD", "dWzShRMpT2iw023W5NAw"];
/** Asked for to know that everything before has come: nobody is in it. */
const BARRIER = "no-such-swarm-at-all";
const EVENTS = [undefined, "started", "update", "paused", "empty", ""];

/** Mulberry32: one seed, one trace. */
function randomFrom(state) {
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

class Client {
  #received = [];
  #wake = () => {};

  constructor(address) {
    this.socket = new WebSocket(address);
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.socket.on("message", (data) => {
      this.#received.push(JSON.parse(data));
      this.#wake();
    });
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** Everything that the tracker sent for what was said before. Theirs answers some things a turn
   *  later than what came after them, so it is asked twice. */
  async settle() {
    return [...(await this.#round()), ...(await this.#round())];
  }

  async #round() {
    this.say({ action: "scrape", info_hash: BARRIER });
    for (;;) {
      const failure = this.#received.find((it) => it["failure reason"]);
      if (failure) {
        throw new Error(failure["failure reason"]);
      }
      const end = this.#received.findIndex((it) => it.files && BARRIER in it.files);
      if (end >= 0) {
        const before = this.#received.splice(0, end + 1);
        return before.slice(0, -1).map(comparable);
      }
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}

function comparable(message) {
  const { interval, flags, ...rest } = message;
  return rest;
}

/** The next thing to say, from what the clients were sent so far. */
function nextStep(random, offers, number) {
  const client = random(2);
  const swarm = random(2);
  const base = { info_hash: SWARMS[swarm], peer_id: `-PM0203-client-${client}-${swarm}-x` };
  const open = offers[client];
  if (open.length > 0 && random(3) === 0) {
    const offer = open.splice(random(open.length), 1)[0];
    const own = `-PM0203-client-${client}-${SWARMS.indexOf(offer.info_hash)}-x`;
    const answer = { type: "answer", sdp: `v=0\r\ns="answer" é ${number}\r\n` };
    const { info_hash, offer_id, peer_id } = offer;
    return [client, { action: "announce", info_hash, peer_id: own, to_peer_id: peer_id, answer, offer_id }];
  }
  switch (random(8)) {
    case 0:
      return [client, { action: "announce", ...base, event: "stopped" }];
    case 1:
      return [client, { action: "announce", ...base, event: "completed", left: 0 }];
    case 2:
      return [client, { action: "scrape", info_hash: random(2) ? SWARMS : SWARMS[swarm] }];
    default: {
      const list = Array.from({ length: random(4) }, (_, i) => ({
        offer: { type: "offer", sdp: `v=0\r\no=- ${number} ${i}\r\n` },
        offer_id: String.fromCharCode(random(256), 34, 92, 10).padEnd(20, String(number * 4 + i)).slice(0, 20),
      }));
      const event = EVENTS[random(EVENTS.length)];
      const left = [undefined, 0, 5][random(3)];
      return [client, { numwant: list.length, uploaded: 0, downloaded: 0, event, left, action: "announce", ...base, offers: list }];
    }
  }
}

const server = new Server({ http: false, udp: false, ws: true });
server.on("warning", () => {});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const foreign = `ws://127.0.0.1:${server.ws.address().port}`;
const ours = [new Client(url), new Client(url)];
const theirs = [new Client(foreign), new Client(foreign)];
await Promise.all([...ours, ...theirs].map((client) => client.opened));

const random = randomFrom(seed);
const offers = [[], []];
const differences = [];
let messages = 0;
for (let number = 0; number < steps && differences.length === 0; number += 1) {
  const [client, message] = nextStep(random, offers, number);
  const sent = [];
  for (const clients of [ours, theirs]) {
    clients[client].say(message);
    const first = await clients[client].settle();
    const second = await clients[1 - client].settle();
    sent.push(client === 0 ? [first, second] : [second, first]);
  }
  messages += sent[0].flat().length;
  if (!isDeepStrictEqual(sent[0], sent[1])) {
    differences.push({ number, client, message, ours: sent[0], theirs: sent[1] });
  }
  sent[0].forEach((list, to) => offers[to].push(...list.filter((it) => it.offer)));
  if (message.event === "stopped") {
    // Who left is answered no more, by ours: its offers went with it, and those to it.
    offers.forEach((list, to) => {
      const goes = (it) => it.info_hash === message.info_hash;
      offers[to] = list.filter((it) => !goes(it));
    });
  }
}
[...ours, ...theirs].forEach((client) => client.socket.terminate());
await new Promise((resolve) => server.close(resolve));
console.log(JSON.stringify({ steps, messages, differences }));
