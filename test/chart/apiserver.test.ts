/** The chart before a real API server: what it renders is taken as it is, and Helm installs, changes and removes it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { findKube, isKubeWanted, startKube, type Kube, type KubeAnswer } from "../support/kube.ts";
import { findHelm } from "../support/shipping.ts";
import { chart, find, helm, render, type Manifest, type Values } from "./helm.ts";
import { EVERYTHING, MATRIX } from "./values.ts";

setDefaultTimeout(120_000);

const kube = findKube();
const helmTool = findHelm();
const missing = "missing" in kube ? kube.missing : "missing" in helmTool ? helmTool.missing : null;

const NAMESPACE = "gateway-test";

if (missing !== null) {
  test.skipIf(!isKubeWanted || process.env["CI"] === undefined)(`the chart at a real API server: ${missing}`, () => {
    expect.unreachable(missing);
  });
}

function describeChart(): void {
  let server: Kube;
  let scratch: string;
  /** Path of a kind's objects in the namespace of the tests. */
  const paths = new Map<string, string>();

  beforeAll(async () => {
    if ("missing" in kube) return;
    scratch = mkdtempSync(join(tmpdir(), "arouter-apiserver-"));
    server = await startKube(kube);
    for (const file of server.definitions) {
      const { status, body } = await server.call(
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        readFileSync(file, "utf8"),
        "application/yaml",
      );
      if (status !== 201) throw new Error(`${file}: ${status} ${JSON.stringify(body)}`);
    }
    const labels = Object.fromEntries(
      ["enforce", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
    );
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
    expect((await server.call("POST", "/api/v1/namespaces", namespace)).status).toBe(201);
    // Made by a controller in a cluster; there are none here.
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
    expect((await server.call("POST", accounts, account)).status).toBe(201);
    const kinds = new Set<string>();
    for (const values of Object.values(MATRIX)) {
      for (const { apiVersion, kind } of await render(values)) kinds.add(`${apiVersion} ${kind}`);
    }
    for (const each of kinds) {
      const [apiVersion = "", kind = ""] = each.split(" ");
      paths.set(each, await resourcePath(apiVersion, kind));
    }
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  });

  /** Asks the server which path a kind has; a custom resource takes a moment to be there. */
  async function resourcePath(apiVersion: string, kind: string): Promise<string> {
    const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    for (let tries = 0; tries < 100; tries++) {
      const { status, body } = await server.call("GET", group);
      const { resources = [] } = (status === 200 ? body : {}) as {
        resources?: readonly { readonly name: string; readonly kind: string }[];
      };
      const found = resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
      if (found !== undefined) return `${group}/namespaces/${NAMESPACE}/${found.name}`;
      await Bun.sleep(100);
    }
    throw new Error(`the server has no ${apiVersion} ${kind}`);
  }

  const pathOf = ({ apiVersion, kind }: Manifest): string => paths.get(`${apiVersion} ${kind}`) ?? `no path of ${kind}`;

  /** Creates it, all checks and admissions included, and keeps nothing. */
  const dryRun = (manifest: Manifest): Promise<KubeAnswer> => {
    const metadata = { ...manifest.metadata, namespace: NAMESPACE };
    return server.call("POST", `${pathOf(manifest)}?dryRun=All&fieldValidation=Strict`, { ...manifest, metadata });
  };

  test.each(Object.keys(MATRIX))("is taken whole and without a warning: %s", async (name) => {
    const manifests = await render(MATRIX[name] ?? {});
    expect(manifests.length).toBeGreaterThan(2);
    for (const manifest of manifests) {
      // The pod of `helm test` wants a service account that a dry run does not leave behind.
      if (manifest.kind === "Pod") continue;
      const { status, warnings, body } = await dryRun(manifest);
      expect({ kind: manifest.kind, status, warnings, message: status === 201 ? "" : body }).toEqual({
        kind: manifest.kind,
        status: 201,
        warnings: [],
        message: "",
      });
    }
  });

  test("would be refused for a field that there is not, in its own kinds and in custom ones", async () => {
    const manifests = await render(EVERYTHING);
    for (const kind of ["Deployment", "HTTPRoute", "ServiceMonitor"]) {
      const manifest = find(manifests, kind);
      const wrong = { ...manifest, spec: { ...(manifest["spec"] as object), replcias: 2 } };
      const { status, body } = await dryRun(wrong);
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain('unknown field \\"spec.replcias\\"');
    }
  });

  test("would be warned of for pods that are less than restricted", async () => {
    const { warnings } = await dryRun(
      find(await render({ podSecurityContext: { runAsNonRoot: false } }), "Deployment"),
    );
    expect(warnings.join()).toContain('would violate PodSecurity "restricted:latest"');
  });

  /** Runs Helm against the server; @throws Error with what it printed */
  async function install(action: string, values: Values, ...more: readonly string[]): Promise<string> {
    const file = join(scratch, "values.yaml");
    writeFileSync(file, stringify(values));
    const how = ["--kubeconfig", server.kubeconfig, "--namespace", NAMESPACE, "--values", file];
    return helm(action, "prod", chart, ...how, ...more);
  }

  const get = async (path: string): Promise<Record<string, unknown>> =>
    (await server.call("GET", path)).body as Record<string, unknown>;

  test("is installed, changed, rolled back and removed by Helm", async () => {
    const { fullnameOverride: _, ...named } = EVERYTHING;
    expect(await install("install", named, "--dry-run=server")).toContain("kind: Deployment");
    expect(await install("install", named)).toContain("STATUS: deployed");
    const deployment = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/prod-arouter`;
    expect(await get(deployment)).toMatchObject({ metadata: { name: "prod-arouter" } });

    // The pods that the Deployment would make, and the one of `helm test`, are let in.
    const { template } = (await get(deployment))["spec"] as { template: Record<string, unknown> };
    const pod = { apiVersion: "v1", kind: "Pod", ...template, metadata: { name: "a-pod" } };
    const priority = {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "high" },
      value: 1,
    };
    expect((await server.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", priority)).status).toBe(201);
    const pods = `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All&fieldValidation=Strict`;
    expect(await server.call("POST", pods, pod)).toMatchObject({ status: 201, warnings: [] });
    const tester = find(await render(named), "Pod");
    expect(await server.call("POST", pods, tester)).toMatchObject({ status: 201, warnings: [] });
    const careless = { ...pod, spec: { containers: [{ name: "a", image: "a" }] } };
    expect((await server.call("POST", pods, careless)).status).toBe(403);

    const changed: Values = { ...named, autoscaling: { enabled: false }, replicaCount: 3, policy: "version: 1\n" };
    expect(await install("upgrade", changed)).toContain("REVISION: 2");
    expect(await get(deployment)).toMatchObject({ spec: { replicas: 3 } });
    const policy = `/api/v1/namespaces/${NAMESPACE}/configmaps/prod-arouter-policy`;
    expect(JSON.stringify((await get(policy))["data"])).toContain("version: 1");

    const where = ["--kubeconfig", server.kubeconfig, "--namespace", NAMESPACE];
    await helm("rollback", "prod", "1", ...where);
    expect(JSON.stringify((await get(policy))["data"])).toContain("small");
    await helm("uninstall", "prod", ...where);
    expect((await server.call("GET", deployment)).status).toBe(404);
  });
}

if (missing === null) describe("the chart at a real API server", describeChart);
