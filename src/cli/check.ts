/** `arouter check`: configuration and policy, their mistakes and what is doubtful in them. */
import { renderDiagnostic, sortDiagnostics } from "../base/diagnostic.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Config } from "../config/config.ts";
import { lintPolicy } from "../policy/lint.ts";
import type { Policy } from "../policy/policy.ts";
import { runTests, testDiagnostics } from "../policy/run-tests.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { loadConfiguredPolicy, loadSurroundings } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter check: mistakes in arouter.toml and the policy, and what is doubtful in them

  arouter check [--strict] [--live] [--json] [--config FILE] [--policy FILE]

  --strict  exit 1 on warnings too
  --live    ask each provider whether its key and the policy's models are good
  --json    print the findings as JSON
  --config  arouter.toml to check; otherwise found as the gateway finds it
  --policy  policy file or folder, instead of the configured one

Warns of rules that can never match, targets that cannot serve them, and unsafe settings. Runs the policy's own tests.
Exit: 0 fine, 1 a test failed (or --strict found warnings), 2 configuration or policy does not load.
`;

/** Asks the providers, for `--live`: one diagnostic per key or model that is not good. */
export type AskProviders = (config: Config, policy: Policy) => Promise<readonly Diagnostic[]>;

interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  readonly tests: { readonly passed: number; readonly failed: number } | null;
  /** Whether configuration and policy load. */
  readonly loads: boolean;
}

/** Runs the command; `askProviders` is called for `--live` when everything loads. */
export async function runCheck(args: readonly string[], io: CliIo, askProviders: AskProviders): Promise<number> {
  const line = readArguments("check", args, io, {
    help: HELP,
    options: {
      strict: { type: "boolean" },
      live: { type: "boolean" },
      json: { type: "boolean" },
      config: { type: "string" },
      policy: { type: "string" },
    },
  });
  if ("exit" in line) return line.exit;
  const { strict = false, live = false, json = false, config, policy } = line.values;
  const surroundings = loadSurroundings(io, { config: config ?? null, policy: policy ?? null });
  const findings = await findAll(io, surroundings, live ? askProviders : null);
  const errors = findings.diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = findings.diagnostics.length - errors;
  if (json) {
    io.stdout(`${JSON.stringify({ errors, warnings, tests: findings.tests, diagnostics: findings.diagnostics })}\n`);
  } else {
    for (const diagnostic of findings.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    io.stdout(`${[count(errors, "error"), count(warnings, "warning"), ...testsLine(findings)].join(", ")}\n`);
  }
  if (!findings.loads) return EXIT.usage;
  return errors > 0 || (strict && warnings > 0) ? EXIT.no : EXIT.fine;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function testsLine({ tests }: Findings): readonly string[] {
  return tests === null || tests.passed + tests.failed === 0 ? [] : [`${count(tests.passed, "test")} passed`];
}

async function findAll(io: CliIo, surroundings: Surroundings, askProviders: AskProviders | null): Promise<Findings> {
  const { config, diagnostics, providerOf, catalog } = surroundings;
  const loaded = loadConfiguredPolicy(surroundings);
  if (!loaded.ok) {
    // The policy's mistakes come first: they are what is being worked on.
    return { diagnostics: [...loaded.diagnostics, ...diagnostics], tests: null, loads: false };
  }
  const { policy } = loaded;
  const environment = { providerOf, catalog, wallMs: io.now() };
  const results = runTests(policy, environment);
  const ofPolicy = sortDiagnostics([...lintPolicy(policy, environment), ...testDiagnostics(results)]);
  const live = askProviders !== null && config !== null ? await askProviders(config, policy) : [];
  const failed = results.filter((result) => !result.ok).length;
  return {
    diagnostics: [...ofPolicy, ...diagnostics, ...live],
    tests: { passed: results.length - failed, failed },
    loads: config !== null,
  };
}
