/** `arouter test`: the policy's own tests, without server or network. */
import { resolve } from "node:path";
import { renderDiagnostic } from "../base/diagnostic.ts";
import { runTests, testDiagnostics } from "../policy/run-tests.ts";
import type { TestResult } from "../policy/run-tests.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { loadSurroundings } from "./surroundings.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter test: the tests that a policy carries, without server or network

  arouter test [FILE…] [--json] [--config FILE]

  FILE      policy file or folder; without one, the configured policy
  --json    print the results as JSON
  --config  arouter.toml, for the policy's place and which provider serves which model

Exit: 0 all passed, 1 one failed, 2 a policy does not load.
`;

const MAX_FILES = 1000;

/** Runs the command. */
export async function runTest(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("test", args, io, {
    help: HELP,
    options: { json: { type: "boolean" }, config: { type: "string" } },
    maxPositionals: MAX_FILES,
  });
  if ("exit" in line) return line.exit;
  const { values, positionals } = line;
  const surroundings = loadSurroundings(io, { config: values.config ?? null, policy: null });
  if (surroundings.config === null) {
    for (const diagnostic of surroundings.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return EXIT.usage;
  }
  const { policyPath } = surroundings;
  const paths =
    positionals.length > 0 ? positionals.map((path) => resolve(io.cwd, path)) : policyPath === null ? [] : [policyPath];
  if (paths.length === 0) {
    io.stderr("arouter test: no policy is configured; name its file, or set router.policy_file\n");
    return EXIT.usage;
  }
  const results: TestResult[] = [];
  let loads = true;
  for (const path of paths) {
    const loaded = surroundings.loadPolicy(path);
    if (loaded.ok) results.push(...runTests(loaded.policy, { providerOf: surroundings.providerOf, wallMs: io.now() }));
    else {
      loads = false;
      for (const diagnostic of loaded.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    }
  }
  if (values.json === true) io.stdout(`${renderJson(results)}\n`);
  else print(io, results);
  if (!loads) return EXIT.usage;
  return results.every((result) => result.ok) ? EXIT.fine : EXIT.no;
}

function renderJson(results: readonly TestResult[]): string {
  const tests = results.map(({ test, ok, failures, rule }) => ({
    file: test.position.file,
    line: test.position.line,
    name: test.name,
    ok,
    rule,
    failures,
  }));
  const failed = tests.filter((test) => !test.ok).length;
  return JSON.stringify({ passed: tests.length - failed, failed, tests });
}

function print(io: CliIo, results: readonly TestResult[]): void {
  for (const { test, ok } of results) io.stdout(`${ok ? "ok  " : "FAIL"}  ${test.name}\n`);
  for (const diagnostic of testDiagnostics(results)) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
  const failed = results.filter((result) => !result.ok).length;
  io.stdout(`${results.length - failed} passed, ${failed} failed\n`);
}
