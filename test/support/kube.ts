/**
 * A real API server of Kubernetes with a real etcd behind it, both as plain processes: it takes, defaults, validates and admits
 * objects as a cluster does, and runs none. Building it takes minutes of every core, so it is made only when it is asked for:
 * `AROUTER_KUBE=1`, or with the long forms.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../../scripts/release/run.ts";
import { freePort } from "./ports.ts";

const root = resolve(import.meta.dir, "../..");
const source = join(root, "test/support/kube-apiserver");
/** Modules that bring the definitions of the custom resources of the chart, and the files in them. */
const DEFINITIONS = [
  {
    module: "sigs.k8s.io/gateway-api@v1.5.1",
    files: ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
  },
  {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    files: [
      "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
      "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
  },
];
const START_MS = 60_000;
const USER = "admin";
const TOKEN = "not-a-secret";

/** Whether somebody asked for it. */
export const isKubeWanted = process.env["AROUTER_KUBE"] === "1" || process.env["AROUTER_LONG"] === "1";

interface Programs {
  readonly apiserver: string;
  readonly etcd: string;
  readonly definitions: string;
}

function folder(): string {
  const hash = createHash("sha256").update(JSON.stringify(DEFINITIONS));
  for (const file of ["main.go", "go.mod", "go.sum"]) hash.update(readFileSync(join(source, file)));
  return join(root, ".cache/kube", hash.digest("hex").slice(0, 12));
}

/** The programs, or why there are none, for the name of the test that is skipped. */
export function findKube(): Programs | { readonly missing: string } {
  if (!isKubeWanted) return { missing: "building a kube-apiserver takes minutes; AROUTER_KUBE=1 or npm run test:long" };
  const at = folder();
  return existsSync(at)
    ? { apiserver: join(at, "kube-apiserver"), etcd: join(at, "etcd"), definitions: join(at, "definitions") }
    : { missing: "no kube-apiserver; AROUTER_KUBE=1 npm test builds it, where Go and apt-get are" };
}

/** Makes them where they are wanted and missing. @returns one line when they could not be made, else null */
export async function ensureKube(): Promise<string | null> {
  if (!isKubeWanted || existsSync(folder())) return null;
  for (const program of ["go", "apt-get", "dpkg"]) {
    if (Bun.which(program) === null) return `kube-apiserver: no ${program}`;
  }
  mkdirSync(join(folder(), ".."), { recursive: true });
  const scratch = mkdtempSync(`${folder()}-`);
  try {
    // What is quick comes first, so that it fails first.
    await fetchEtcd(scratch);
    await fetchDefinitions(join(scratch, "definitions"));
    const program = join(scratch, "kube-apiserver");
    const version = /^\tk8s\.io\/kubernetes (v\S+)$/m.exec(readFileSync(join(source, "go.mod"), "utf8"))?.[1] ?? "";
    // Helm asks for it: a chart says which versions it is for.
    const flags = `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${version}`;
    const build = ["go", "build", "-trimpath", "-buildvcs=false", flags, "-o", program, "."];
    await run(["nice", "-n", "19", ...build], { cwd: source, environment: { CGO_ENABLED: "0" } });
    renameSync(scratch, folder());
    return null;
  } catch (error) {
    return `kube-apiserver: ${String(error).trim().split("\n").at(-1) ?? ""}`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Debian's, unpacked and not installed: its package would start a service. */
async function fetchEtcd(into: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "arouter-etcd-"));
  try {
    await run(["apt-get", "download", "-qq", "etcd-server"], { cwd: scratch });
    const [file = ""] = readdirSync(scratch);
    await run(["dpkg", "-x", file, "unpacked"], { cwd: scratch });
    await run(["cp", "unpacked/usr/bin/etcd", join(into, "etcd")], { cwd: scratch });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fetchDefinitions(into: string): Promise<void> {
  mkdirSync(into);
  for (const { module, files } of DEFINITIONS) {
    await run(["go", "mod", "download", module], { cwd: into });
    const told = await run(["go", "mod", "download", "-json", module], { cwd: into });
    const { Dir: at } = JSON.parse(told) as { readonly Dir: string };
    for (const file of files) await run(["cp", join(at, file), into], { cwd: into });
  }
  await run(["chmod", "-R", "u+w", into], { cwd: into });
}

/** An answer of the API server. */
export interface KubeAnswer {
  readonly status: number;
  readonly body: unknown;
  /** What it warned of: deprecated versions, pods that a stricter standard would refuse. */
  readonly warnings: readonly string[];
}

export interface Kube {
  /** For Helm and its like. */
  readonly kubeconfig: string;
  /** Files of the definitions of the custom resources. */
  readonly definitions: readonly string[];
  readonly call: (method: string, path: string, body?: unknown, type?: string) => Promise<KubeAnswer>;
  readonly stop: () => Promise<void>;
}

/** Starts both, and waits until the server is ready. @throws Error with what it said when it does not start */
export async function startKube(programs: Programs): Promise<Kube> {
  const scratch = mkdtempSync(join(tmpdir(), "arouter-kube-"));
  const file = (name: string, text: string): string => {
    writeFileSync(join(scratch, name), text, { mode: 0o600 });
    return join(scratch, name);
  };
  const [clientPort, peerPort, port] = [freePort(), freePort(), freePort()];
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const key = file("service-account.key", privateKey);
  const tokens = file("tokens.csv", `${TOKEN},${USER},1,system:masters\n`);
  const start = (command: readonly string[]): { child: Bun.Subprocess; said: () => string } => {
    const child = Bun.spawn([...command], { cwd: scratch, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    let said = "";
    void (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr) said = (said + decoder.decode(chunk, { stream: true })).slice(-8192);
    })();
    return { child, said: () => said };
  };
  const etcd = start([
    programs.etcd,
    `--data-dir=${join(scratch, "etcd")}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    "--unsafe-no-fsync",
  ]);
  const server = start([
    programs.apiserver,
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${join(scratch, "certificates")}`,
    `--token-auth-file=${tokens}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.0.0.0/24",
  ]);
  const url = `https://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    for (const { child } of [server, etcd]) {
      child.kill("SIGKILL");
      await child.exited;
    }
    rmSync(scratch, { recursive: true, force: true });
  };

  const call: Kube["call"] = async (method, path, body, type = "application/json") => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": type },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      // The certificate is one that the server made for itself a moment ago.
      tls: { rejectUnauthorized: false },
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const warnings = [...(response.headers.get("warning") ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)];
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      warnings: warnings.map(([, warning = ""]) => warning.replace(/\\(.)/g, "$1")),
    };
  };

  const endMs = Date.now() + START_MS;
  for (;;) {
    const answer = await call("GET", "/readyz").catch(() => null);
    if (answer?.status === 200) break;
    if (server.child.exitCode !== null || etcd.child.exitCode !== null || Date.now() > endMs) {
      await stop();
      throw new Error(`the API server is not ready:\n${server.said()}\n${etcd.said()}`);
    }
    await Bun.sleep(200);
  }
  const cluster = { name: "test", cluster: { server: url, "insecure-skip-tls-verify": true } };
  const kubeconfig = file(
    "kubeconfig",
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [cluster],
      users: [{ name: USER, user: { token: TOKEN } }],
      contexts: [{ name: "test", context: { cluster: "test", user: USER } }],
      "current-context": "test",
    }),
  );
  const definitions = readdirSync(programs.definitions).map((name) => join(programs.definitions, name));
  return { kubeconfig, definitions, call, stop };
}
