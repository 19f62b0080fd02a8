// The life of two peers, each bittorrent-tracker's own client, at the tracker of {"url"}. Gives what
// they were told: {"updates", "scrapes", "hellos", "warnings"}.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { register } from "node:module";
import process from "node:process";

register("./webrtc-stand-in.mjs", import.meta.url);
const { default: Client } = await import("bittorrent-tracker/client");

const { url } = JSON.parse(readFileSync(0, "utf8"));
const INFO_HASH = Buffer.from("hpw5DN1BrHoy/nDyIVbD").toString("hex");
const OTHER_HASH = Buffer.from("dWzShRMpT2iw023W5NAw").toString("hex");
/** Only decides when a run is given up; it takes a tenth of a second. */
const MS_MAX = 60_000;
const updates = [];
const scrapes = [];
const heard = [];
const warnings = [];

setTimeout(() => {
  console.error(JSON.stringify({ updates, scrapes, heard, warnings }));
  process.exit(1);
}, MS_MAX);

/** The library keeps one socket for each URL; another path gives another one. */
function client(name) {
  const peerId = Buffer.from(`-WW0100-${name.repeat(12)}`);
  const it = new Client({ infoHash: INFO_HASH, peerId, announce: [`${url}${name}`], port: 1 });
  it.on("warning", (error) => warnings.push(error.message));
  it.on("error", (error) => warnings.push(error.message));
  it.on("peer", (peer) => {
    peer.on("error", (error) => warnings.push(error.message));
    peer.on("data", (data) => heard.push(`${name} hears ${Buffer.from(data)}`));
    peer.on("connect", () => peer.send(`hello from ${name}`));
  });
  return it;
}

/** Does something and notes what the tracker says to it. */
async function step(what, it, act) {
  const update = once(it, "update");
  act();
  const [{ complete, incomplete, infoHash }] = await update;
  updates.push([what, complete, incomplete, infoHash === INFO_HASH]);
}

async function scrape(it, options) {
  const reply = once(it, "scrape");
  it.scrape(options);
  const [{ complete, incomplete, infoHash }] = await reply;
  scrapes.push([complete, incomplete, infoHash === INFO_HASH]);
}

const [a, b] = [client("a"), client("b")];
await step("a starts", a, () => a.start());
const met = Promise.all([once(a, "peer"), once(b, "peer")]);
await step("b starts", b, () => b.start());
await met;
while (heard.length < 2) await new Promise((done) => setImmediate(done));
const hellos = [...heard].sort();
await step("b updates", b, () => b.update());
await step("b completes", b, () => b.complete());
await scrape(a);
await scrape(a, { infoHash: [INFO_HASH, OTHER_HASH] });
await step("b stops", b, () => b.stop());
await scrape(a);
await Promise.all([a, b].map((it) => new Promise((done) => it.destroy(done))));
console.log(JSON.stringify({ updates, scrapes, hellos, warnings }));
// The offers that nobody answered would hold the process for 50 seconds.
process.exit(0);
