// Combinations that are refused, with words that say what to write instead.

import assert from "node:assert/strict";
import { it } from "node:test";

import { refusal } from "./chart.js";

const several = { enabled: true };
const off = { enabled: false };

const REFUSED = [
  [{ tracker: off, stun: off, seeder: off, control: off }, /no role is enabled/],
  [{ tracker: { replicas: 2 } }, /viewers of one stream on different ones do not meet/],
  [{ tracker: { autoscaling: several } }, /tracker\.allowSeveral=true/],
  [{ tracker: { ingress: { enabled: true, hosts: ["t"] } } }, /tracker\.trustedProxies is empty/],
  [{ tracker: { httpRoute: { enabled: true, parentRefs: [{ name: "g" }] } } }, /tracker\.trustedProxies is empty/],
  [{ tracker: { trustedProxies: ["10.0.0.0/8"], httpRoute: { enabled: true } } }, /tracker\.httpRoute\.parentRefs is empty/],
  [{ tracker: { trustedProxies: ["10.0.0.0/8"], ingress: { enabled: true } } }, /tracker\.ingress\.hosts is empty/],
  [
    { tracker: { trustedProxies: ["10.0.0.0/8"], ingress: { enabled: true, hosts: ["t"] }, tls: { existingSecret: "t" } } },
    /end TLS at one of the two/,
  ],
  [{ tracker: { service: { type: "LoadBalancer", externalTrafficPolicy: "Cluster" } } }, /hides the viewers' addresses/],
  [{ tracker: { config: { listen: "0.0.0.0:1" } } }, /tracker\.config\.listen is set by the chart/],
  [{ tracker: { pod: { terminationGracePeriodSeconds: 30 } } }, /its drain would be cut off; write 70 or more/],
  [{ stun: { service: { externalTrafficPolicy: "Cluster" } } }, /which are what STUN tells them/],
  [{ stun: { kind: "DaemonSet" } }, /stun\.hostNetwork=true/],
  [{ stun: { kind: "DaemonSet", hostNetwork: true, autoscaling: several } }, /cannot scale a DaemonSet/],
  [{ stun: { service: { nodePort: 31000 } } }, /stun\.service\.type=NodePort/],
  [{ stun: { tcp: true, service: { type: "NodePort", nodePort: 31000 } } }, /write nodePort=0/],
  [{ stun: { config: { drain_s: 1 } } }, /stun\.config\.drain_s is set by the chart/],
  [{ seeder: { network: "LoadBalancer" } }, /needs seeder\.externalIPs/],
  [{ seeder: { network: "LoadBalancer", externalIPs: ["192.0.2.1"], replicas: 2 } }, /takes seeder\.replicas=1 alone/],
  [{ seeder: { udpPort: 4000 } }, /a NodePort is 30000 to 32767/],
  [{ seeder: { externalIPs: ["192.0.2.1"], replicas: 2 } }, /each is at the address of its own node/],
  [{ seeder: { shield: { enabled: true }, replicas: 2 } }, /needs seeder\.shield\.existingSecret/],
  [{ seeder: { channelsFrom: { url: "http://control.example" } } }, /write https/],
  [{ seeder: { config: { shards: 2 } } }, /seeder\.config\.shards is set by the chart/],
  [{ tracker: { enabled: false } }, /seeder\.trackers is empty and the release has no tracker/],
  [{ control: { replicas: 2 } }, /name a PostgreSQL database/],
  [{ control: { database: { existingSecret: "s" } } }, /control\.secret\.existingSecret is empty/],
  [{ control: { beacons: { enabled: true, httpRoute: { enabled: true } } } }, /control\.beacons\.trustedProxies is empty/],
  [{ control: { beacons: { httpRoute: { enabled: true } } } }, /control\.beacons\.httpRoute\.parentRefs is empty/],
  [{ control: { beacons: { ingress: { enabled: true } } } }, /control\.beacons\.ingress\.hosts is empty/],
  [{ control: { enabled: false }, seeder: { channelsFrom: { existingSecret: "k" } } }, /the release has no control/],
  [{ control: { secret: { existingSecret: "x" }, database: { url: "postgres://h/d", existingSecret: "s" } } }, /write one of the two/],
  [{ control: { secret: { existingSecret: "x" }, database: { url: "postgres://me:word@h/d" } } }, /put the URL into a Secret/],
  [{ control: { httpRoute: { enabled: true } } }, /control\.httpRoute\.parentRefs is empty/],
  [{ control: { ingress: { enabled: true } } }, /control\.ingress\.hosts is empty/],
];

for (const [values, message] of REFUSED) {
  it(`refuses ${JSON.stringify(values)}`, () => assert.match(refusal(values) ?? "(rendered)", message));
}
