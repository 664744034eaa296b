/** Values that the tests of the chart render. */
import type { Values } from "./helm.ts";

export const POLICY = "version: 1\nrules:\n  - name: small\n    then: { model: gpt-6-luna }\n";

/** Every value that the chart has, set. */
export const EVERYTHING: Values = {
  fullnameOverride: "gateway",
  image: { digest: `sha256:${"0".repeat(64)}` },
  imagePullSecrets: [{ name: "registry" }],
  config: {
    limits: { body_bytes: 33_554_432, max_in_flight: 512 },
    retry: { budget_ratio: 0.25 },
    providers: { openai: { models: ["gpt-*", "o*"] } },
    auth: { keys: { team: `sha256:${"a".repeat(64)}` } },
    catalog: { models: { "gpt-5.5": { max_output_tokens: 1000 } } },
    telemetry: {
      otlp_endpoint: "http://collector.observability:4318",
      otlp_headers: { authorization: "Bearer ${TOKEN}" },
    },
  },
  restartOnConfigChange: true,
  policy: POLICY,
  keys: { openai: "sk-1", anthropic: "sk-ant-1" },
  callerKeysSecret: "callers",
  serviceAccount: { annotations: { "example.com/role": "gateway" } },
  service: { type: "LoadBalancer", annotations: { "example.com/internal": "true" } },
  metrics: {
    serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
    prometheusRule: { enabled: true, labels: { release: "prometheus" } },
    dashboard: { enabled: true, annotations: { grafana_folder: "LLM" } },
  },
  ingress: {
    enabled: true,
    className: "nginx",
    hosts: [{ host: "llm.example.com" }, { host: "api.example.com", paths: ["/v1"] }],
    tls: [{ hosts: ["llm.example.com"], secretName: "llm-tls" }],
  },
  httpRoute: {
    enabled: true,
    parentRefs: [{ name: "public", namespace: "gateways", sectionName: "https" }],
    hostnames: ["llm.example.com"],
    annotations: { "example.com/owner": "platform" },
  },
  autoscaling: {
    enabled: true,
    metrics: [
      {
        type: "Pods",
        pods: { metric: { name: "arouter_in_flight" }, target: { type: "AverageValue", averageValue: "200" } },
      },
    ],
  },
  networkPolicy: {
    enabled: true,
    from: [{ podSelector: { matchLabels: { app: "web" } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "observability" } } }],
    extraEgress: [{ ports: [{ port: 4318, protocol: "TCP" }] }],
  },
  preStopSleepSeconds: 3,
  podAnnotations: { "example.com/a": "b" },
  podLabels: { team: "platform" },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { "app.kubernetes.io/name": "arouter" } },
    },
  ],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: "kubernetes.io/hostname",
          labelSelector: { matchLabels: { "app.kubernetes.io/name": "arouter" } },
        },
      ],
    },
  },
  nodeSelector: { "kubernetes.io/arch": "arm64" },
  tolerations: [{ key: "dedicated", operator: "Exists" }],
  priorityClassName: "high",
  extraEnv: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "otlp", key: "token" } } }],
  extraEnvFrom: [{ configMapRef: { name: "more" } }],
  extraVolumes: [{ name: "ledger", emptyDir: {} }],
  extraVolumeMounts: [{ name: "ledger", mountPath: "/var/lib/arouter" }],
};

const NOTHING: Values = {
  replicaCount: 1,
  serviceAccount: { create: false },
  podDisruptionBudget: { enabled: false },
  resources: {},
  config: {},
  image: { tag: "edge", pullPolicy: "Always" },
};

/** Values that are rendered and checked, by what they are. */
export const MATRIX: Readonly<Record<string, Values>> = {
  "no values": {},
  everything: EVERYTHING,
  "as little as can be": NOTHING,
  "keys and policy of one's own": { keys: { existingSecret: "llm-keys" }, existingPolicyConfigMap: "llm-policy" },
  "only one key": { keys: { anthropic: "sk-ant-1" } },
  TLS: { config: { server: { tls: { cert_file: "/tls/tls.crt", key_file: "/tls/tls.key" } } } },
  "only an Ingress": { ingress: { enabled: true, hosts: [{ host: "a.example.com" }] } },
  "only a ServiceMonitor": { metrics: { port: 9464, serviceMonitor: { enabled: true } } },
};
