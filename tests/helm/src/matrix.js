// Values as operators write them, each rendered once by each version of Helm.

import { render } from "./chart.js";

const channel = { name: "news", manifest: "https://cdn.example/news/master.m3u8", headers: { "x-key": 'a"b' } };

/** Values by name. */
export const MATRIX = {
  defaults: {},
  "tracker alone": { stun: { enabled: false }, seeder: { enabled: false }, control: { enabled: false } },
  "stun alone": { tracker: { enabled: false }, seeder: { enabled: false }, control: { enabled: false } },
  "behind a Gateway": {
    tracker: {
      trustedProxies: ["10.0.0.0/8"],
      httpRoute: { enabled: true, parentRefs: [{ name: "public", sectionName: "https" }], hostnames: ["tracker.example.com"] },
    },
    control: { httpRoute: { enabled: true, parentRefs: [{ name: "internal" }], hostnames: ["control.example.com"], path: "/p2p" } },
  },
  "behind an Ingress": {
    tracker: {
      trustedProxies: ["10.0.0.0/8"],
      ingress: { enabled: true, className: "traefik", hosts: ["t.example"], tls: [{ hosts: ["t.example"], secretName: "t" }] },
    },
    control: { ingress: { enabled: true, hosts: ["c.example"], annotations: { a: "b" } } },
  },
  "TLS and tokens in the tracker": {
    tracker: {
      service: { type: "LoadBalancer", port: 443, loadBalancerSourceRanges: ["192.0.2.0/24"] },
      tls: { existingSecret: "tracker-tls" },
      tokens: { existingSecret: "jwks" },
      config: { announce_interval_s: 30, limits: { swarms_max: 536870912, exempt: ["10.0.0.0/8"] }, tokens: { issuers: ["i"] } },
    },
    seeder: { token: { existingSecret: "seeder-token" } },
    admin: { existingSecret: "admin-token" },
  },
  "STUN on every node": { stun: { kind: "DaemonSet", hostNetwork: true, tcp: true, pod: { nodeSelector: { edge: "true" } } } },
  "STUN on some nodes": { stun: { hostNetwork: true, replicas: 3 } },
  "STUN by NodePort": { stun: { service: { type: "NodePort", nodePort: 31478 } } },
  "a seeder with a balancer": {
    seeder: { network: "LoadBalancer", externalIPs: ["192.0.2.1"], udpPort: 4000, channels: [channel] },
  },
  "seeders on nodes": {
    seeder: {
      network: "HostNetwork",
      replicas: 3,
      udpPort: 4000,
      channels: [channel, { ...channel, name: "two" }],
      disk: { enabled: true, size: "100Gi", storageClassName: "fast" },
      shield: { enabled: true, existingSecret: "shield" },
    },
  },
  "channels from control": { seeder: { channelsFrom: { url: "https://control.example/v1", existingSecret: "control-key" } } },
  "control with PostgreSQL": {
    control: {
      replicas: 3,
      database: { existingSecret: "postgres" },
      secret: { existingSecret: "sealing" },
      config: { keep: { audit_days: 30 } },
    },
  },
  "control with reports": {
    control: {
      beacons: {
        enabled: true,
        trustedProxies: ["10.0.0.0/8"],
        httpRoute: { enabled: true, parentRefs: [{ name: "public" }], hostnames: ["stats.example.com"] },
        ingress: { enabled: true, hosts: ["stats.example.com"] },
      },
    },
    seeder: { channelsFrom: { existingSecret: "control-key" } },
  },
  "control without a volume": { control: { persistence: { enabled: false } } },
  "everything on": {
    commonLabels: { team: "video" },
    image: { repository: "registry.example/beekeepr", digest: `sha256:${"0".repeat(64)}` },
    imagePullSecrets: [{ name: "registry" }],
    serviceAccount: { annotations: { role: "streams" } },
    listenHost: "[::]",
    tracker: { allowSeveral: true, autoscaling: { enabled: true, metrics: [connections()] } },
    stun: { tcp: true, autoscaling: { enabled: true, minReplicas: 3 } },
    seeder: {
      channels: [channel],
      autoscaling: { enabled: true, targetCPUUtilization: 0, metrics: [connections()] },
      pod: pod(),
    },
    networkPolicy: { enabled: true, metricsFrom: [{ namespaceSelector: { matchLabels: { name: "monitoring" } } }] },
    monitoring: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboards: { enabled: true } },
    extraObjects: [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "{{ .Release.Name }}-extra" }, data: { a: "b" } },
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: text\n',
    ],
  },
};

function connections() {
  const target = { type: "AverageValue", averageValue: "10k" };
  return { type: "Pods", pods: { metric: { name: "beekeepr_tracker_connections" }, target } };
}

function pod() {
  return {
    env: [{ name: "BEEKEEPR_SEEDER__CACHE_BYTES_MAX", value: "1073741824" }],
    annotations: { a: "b" },
    labels: { c: "d" },
    tolerations: [{ key: "edge", operator: "Exists" }],
    affinity: { nodeAffinity: {} },
    priorityClassName: "viewers",
    volumes: [{ name: "scratch", emptyDir: {} }],
    volumeMounts: [{ name: "scratch", mountPath: "/tmp" }],
    terminationGracePeriodSeconds: 300,
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
  };
}

/** Renders that were made already. */
const made = new Map();

/** The objects of one of them. */
export function objectsOf(name, version = 4) {
  const key = `${name}, Helm ${version}`;
  if (!made.has(key)) {
    made.set(key, render(MATRIX[name], version));
  }
  return made.get(key);
}

/** All renders: name, version of Helm, objects. */
export function renders(versions = [3, 4]) {
  const names = Object.keys(MATRIX);
  return names.flatMap((name) => versions.map((version) => ({ name, version, objects: objectsOf(name, version) })));
}
