// What holds for everything that the chart ever renders.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";

import { file, pods, workloads } from "./chart.js";
import { renders } from "./matrix.js";

const BINARY = process.env.BEEKEEPR_BIN ?? "beekeepr";
/** Roles that the binary has; no others can be checked with it. */
const ROLES = ["tracker", "stun", "seeder", "control"].filter((role) => spawnSync(BINARY, [role, "--help"]).status === 0);
assert.ok(ROLES.length > 2, `${BINARY} has the roles ${ROLES}`);

/** Labels that objects of a kind look for. */
const SELECTOR = {
  Service: (spec) => spec.selector,
  PodDisruptionBudget: (spec) => spec.selector.matchLabels,
  NetworkPolicy: (spec) => spec.podSelector.matchLabels,
  PodMonitor: (spec) => spec.selector.matchLabels,
};

for (const { name, version, objects } of renders()) {
  describe(`${name}, Helm ${version}`, () => {
    it("names every object once", () => {
      const names = objects.map((object) => `${object.kind}/${object.metadata.name}`);
      assert.deepEqual(names, [...new Set(names)]);
    });

    it("runs pods that the standard `restricted` admits, save for the network of the node", () => {
      for (const { spec } of pods(objects)) {
        assert.equal(spec.securityContext.runAsNonRoot, true);
        assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
        assert.equal(spec.automountServiceAccountToken, false);
        for (const { securityContext, ports = [] } of spec.containers) {
          assert.equal(securityContext.allowPrivilegeEscalation, false);
          assert.equal(securityContext.readOnlyRootFilesystem, true);
          assert.deepEqual(securityContext.capabilities.drop, ["ALL"]);
          assert.ok(ports.every((port) => port.hostPort === undefined));
        }
      }
    });

    it("asks three probes and gives the drain its time", () => {
      for (const { spec, metadata } of workloads(objects)) {
        const [container] = spec.template.spec.containers;
        assert.equal(container.livenessProbe.httpGet.path, "/livez");
        assert.equal(container.readinessProbe.httpGet.path, "/readyz");
        assert.ok(container.startupProbe);
        const drain = Number(/drain_s = (\d+)/.exec(file(objects, container.name))?.[1] ?? 0);
        const wait = container.lifecycle.preStop.sleep.seconds;
        assert.ok(spec.template.spec.terminationGracePeriodSeconds > drain + wait, metadata.name);
      }
    });

    it("selects pods that exist", () => {
      const labels = workloads(objects).map(({ spec }) => spec.template.metadata.labels);
      for (const { kind, metadata, spec } of objects) {
        const wanted = Object.entries(SELECTOR[kind]?.(spec) ?? {});
        const found = labels.filter((it) => wanted.every(([key, value]) => it[key] === value));
        assert.ok(found.length > 0, `${kind}/${metadata.name}`);
      }
    });

    it("sends Services and routes to ports that are open", () => {
      const open = new Set(pods(objects).flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports.map((it) => it.name))));
      const services = objects.filter(({ kind }) => kind === "Service");
      for (const { spec } of services) {
        assert.ok(spec.ports.every((port) => open.has(port.targetPort)));
      }
      for (const { spec } of objects.filter(({ kind }) => kind === "HTTPRoute")) {
        const [{ name: service, port }] = spec.rules[0].backendRefs;
        const target = services.find(({ metadata }) => metadata.name === service);
        assert.ok(target.spec.ports.some((it) => it.port === port));
      }
    });

    it("mounts what there is, and nothing twice", () => {
      for (const { spec } of workloads(objects)) {
        const own = (spec.volumeClaimTemplates ?? []).map((it) => it.metadata.name);
        const volumes = [...spec.template.spec.volumes.map((it) => it.name), ...own];
        const mounts = spec.template.spec.containers[0].volumeMounts.map((it) => it.name);
        assert.deepEqual(mounts.toSorted(), volumes.toSorted());
      }
    });

    it("writes configuration that the program takes", () => {
      for (const role of ROLES.filter((it) => file(objects, it))) {
        accepts(file(objects, role));
      }
    });
  });
}

/** Files that were found to be good: most renders have some in common. */
const good = new Set();

/** `beekeepr check` on a file, as far as it says what is wrong with the file itself. */
function accepts(text) {
  if (good.has(text)) {
    return;
  }
  const folder = mkdtempSync(`${tmpdir()}/beekeepr-helm-`);
  writeFileSync(`${folder}/beekeepr.toml`, text);
  const run = spawnSync(BINARY, ["check", "--offline", "--config", `${folder}/beekeepr.toml`], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(run.status, 0, `${run.error ?? run.stderr}\n${text}`);
  good.add(text);
}
