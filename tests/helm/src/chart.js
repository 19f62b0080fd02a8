// The chart's files, and what Helm makes of them.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { parseAllDocuments } from "yaml";

/** The chart's folder. */
export const CHART = fileURLToPath(new URL("../../../helm/beekeepr", import.meta.url));

/** A file of the chart. */
export const read = (name) => readFileSync(`${CHART}/${name}`, "utf8");

/** Helm's programs by their major version; `cargo xtask test` says where they are. */
export const HELM = { 3: process.env.BEEKEEPR_HELM3 ?? "helm3", 4: process.env.BEEKEEPR_HELM4 ?? "helm" };

/** Runs a version of Helm with values on standard input. */
export function helm(version, command, values = {}) {
  const run = spawnSync(HELM[version], [...command, "--values", "-"], { input: JSON.stringify(values), encoding: "utf8" });
  if (run.error) {
    throw new Error(`cannot start Helm ${version}; \`cargo xtask test\` installs it: ${run.error.message}`);
  }
  return run;
}

/** What the chart renders to, as objects. */
export function render(values, version = 4) {
  const run = helm(version, ["template", "demo", CHART, "--namespace", "streams"], values);
  if (run.status !== 0) {
    throw new Error(run.stderr);
  }
  return parseAllDocuments(run.stdout)
    .map((it) => it.toJS())
    .filter((it) => it !== null);
}

/** Why the chart cannot be rendered; nothing when it can. */
export function refusal(values) {
  const run = helm(4, ["template", "demo", CHART], values);
  return run.status === 0 ? undefined : run.stderr;
}

/** The only object of a kind with a name, or nothing. */
export const find = (objects, kind, name) => objects.find((it) => it.kind === kind && it.metadata.name === `demo-beekeepr${name}`);

/** Deployments, StatefulSets, DaemonSets. */
export const workloads = (objects) => objects.filter((it) => it.spec?.template?.spec?.containers !== undefined);

/** All pods, those of tests as well. */
export const pods = (objects) => [
  ...workloads(objects).map((it) => it.spec.template),
  ...objects.filter((it) => it.kind === "Pod"),
];

/** The configuration file of a role. */
export function file(objects, role) {
  const holder = objects.find((it) => it.metadata.name === `demo-beekeepr-${role}` && ["ConfigMap", "Secret"].includes(it.kind));
  return (holder?.data ?? holder?.stringData)?.["beekeepr.toml"];
}
