/** The Helm chart: what it renders for many values is what Kubernetes takes, and what the gateway takes. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parse } from "yaml";
import { readVersion } from "../../scripts/release/lock.ts";
import { configOf } from "../config/support.ts";
import { findChecker, findCustomResources, findHelm } from "../support/shipping.ts";
import {
  checkAgainstKubernetes,
  checkCustomResources,
  find,
  helm,
  isCustom,
  readChartFile,
  render,
  type Manifest,
  type Values,
} from "./helm.ts";
import { EVERYTHING, MATRIX, POLICY } from "./values.ts";

setDefaultTimeout(60_000);

const missing = [findHelm(), findChecker("kubernetes-validate"), findCustomResources()].flatMap((tool) =>
  "missing" in tool ? [tool.missing] : [],
);
if (missing.length > 0) {
  test.skipIf(process.env["CI"] === undefined)(`the chart can be checked: ${missing.join("; ")}`, () => {
    expect.unreachable(missing.join("; "));
  });
}

/** `spec.template.spec` of the Deployment, as far as tests look. */
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly [
    {
      readonly args: readonly string[];
      readonly image: string;
      readonly env?: readonly { readonly name: string }[];
      readonly securityContext: Readonly<Record<string, unknown>>;
      readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly subPath?: string;
      }[];
      readonly livenessProbe: { readonly httpGet: unknown };
      readonly readinessProbe: { readonly httpGet: unknown };
      readonly startupProbe: { readonly httpGet: unknown };
    },
  ];
}
interface PodTemplate {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

function templateOf(manifests: readonly Manifest[]): PodTemplate {
  return (find(manifests, "Deployment")["spec"] as { template: PodTemplate }).template;
}

function dataOf(manifest: Manifest): Readonly<Record<string, string>> {
  return manifest["data"] as Record<string, string>;
}

describe.skipIf(missing.length > 0)("the chart", () => {
  test("passes helm lint --strict", async () => {
    expect(await helm("lint", "--strict", ".")).toContain("0 chart(s) failed");
  });

  test("has the version of the gateway", async () => {
    const { version, appVersion } = parse(readChartFile("Chart.yaml")) as { version: string; appVersion: string };
    expect({ version, appVersion }).toEqual({ version: readVersion(), appVersion: readVersion() });
  });

  describe.each(Object.entries(MATRIX))("with %s", (name, values) => {
    test("is what Kubernetes knows, field for field", async () => {
      const manifests = await render(values);
      const own = manifests.filter((manifest) => !isCustom(manifest));
      await checkAgainstKubernetes(own, "1.37");
      // A pause before the end came with 1.30.
      if (name !== "everything") await checkAgainstKubernetes(own, "1.28");
      const custom = manifests.filter(isCustom);
      if (custom.length > 0) await checkCustomResources(custom);
    });

    test("gives the gateway a configuration that it takes", async () => {
      const manifests = await render(values);
      const fullname = name === "everything" ? "gateway" : "prod-arouter";
      const text = dataOf(find(manifests, "ConfigMap", fullname))["arouter.toml"] ?? "";
      const files = {
        "/etc/arouter-callers/keys.txt": "app = secret\n",
        "/tls/tls.crt": "-----BEGIN CERTIFICATE-----\n",
        "/tls/tls.key": "-----BEGIN PRIVATE KEY-----\n",
      };
      const config = configOf(text, { files, env: { OPENAI_API_KEY: "sk-1", TOKEN: "t" } });
      expect(config.metrics.listenAddr).toMatch(/^0\.0\.0\.0:9(090|464)$/);
    });
  });

  test("carries numbers, lists and names with dots into the configuration", async () => {
    const text = dataOf(find(await render(EVERYTHING), "ConfigMap", "gateway"))["arouter.toml"] ?? "";
    const files = { "/etc/arouter-callers/keys.txt": "app = secret\n" };
    const config = configOf(text, { files, env: { OPENAI_API_KEY: "sk-1", TOKEN: "t" } });
    expect(config.limits.bodyBytes).toBe(33_554_432);
    expect(config.retry.budgetRatio).toBe(0.25);
    expect(config.providers.openai.models).toEqual(["gpt-*", "o*"]);
    expect(config.auth.keys.map(({ name }) => name).toSorted()).toEqual(["app", "team"]);
  });

  test("refuses a resource with a field that Kubernetes does not know", async () => {
    const manifest = find(await render({}), "Service");
    const broken = { ...manifest, spec: { ...(manifest["spec"] as object), prots: [] } };
    expect(checkAgainstKubernetes([broken], "1.37")).rejects.toThrow("prots");
  });

  test.each(["HTTPRoute", "ServiceMonitor", "PrometheusRule"])(
    "refuses a %s with a field that it does not have",
    async (kind) => {
      const manifest = find(await render(EVERYTHING), kind);
      const broken = { ...manifest, spec: { ...(manifest["spec"] as object), ruels: [] } };
      expect(checkCustomResources([broken])).rejects.toThrow("ruels");
    },
  );

  test("fits the restricted Pod Security Standard, and holds no token", async () => {
    const { spec } = templateOf(await render({}));
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(find(await render({}), "ServiceAccount")["automountServiceAccountToken"]).toBe(false);
  });

  test("asks /livez whether to restart a pod, /readyz whether to send to it, and never /healthz", async () => {
    const [container] = templateOf(await render({})).spec.containers;
    const live = { path: "/livez", port: "http", scheme: "HTTP" };
    expect(container.livenessProbe.httpGet).toEqual(live);
    expect(container.startupProbe.httpGet).toEqual(live);
    expect(container.readinessProbe.httpGet).toEqual({ ...live, path: "/readyz" });
  });

  test("probes over TLS when the gateway speaks it", async () => {
    const [container] = templateOf(await render(MATRIX["TLS"] ?? {})).spec.containers;
    expect(container.readinessProbe.httpGet).toMatchObject({ scheme: "HTTPS" });
  });

  test.each([
    [{}, 0, 5 + 300 + 10],
    [{ drain: { delay: "1500ms", timeout: "90s" } }, 0, 2 + 90 + 10],
    [{ drain: { delay: "10s", timeout: "1h" } }, 5, 5 + 10 + 3600 + 10],
    [{ drain: { delay: "0.5s", timeout: "0.5h" } }, 0, 1 + 1800 + 10],
    [{ drain: { delay: "250ms", timeout: "1.25m" } }, 0, 1 + 75 + 10],
  ])("gives pods the time that %j takes to drain, and %d s before it", async (config, preStopSleepSeconds, seconds) => {
    const { terminationGracePeriodSeconds } = templateOf(await render({ config, preStopSleepSeconds })).spec;
    expect(terminationGracePeriodSeconds).toBe(seconds);
  });

  test("gives pods the gateway's own times to drain where the values take the chart's away", async () => {
    const values = { config: { drain: { delay: null, timeout: null } } };
    expect(templateOf(await render(values)).spec.terminationGracePeriodSeconds).toBe(5 + 60 + 10);
  });

  test("mounts whole folders, so that changes reach the pods", async () => {
    const { volumeMounts, args } = templateOf(await render(EVERYTHING)).spec.containers[0];
    expect(volumeMounts.filter(({ subPath }) => subPath !== undefined)).toEqual([]);
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain("/etc/arouter-policy");
    expect(args).toContain("--policy=/etc/arouter-policy");
  });

  test("restarts pods for a changed configuration only when asked to", async () => {
    const before = templateOf(await render({}));
    expect(templateOf(await render({ config: { retry: { max: 5 } }, policy: "" }))).toEqual(before);
    const checksum = async (max: number): Promise<string | undefined> =>
      templateOf(await render({ restartOnConfigChange: true, config: { retry: { max } } })).metadata.annotations?.[
        "checksum/config"
      ];
    expect(await checksum(1)).not.toBe(await checksum(2));
  });

  test("leaves the number of pods to the autoscaler", async () => {
    const manifests = await render({ autoscaling: { enabled: true } });
    expect(find(manifests, "Deployment")["spec"]).not.toHaveProperty("replicas");
    expect(find(manifests, "HorizontalPodAutoscaler")["spec"]).toMatchObject({ minReplicas: 2, maxReplicas: 10 });
  });

  test("names the image by its digest when there is one, else by the chart's version", async () => {
    expect(templateOf(await render({})).spec.containers[0].image).toBe(`arouter:${readVersion()}`);
    expect(templateOf(await render(EVERYTHING)).spec.containers[0].image).toBe(`arouter@sha256:${"0".repeat(64)}`);
  });

  test("keeps keys in a Secret", async () => {
    const manifests = await render({ keys: { openai: "sk-very-secret" } });
    const elsewhere = manifests.filter(({ kind }) => kind !== "Secret");
    expect(JSON.stringify(elsewhere)).not.toContain("sk-very-secret");
    expect(find(manifests, "Secret")["stringData"]).toEqual({ OPENAI_API_KEY: "sk-very-secret" });
  });

  test("ships the alerts and the dashboard as they are tested", async () => {
    const manifests = await render(EVERYTHING);
    expect(find(manifests, "PrometheusRule")["spec"]).toEqual(parse(readChartFile("files/alerts.yaml")));
    const dashboard = dataOf(find(manifests, "ConfigMap", "gateway-dashboard"))["arouter.json"] ?? "";
    expect(JSON.parse(dashboard)).toEqual(JSON.parse(readChartFile("files/grafana-dashboard.json")));
  });

  test("gives streams the time that they may take", async () => {
    const manifests = await render(EVERYTHING);
    expect(find(manifests, "HTTPRoute")["spec"]).toMatchObject({
      rules: [{ timeouts: { request: "3600s", backendRequest: "3600s" } }],
    });
    expect(find(manifests, "Ingress").metadata).toMatchObject({
      annotations: {
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
        "nginx.ingress.kubernetes.io/proxy-buffering": "off",
      },
    });
  });

  test.each([
    ["no values", "prod-arouter:8080"],
    ["TLS", "https://prod-arouter:8080"],
  ])("asks a pod of its own whether the service is ready (%s)", async (name, address) => {
    const pod = find(await render(MATRIX[name] ?? {}), "Pod");
    expect(pod.metadata).toMatchObject({ annotations: { "helm.sh/hook": "test" } });
    expect(pod["spec"]).toMatchObject({
      containers: [{ args: ["healthcheck", "--ready", `--listen=${address}`] }],
    });
    // Not one of the pods that the service sends to.
    expect(pod.metadata.labels).not.toHaveProperty(["app.kubernetes.io/name"]);
  });

  test.each<[string, Values, string]>([
    ["a misspelt key", { replicas: 3 }, "replicas"],
    ["a misspelt key of the configuration", { config: { retry: { maximum: 3 } } }, "maximum"],
    ["a wrong type in the configuration", { config: { retry: { max: "three" } } }, "max"],
    ["an address of one's own", { config: { listen_addr: "0.0.0.0:9000" } }, "listen_addr"],
    ["an Ingress without hosts", { ingress: { enabled: true } }, "hosts"],
    ["a route without a gateway", { httpRoute: { enabled: true } }, "parentRefs"],
    ["a time that a route cannot have", { httpRoute: { timeouts: { request: "1 hour" } } }, "request"],
    ["a time to drain that only the gateway would know", { config: { drain: { timeout: "${DRAIN}" } } }, "${DRAIN}"],
    ["two policies", { policy: POLICY, existingPolicyConfigMap: "other" }, "allOf"],
    ["a digest that is none", { image: { digest: "latest" } }, "digest"],
    ["metrics on the port of the callers", { metrics: { port: 8080 } }, "port"],
  ])("refuses %s", async (_, values, word) => {
    expect(render(values)).rejects.toThrow(word);
  });
});
