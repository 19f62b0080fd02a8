// Values that the schema refuses.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { refusal } from "./chart.js";

/** Values that are no values, with what Helm says of them. */
const WRONG = [
  [{ trackr: {} }, /trackr/],
  [{ tracker: { replica: 2 } }, /replica/],
  [{ tracker: { replicas: "2" } }, /replicas/],
  [{ tracker: { replicas: 0 } }, /replicas/],
  [{ tracker: { service: { type: "ExternalName" } } }, /type/],
  [{ tracker: { trustedProxies: ["10.0.0.1"] } }, /trustedProxies/],
  [{ tracker: { pod: { nodeselector: {} } } }, /nodeselector/],
  [{ tracker: { pdb: { minAvailable: 1 } } }, /minAvailable/],
  [{ stun: { kind: "StatefulSet" } }, /kind/],
  [{ stun: { port: 80 } }, /port/],
  [{ seeder: { network: "hostNetwork" } }, /network/],
  [{ seeder: { channels: [{ name: "a" }] } }, /manifest/],
  [{ seeder: { trackers: ["https://t.example"] } }, /trackers/],
  [{ seeder: { disk: { size: "20G" } } }, /size/],
  [{ control: { database: { url: "mysql://h/d" } } }, /url/],
  [{ image: { digest: "sha256:1" } }, /digest/],
  [{ log: { format: "yaml" } }, /format/],
  [{ monitoring: { podMonitor: { interval: "30" } } }, /interval/],
  [{ preStopSeconds: -1 }, /preStopSeconds/],
];

describe("the schema refuses", () => {
  for (const [values, word] of WRONG) {
    it(JSON.stringify(values), () => {
      const text = refusal(values) ?? "(rendered)";
      assert.match(text, /values don't meet the specifications of the schema/);
      assert.match(text, word);
    });
  }
});

it("the schema takes what a parent chart hands down", () => assert.equal(refusal({ global: { a: 1 } }), undefined));
