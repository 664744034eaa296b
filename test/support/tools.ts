/**
 * Programs of others that some tests need: a real OpenTelemetry Collector, Chromium, Prometheus. `npm test` makes or installs
 * them once; a test that finds none skips and says why, unless `CI` is set.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const collectorDir = join(root, "test/support/collector");

/** A program that can be run, or why there is none. */
export type Tool = { readonly path: string } | { readonly missing: string };

/** What runs it, or the test's reason to skip. With `CI` set there is no excuse. @throws Error then */
export function requireTool(tool: Tool): { readonly path: string | null; readonly why: string } {
  if ("path" in tool) return { path: tool.path, why: "" };
  if (process.env["CI"] !== undefined) throw new Error(tool.missing);
  return { path: null, why: ` (${tool.missing})` };
}

/** Runs a command to its end; null when it succeeded, else the last line that it said. */
function run(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: object } = {},
): string | null {
  const done = Bun.spawnSync([...command], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (done.success) return null;
  const said = `${done.stdout.toString()}\n${done.stderr.toString()}`.trim().split("\n");
  return `${command.slice(0, 3).join(" ")} failed: ${said.at(-1) ?? "no output"}`;
}

function collectorPath(): string {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.mod", "go.sum"]) hash.update(readFileSync(join(collectorDir, file)));
  return join(root, ".cache/collector", hash.digest("hex").slice(0, 12), "collector");
}

/** The OpenTelemetry Collector, if it was built. */
export function findCollector(): Tool {
  const path = collectorPath();
  return existsSync(path)
    ? { path }
    : { missing: "no OpenTelemetry Collector; npm test builds it where Go is installed" };
}

/** Builds it if need be: one or two minutes the first time. */
export function ensureCollector(): Tool {
  const found = findCollector();
  if ("path" in found) return found;
  if (Bun.which("go") === null) return { missing: "no Go, so no OpenTelemetry Collector" };
  const path = collectorPath();
  mkdirSync(join(path, ".."), { recursive: true });
  const failure = run(["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, "."], {
    cwd: collectorDir,
    env: { CGO_ENABLED: "0" },
  });
  return failure === null ? { path } : { missing: `OpenTelemetry Collector: ${failure}` };
}

/** What Debian packages of the tests are for, and their programs. */
export const DEBIAN_TOOLS = {
  chromium: "chromium",
  prometheus: "prometheus",
  promtool: "prometheus",
} as const;
export type DebianTool = keyof typeof DEBIAN_TOOLS;

/** A program that Debian packages, if it is there. */
export function findDebian(name: DebianTool): Tool {
  const path = Bun.which(name);
  return path === null
    ? { missing: `no ${name}; npm test installs Debian's ${DEBIAN_TOOLS[name]} for root` }
    : { path };
}

/** Installs what is not there, as root on Debian and its kin. */
export function ensureDebian(): readonly Tool[] {
  const names = Object.keys(DEBIAN_TOOLS) as DebianTool[];
  const wanted = [...new Set(names.filter((name) => "missing" in findDebian(name)).map((name) => DEBIAN_TOOLS[name]))];
  if (wanted.length > 0 && process.getuid?.() === 0 && Bun.which("apt-get") !== null) {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    // A failure shows in what is missing afterwards.
    run(["apt-get", "update", "-qq"], { env });
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...wanted], { env });
    // The package starts a service of its own, which no test wants.
    run(["systemctl", "disable", "--now", "prometheus"]);
  }
  return names.map(findDebian);
}
