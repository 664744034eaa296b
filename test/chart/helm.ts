/** Renders the chart by Helm, and checks what came out against the schemas of Kubernetes and of the custom resources. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { run } from "../../scripts/release/run.ts";
import { findChecker, findCustomResources, findHelm, type Tool } from "../support/shipping.ts";

export const root = resolve(import.meta.dir, "../..");
export const chart = join(root, "charts/arouter");

/** Any object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

/** Values as in `values.yaml`; only what differs. */
export type Values = Readonly<Record<string, unknown>>;

const pathOf = (tool: Tool): string => {
  if ("missing" in tool) throw new Error(tool.missing);
  return tool.path;
};

/** Runs Helm in the chart's folder; @throws Error with what it printed */
export async function helm(...args: readonly string[]): Promise<string> {
  return run([pathOf(findHelm()), ...args], { cwd: chart });
}

/** What `helm install --values` would send; @throws Error with Helm's words when the values are refused */
export async function render(values: Values, kubernetes = "1.37.0"): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-chart-"));
  try {
    const file = join(folder, "values.yaml");
    writeFileSync(file, stringify(values));
    const text = await helm("template", "prod", chart, "--values", file, "--kube-version", kubernetes);
    return parseAllDocuments(text).flatMap((document) => {
      const manifest = document.toJS() as Manifest | null;
      return manifest === null ? [] : [manifest];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The only manifest of that kind, and of that name where there may be more. */
export function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    ({ kind: its, metadata }) => its === kind && (name === undefined || metadata.name === name),
  );
  if (found.length !== 1)
    throw new Error(`${found.length} of kind ${kind}: ${manifests.map((its) => its.kind).join(", ")}`);
  return found[0] as Manifest;
}

/** Kinds that come with a controller, and the module that has their type and validator. */
const CUSTOM: Readonly<Record<string, string>> = {
  HTTPRoute: "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
  ServiceMonitor: "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor",
  PrometheusRule: "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
};

export function isCustom({ kind }: Manifest): boolean {
  return Object.hasOwn(CUSTOM, kind);
}

/** @throws Error when a field is unknown to that version of Kubernetes, or of the wrong type */
export async function checkAgainstKubernetes(manifests: readonly Manifest[], version: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arouter-chart-"));
  try {
    const file = join(folder, "manifests.yaml");
    writeFileSync(file, manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join(""));
    const command = [pathOf(findChecker("kubernetes-validate")), "--strict", "--kubernetes-version", version, file];
    const told = await run(command, { cwd: folder });
    // A kind that it does not know it lets pass, with a warning.
    const passed = told.split("\n").filter((line) => line.includes(" passed for resource ")).length;
    if (passed !== manifests.length) throw new Error(told);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Checks custom resources twice: by the validator of their schema, which knows patterns and what is required, and by the
 * compiler against their type, which knows which fields there are.
 * @throws Error with what is wrong
 */
export async function checkCustomResources(manifests: readonly Manifest[]): Promise<void> {
  const tools = pathOf(findCustomResources());
  const folder = mkdtempSync(join(tmpdir(), "arouter-chart-"));
  try {
    symlinkSync(join(tools, "node_modules"), join(folder, "node_modules"));
    const lines = manifests.flatMap((manifest, at) => {
      const { kind } = manifest;
      return [
        `import { ${kind} as Kind${at}, type I${kind} as Type${at} } from "${CUSTOM[kind]}";`,
        `const manifest${at}: Type${at} = ${JSON.stringify(manifest)};`,
        `new Kind${at}(manifest${at}).validate();`,
      ];
    });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    writeFileSync(join(folder, "check.ts"), `${lines.join("\n")}\n`);
    await run([process.execPath, "check.ts"], { cwd: folder });
    const how = ["--noEmit", "--strict", "--skipLibCheck", "--module", "preserve", "--moduleResolution", "bundler"];
    await run([join(root, "node_modules/.bin/tsc"), ...how, "check.ts"], { cwd: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Text of a file of the chart. */
export function readChartFile(path: string): string {
  return readFileSync(join(chart, path), "utf8");
}
