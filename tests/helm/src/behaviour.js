// What particular values do.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { file, find, render } from "./chart.js";
import { objectsOf } from "./matrix.js";

const container = (workload) => workload.spec.template.spec.containers[0];
const env = (workload, name) => container(workload).env?.find((it) => it.name === name);

describe("by default", () => {
  const objects = objectsOf("defaults");

  it("there are the four roles", () => {
    assert.equal(find(objects, "Deployment", "-tracker").spec.replicas, 1);
    assert.equal(find(objects, "Deployment", "-stun").spec.replicas, 2);
    assert.ok(find(objects, "StatefulSet", "-seeder"));
    assert.ok(find(objects, "StatefulSet", "-control"));
  });

  it("the seeder finds the tracker of the release", () => {
    assert.match(file(objects, "seeder"), /trackers = \["ws:\/\/demo-beekeepr-tracker\.streams\.svc:8000"\]/);
  });

  it("viewers are told the address of the seeder's node, and its NodePort is the port it listens on", () => {
    const seeder = find(objects, "StatefulSet", "-seeder");
    assert.equal(env(seeder, "BEEKEEPR_SEEDER__EXTERNAL_IPS").valueFrom.fieldRef.fieldPath, "status.hostIP");
    const [port] = find(objects, "Service", "-seeder-peers").spec.ports;
    assert.equal(port.nodePort, container(seeder).ports[0].containerPort);
    assert.match(file(objects, "seeder"), new RegExp(`udp = "0.0.0.0:${port.nodePort}"`));
  });

  it("two seeders never share a node", () => {
    const { affinity } = find(objects, "StatefulSet", "-seeder").spec.template.spec;
    assert.equal(affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey, "kubernetes.io/hostname");
  });

  it("STUN sees viewers' addresses", () => {
    const { spec } = find(objects, "Service", "-stun");
    assert.equal(spec.externalTrafficPolicy, "Local");
    assert.equal(spec.ports[0].protocol, "UDP");
    assert.equal(spec.ports.length, 1);
  });

  it("control keeps its database on a volume", () => {
    const control = find(objects, "StatefulSet", "-control");
    assert.equal(control.spec.volumeClaimTemplates[0].metadata.name, "data");
    assert.match(file(objects, "control"), /data = "\/var\/lib\/beekeepr"/);
    assert.equal(container(control).volumeMounts.find((it) => it.name === "data").mountPath, "/var/lib/beekeepr");
    assert.equal(control.spec.persistentVolumeClaimRetentionPolicy.whenDeleted, "Retain");
  });

  it("no Service has the admin port", () => {
    const services = objects.filter((it) => it.kind === "Service");
    assert.ok(services.every(({ spec }) => spec.ports.every((port) => port.targetPort !== "admin")));
  });

  it("the admin listener wants a token that only the release knows", () => {
    const token = Buffer.from(find(objects, "Secret", "-admin").data.token, "base64").toString();
    assert.match(token, /^[A-Za-z0-9]{32}$/);
    assert.match(file(objects, "tracker"), /token_file = "\/run\/secrets\/admin\/token"/);
  });

  it("every role has a PodDisruptionBudget that lets sick pods go", () => {
    const budgets = objects.filter((it) => it.kind === "PodDisruptionBudget");
    assert.equal(budgets.length, 4);
    assert.ok(budgets.every(({ spec }) => spec.unhealthyPodEvictionPolicy === "AlwaysAllow"));
  });

  it("pods spread over zones and nodes", () => {
    const { topologySpreadConstraints } = find(objects, "Deployment", "-stun").spec.template.spec;
    assert.deepEqual(topologySpreadConstraints.map((it) => it.topologyKey), ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
  });

  it("nothing needs custom resources", () => {
    const foreign = objects.filter((it) => /monitoring\.coreos|gateway\.networking/.test(it.apiVersion));
    assert.deepEqual(foreign, []);
  });
});

describe("the tracker", () => {
  it("is reached through a Gateway, which it trusts", () => {
    const objects = objectsOf("behind a Gateway");
    const { spec } = find(objects, "HTTPRoute", "-tracker");
    assert.deepEqual(spec.hostnames, ["tracker.example.com"]);
    assert.equal(spec.parentRefs[0].sectionName, "https");
    assert.match(file(objects, "tracker"), /trusted_proxies = \["10\.0\.0\.0\/8"\]/);
    assert.equal(find(objects, "HTTPRoute", "-control").spec.rules[0].matches[0].path.value, "/p2p");
  });

  it("is reached through an Ingress", () => {
    const { spec } = find(objectsOf("behind an Ingress"), "Ingress", "-tracker");
    assert.equal(spec.ingressClassName, "traefik");
    assert.equal(spec.tls[0].secretName, "t");
    assert.equal(spec.rules[0].http.paths[0].backend.service.name, "demo-beekeepr-tracker");
  });

  it("has TLS, tokens and further settings of its own", () => {
    const objects = objectsOf("TLS and tokens in the tracker");
    const text = file(objects, "tracker");
    assert.match(text, /certificate = "\/run\/secrets\/tls\/tls\.crt"/);
    assert.match(text, /keys = "\/run\/secrets\/tokens\/keys\.json"/);
    assert.match(text, /issuers = \["i"\]/);
    // Neither 5.36870912e+08 nor 536870912.0, which are no whole numbers in TOML.
    assert.match(text, /swarms_max = 536870912\n/);
    const { volumes } = find(objects, "Deployment", "-tracker").spec.template.spec;
    assert.equal(volumes.find((it) => it.name === "tls").secret.secretName, "tracker-tls");
  });

  it("brings no secret of its own where one is named", () => {
    const objects = objectsOf("TLS and tokens in the tracker");
    assert.equal(find(objects, "Secret", "-admin"), undefined);
    const { volumes } = find(objects, "Deployment", "-tracker").spec.template.spec;
    assert.equal(volumes.find((it) => it.name === "admin").secret.secretName, "admin-token");
  });

  it("is replaced before it goes", () => {
    const { rollingUpdate } = find(objectsOf("defaults"), "Deployment", "-tracker").spec.strategy;
    assert.deepEqual(rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
  });

  it("starts anew when its configuration changes, and only then", () => {
    const sum = (values) => find(render(values), "Deployment", "-tracker").spec.template.metadata.annotations["checksum/config"];
    assert.equal(sum({}), sum({ stun: { replicas: 3 } }));
    assert.notEqual(sum({}), sum({ tracker: { config: { scrape_all: true } } }));
  });
});

describe("the STUN server", () => {
  it("on every node needs no Service and one pod each", () => {
    const objects = objectsOf("STUN on every node");
    const { spec } = find(objects, "DaemonSet", "-stun");
    assert.equal(spec.template.spec.hostNetwork, true);
    assert.equal(spec.template.spec.dnsPolicy, "ClusterFirstWithHostNet");
    assert.deepEqual(spec.template.spec.nodeSelector, { edge: "true" });
    assert.equal(find(objects, "Service", "-stun"), undefined);
    assert.match(file(objects, "stun"), /tcp_listen = \["0\.0\.0\.0:3478"\]/);
  });

  it("gives its port free before the next one takes it", () => {
    const { rollingUpdate } = find(objectsOf("STUN on some nodes"), "Deployment", "-stun").spec.strategy;
    assert.deepEqual(rollingUpdate, { maxSurge: 0, maxUnavailable: 1 });
  });

  it("has the NodePort it is told", () => {
    assert.equal(find(objectsOf("STUN by NodePort"), "Service", "-stun").spec.ports[0].nodePort, 31478);
  });
});

describe("the seeder", () => {
  it("behind a balancer tells viewers its address", () => {
    const objects = objectsOf("a seeder with a balancer");
    assert.match(file(objects, "seeder"), /external_ips = \["192\.0\.2\.1"\]/);
    assert.equal(env(find(objects, "StatefulSet", "-seeder"), "BEEKEEPR_SEEDER__EXTERNAL_IPS"), undefined);
    assert.equal(find(objects, "Service", "-seeder-peers").spec.type, "LoadBalancer");
  });

  it("keeps channels in a Secret, credentials written right", () => {
    const objects = objectsOf("seeders on nodes");
    assert.ok(find(objects, "Secret", "-seeder"));
    const text = file(objects, "seeder");
    assert.equal(text.match(/\[\[seeder\.channels\]\]/g).length, 2);
    assert.match(text, /\[seeder\.channels\.headers\]\nx-key = "a\\"b"/);
  });

  it("on nodes has no Service between", () => {
    const objects = objectsOf("seeders on nodes");
    assert.equal(find(objects, "Service", "-seeder-peers"), undefined);
    assert.equal(find(objects, "StatefulSet", "-seeder").spec.template.spec.hostNetwork, true);
  });

  it("fills nine tenths of its volume", () => {
    const objects = objectsOf("seeders on nodes");
    assert.match(file(objects, "seeder"), /bytes_max = 96636764160\n/);
    const [claim] = find(objects, "StatefulSet", "-seeder").spec.volumeClaimTemplates;
    assert.equal(claim.spec.storageClassName, "fast");
    assert.equal(claim.spec.resources.requests.storage, "100Gi");
  });

  it("seals the shield's addresses with a key that all replicas know", () => {
    const key = env(find(objectsOf("seeders on nodes"), "StatefulSet", "-seeder"), "BEEKEEPR_SEEDER__SHIELD__KEY");
    assert.deepEqual(key.valueFrom.secretKeyRef, { name: "shield", key: "key" });
  });

  it("takes channels from control", () => {
    const text = file(objectsOf("channels from control"), "seeder");
    assert.match(text, /\[seeder\.channels_from\]\nkey_file = "\/run\/secrets\/control\/key"\nurl = "https:\/\/control\.example\/v1"/);
  });
});

describe("control", () => {
  it("with PostgreSQL has several replicas, no volume and its password in no description", () => {
    const control = find(objectsOf("control with PostgreSQL"), "StatefulSet", "-control");
    assert.equal(control.spec.replicas, 3);
    assert.equal(control.spec.volumeClaimTemplates, undefined);
    const text = file(objectsOf("control with PostgreSQL"), "control");
    assert.match(text, /database_file = "\/run\/secrets\/database\/url"/);
    assert.match(text, /secret_file = "\/run\/secrets\/control\/secret"/);
    assert.match(text, /\[control\.keep\]\naudit_days = 30/);
    const { volumes } = control.spec.template.spec;
    assert.equal(volumes.find((it) => it.name === "database").secret.secretName, "postgres");
  });

  it("takes viewers' reports on a listener of its own, apart from the admin API", () => {
    const objects = objectsOf("control with reports");
    assert.match(file(objects, "control"), /\[control\.beacons\]\nlisten = "0\.0\.0\.0:8101"\ntrusted_proxies = \["10\.0\.0\.0\/8"\]/);
    const { spec } = find(objects, "HTTPRoute", "-control-beacons");
    assert.equal(spec.rules[0].backendRefs[0].name, "demo-beekeepr-control-beacons");
    assert.equal(spec.rules[0].matches[0].path.value, "/v1/beacons");
    const [path] = find(objects, "Ingress", "-control-beacons").spec.rules[0].http.paths;
    assert.equal(path.backend.service.name, "demo-beekeepr-control-beacons");
    assert.equal(find(objects, "HTTPRoute", "-control"), undefined);
  });

  it("of the release gives the seeder channels", () => {
    const text = file(objectsOf("control with reports"), "seeder");
    assert.match(text, /url = "http:\/\/demo-beekeepr-control\.streams\.svc:80\/v1"/);
  });

  it("does without a volume where it is told to", () => {
    const { spec } = find(objectsOf("control without a volume"), "StatefulSet", "-control");
    assert.deepEqual(spec.template.spec.volumes.find((it) => it.name === "data").emptyDir, {});
  });
});

describe("with everything on", () => {
  const objects = objectsOf("everything on");

  it("scales up at once and down slowly, one pod at a time", () => {
    for (const role of ["tracker", "stun", "seeder"]) {
      const { behavior } = find(objects, "HorizontalPodAutoscaler", `-${role}`).spec;
      assert.equal(behavior.scaleUp.stabilizationWindowSeconds, 0);
      assert.equal(behavior.scaleDown.stabilizationWindowSeconds, 1800);
      assert.equal(behavior.scaleDown.policies[0].value, 1);
    }
    assert.equal(find(objects, "Deployment", "-stun").spec.replicas, undefined);
    assert.equal(find(objects, "HorizontalPodAutoscaler", "-seeder").spec.scaleTargetRef.kind, "StatefulSet");
  });

  it("lets in what the roles listen for, and metrics for those who may", () => {
    const { ingress, egress } = find(objects, "NetworkPolicy", "-stun").spec;
    assert.deepEqual(ingress[0].ports.map((it) => it.protocol), ["UDP", "TCP"]);
    assert.equal(ingress[1].from[0].namespaceSelector.matchLabels.name, "monitoring");
    assert.ok(egress.every((rule) => rule.ports.every((it) => it.port === 53)));
  });

  it("brings alerts and dashboards as they are", () => {
    assert.ok(find(objects, "PrometheusRule", "").spec.groups.length > 0);
    const dashboards = objects.filter((it) => it.metadata.labels?.grafana_dashboard === "1");
    assert.ok(dashboards.length >= 5);
    for (const { data } of dashboards) {
      assert.ok(JSON.parse(Object.values(data)[0]).panels.length > 0);
    }
  });

  it("fills in templates of further objects", () => {
    const names = objects.filter((it) => it.kind === "ConfigMap").map((it) => it.metadata.name);
    assert.ok(names.includes("demo-extra") && names.includes("text"));
  });

  it("hands the pod's settings on", () => {
    const { metadata, spec } = find(objects, "StatefulSet", "-seeder").spec.template;
    assert.equal(metadata.annotations.a, "b");
    assert.equal(metadata.labels.team, "video");
    assert.equal(spec.terminationGracePeriodSeconds, 300);
    assert.equal(spec.priorityClassName, "viewers");
    assert.deepEqual(spec.affinity, { nodeAffinity: {} });
    assert.equal(spec.containers[0].image, `registry.example/beekeepr@sha256:${"0".repeat(64)}`);
  });
});
