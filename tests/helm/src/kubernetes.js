// Whether Kubernetes would take it: Helm's own lint, the schemas of Kubernetes' versions and of custom resources.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { it } from "node:test";

import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";

import { CHART, HELM, helm } from "./chart.js";
import { MATRIX, renders } from "./matrix.js";

const CUSTOM = { HTTPRoute, PodMonitor, PrometheusRule };
/** Versions of Kubernetes that the chart is for. */
const VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/** Different objects of all renders: most renders differ in few. */
const objects = [...new Map(renders([4]).flatMap((it) => it.objects.map((object) => [JSON.stringify(object), object]))).values()];

for (const version of Object.keys(HELM)) {
  it(`Helm ${version} has nothing to say against it`, () => {
    for (const values of [MATRIX.defaults, MATRIX["everything on"]]) {
      const run = helm(version, ["lint", "--strict", CHART], values);
      assert.equal(run.status, 0, run.stdout + run.stderr);
    }
  });
}

it("is an object of its kind in each version of Kubernetes", () => {
  const plain = objects.filter(({ kind }) => CUSTOM[kind] === undefined);
  assert.ok(plain.length > 50, `${plain.length} objects`);
  const program = fileURLToPath(new URL("validate.py", import.meta.url));
  const run = spawnSync(process.env.BEEKEEPR_PYTHON ?? "python3", [program, ...VERSIONS], {
    input: JSON.stringify(plain),
    encoding: "utf8",
  });
  assert.equal(run.status, 0, `${run.error ?? ""}${run.stdout}${run.stderr}`);
});

for (const [kind, Model] of Object.entries(CUSTOM)) {
  it(`is a ${kind} as its resource definition has it`, () => {
    const own = objects.filter((it) => it.kind === kind);
    assert.ok(own.length > 0);
    own.forEach((object) => new Model(object).validate());
    const wrong = { ...own[0], spec: { ...own[0].spec, groups: "none", rules: "none", selector: "none" } };
    assert.throws(() => new Model(wrong).validate());
  });
}
