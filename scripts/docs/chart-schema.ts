/** The schema of the Helm chart's values, with the configuration's own inside it: a misspelt key is refused by `helm install`. */
import { renderJsonSchema } from "../../src/config/render.ts";

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: "string" };
const FLAG: Schema = { type: "boolean" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const PORT: Schema = { type: "integer", minimum: 1, maximum: 65535 };
const TEXTS: Schema = { type: "object", additionalProperties: { type: "string" } };
/** Objects of Kubernetes, passed on as they are. */
const OBJECT: Schema = { type: "object" };
const OBJECTS: Schema = { type: "array", items: { type: "object" } };
const TEXT_LIST: Schema = { type: "array", items: TEXT };
/** Gateway API's form of a duration. */
const ROUTE_DURATION: Schema = { type: "string", pattern: "^([0-9]{1,5}(h|m|s|ms)){1,4}$" };

/** All keys there are; the values' defaults make each of them optional. */
function keys(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: "object", additionalProperties: false, properties, ...(required.length === 0 ? {} : { required }) };
}

function oneOf(...values: readonly string[]): Schema {
  return { enum: values };
}

/** The configuration less what the chart sets itself. */
function configSchema(): Schema {
  const { properties } = renderJsonSchema() as unknown as { properties: Record<string, Schema> };
  return keys(Object.fromEntries(Object.entries(properties).filter(([name]) => name !== "listen_addr")));
}

/** JSON Schema draft 7 of `charts/arouter/values.yaml`. */
export function renderChartSchema(): Schema {
  const monitor = { enabled: FLAG, labels: TEXTS };
  const properties: Record<string, Schema> = {
    // Helm passes it to every chart that is part of another.
    global: OBJECT,
    nameOverride: TEXT,
    fullnameOverride: TEXT,
    image: keys({
      repository: { type: "string", minLength: 1 },
      tag: TEXT,
      digest: { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
      pullPolicy: oneOf("Always", "IfNotPresent", "Never"),
    }),
    imagePullSecrets: { type: "array", items: keys({ name: TEXT }, ["name"]) },
    replicaCount: COUNT,
    config: configSchema(),
    restartOnConfigChange: FLAG,
    policy: TEXT,
    existingPolicyConfigMap: TEXT,
    keys: keys({ openai: TEXT, anthropic: TEXT, existingSecret: TEXT }),
    callerKeysSecret: TEXT,
    serviceAccount: keys({ create: FLAG, name: TEXT, annotations: TEXTS }),
    service: keys({ type: oneOf("ClusterIP", "NodePort", "LoadBalancer"), port: PORT, annotations: TEXTS }),
    metrics: keys({
      port: { ...PORT, not: { const: 8080 } },
      serviceMonitor: keys({ ...monitor, interval: TEXT, scrapeTimeout: TEXT }),
      prometheusRule: keys(monitor),
      dashboard: keys({ ...monitor, annotations: TEXTS }),
    }),
    ingress: keys({
      enabled: FLAG,
      className: TEXT,
      annotations: TEXTS,
      hosts: { type: "array", items: keys({ host: TEXT, paths: TEXT_LIST }, ["host"]) },
      tls: { type: "array", items: keys({ hosts: TEXT_LIST, secretName: TEXT }) },
    }),
    httpRoute: keys({
      enabled: FLAG,
      parentRefs: OBJECTS,
      hostnames: TEXT_LIST,
      annotations: TEXTS,
      timeouts: keys({ request: ROUTE_DURATION, backendRequest: ROUTE_DURATION }),
    }),
    autoscaling: keys({
      enabled: FLAG,
      minReplicas: { type: "integer", minimum: 1 },
      maxReplicas: { type: "integer", minimum: 1 },
      targetCPUUtilizationPercentage: { type: "integer", minimum: 1 },
      metrics: OBJECTS,
      behavior: OBJECT,
    }),
    podDisruptionBudget: keys({
      enabled: FLAG,
      maxUnavailable: { anyOf: [COUNT, { type: "string", pattern: "^[0-9]+%$" }] },
    }),
    networkPolicy: keys({ enabled: FLAG, from: OBJECTS, metricsFrom: OBJECTS, extraEgress: OBJECTS }),
    preStopSleepSeconds: COUNT,
    resources: OBJECT,
    podAnnotations: TEXTS,
    podLabels: TEXTS,
    podSecurityContext: OBJECT,
    securityContext: OBJECT,
    topologySpreadConstraints: OBJECTS,
    affinity: OBJECT,
    nodeSelector: TEXTS,
    tolerations: OBJECTS,
    priorityClassName: TEXT,
    extraEnv: OBJECTS,
    extraEnvFrom: OBJECTS,
    extraVolumes: OBJECTS,
    extraVolumeMounts: OBJECTS,
  };
  const isOn = (section: string): Schema => ({
    properties: { [section]: { properties: { enabled: { const: true } }, required: ["enabled"] } },
    required: [section],
  });
  const notEmpty = (section: string, key: string): Schema => ({
    properties: { [section]: { properties: { [key]: { minItems: 1 } }, required: [key] } },
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Values of the ARouter chart",
    ...keys(properties),
    allOf: [
      { if: isOn("ingress"), then: notEmpty("ingress", "hosts") },
      { if: isOn("httpRoute"), then: notEmpty("httpRoute", "parentRefs") },
      // One policy, or the other.
      {
        not: {
          properties: { policy: { minLength: 1 }, existingPolicyConfigMap: { minLength: 1 } },
          required: ["policy", "existingPolicyConfigMap"],
        },
      },
    ],
  };
}
