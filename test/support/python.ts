/**
 * The Python environments of the conformance suite: one per pinned set of packages, made once and kept under
 * `.cache/python/`, named by a hash of what is in them so that a changed pin makes a new one.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const requirementsDir = join(root, "test/conformance/python");

/** `newest` releases of both SDKs, the last release of the `previous` major, and `frameworks` that are built on them. */
export const PYTHON_ENVIRONMENTS = ["newest", "previous", "frameworks"] as const;
export type PythonEnvironmentName = (typeof PYTHON_ENVIRONMENTS)[number];

/** A usable environment, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

/** `openai==… anthropic==…` of an environment, for test names. */
export function pythonPins(name: PythonEnvironmentName): string {
  return readRequirements(name).trim().split("\n").join(" ");
}

/** The environment if it was made already. */
export function findPython(name: PythonEnvironmentName): PythonEnvironment {
  const dir = environmentDir(name);
  return existsSync(join(dir, "ready"))
    ? { python: join(dir, "bin/python") }
    : { missing: `python environment "${name}" is not set up; run: npm test` };
}

/** The environment, made by `python3 -m venv` and pip if need be: seconds the first time, nothing after that. */
export function ensurePython(name: PythonEnvironmentName): PythonEnvironment {
  const found = findPython(name);
  if ("python" in found) return found;
  const dir = environmentDir(name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const steps: readonly (readonly string[])[] = [
    ["python3", "-m", "venv", dir],
    [join(dir, "bin/python"), "-m", "pip", "install", "--quiet", "-r", requirementsFile(name)],
  ];
  for (const command of steps) {
    const failure = run(command);
    if (failure !== null) return { missing: `python environment "${name}": ${failure}` };
  }
  writeFileSync(join(dir, "ready"), "");
  return { python: join(dir, "bin/python") };
}

function environmentDir(name: PythonEnvironmentName): string {
  const hash = createHash("sha256").update(readRequirements(name)).digest("hex").slice(0, 12);
  return join(root, ".cache/python", `${name}-${hash}`);
}

function requirementsFile(name: PythonEnvironmentName): string {
  return join(requirementsDir, `requirements-${name}.txt`);
}

function readRequirements(name: PythonEnvironmentName): string {
  return readFileSync(requirementsFile(name), "utf8");
}

/** Runs a command to its end; null when it succeeded, else the last line that it said. */
function run(command: readonly string[]): string | null {
  if (Bun.which(command[0] ?? "") === null) return `${command[0]} is not installed`;
  const done = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe" });
  if (done.success) return null;
  const said = `${done.stdout.toString()}\n${done.stderr.toString()}`.trim().split("\n");
  return `${command.slice(0, 4).join(" ")} failed: ${said.at(-1) ?? "no output"}`;
}
