/** arouter.toml, the environment and the command line → the configuration, or every mistake in them. */
import { sortDiagnostics, type Diagnostic } from "../base/diagnostic.ts";
import type { Secret } from "../base/secret.ts";
import type { Catalog } from "../catalog/model.ts";
import { resolve } from "node:path";
import { assembleConfig } from "./assemble.ts";
import { checkWhole, collectHiddenSecrets } from "./checks.ts";
import type { Config } from "./config.ts";
import { readAuthKeys, readProviderKeys } from "./credentials.ts";
import { readCatalog } from "./overlays.ts";
import { readGiven, type Given } from "./read.ts";
import { createRun, readRoot, type LoadOptions, type Run, type SourceFile } from "./run.ts";
import { SCHEMA } from "./schema.ts";

export interface LoadedConfig {
  readonly ok: true;
  readonly config: Config;
  /** The built-in catalog under `[catalog]`. */
  readonly catalog: Catalog;
  /** Sorted by place. */
  readonly warnings: readonly Diagnostic[];
  readonly files: readonly SourceFile[];
  /** Every key and password in the configuration, for the redactor. */
  readonly secrets: readonly Secret[];
}

export interface FailedConfig {
  readonly ok: false;
  /** Errors and warnings, sorted by place. */
  readonly diagnostics: readonly Diagnostic[];
  /** What to watch for a better one. */
  readonly files: readonly SourceFile[];
}

export type LoadResult = LoadedConfig | FailedConfig;

/**
 * Finds, reads and checks the configuration. Precedence: command line, `AROUTER_*_API_KEY`, file, `OPENAI_API_KEY` and
 * `ANTHROPIC_API_KEY`, default. All mistakes are reported at once; no value of a secret is in any of them.
 */
export function loadConfig(options: LoadOptions): LoadResult {
  const run = createRun(options);
  const root = readRoot(run);
  const given = readGiven(root, run.context);
  applyOverrides(run, given);
  readProviderKeys(run, given);
  const config = assembleConfig(given, readAuthKeys(run, root, given));
  const catalog = readCatalog(run, given);
  collectHiddenSecrets(run, config);
  // A file that could not be read says nothing about the whole.
  if (run.readable) checkWhole(run, config);
  if (config.router.policyFile !== null) run.files.push({ kind: "policy", path: config.router.policyFile });
  const diagnostics = sortDiagnostics(run.diagnostics);
  const { files } = run;
  if (diagnostics.some(({ severity }) => severity === "error")) return { ok: false, diagnostics, files };
  return { ok: true, config, catalog, warnings: diagnostics, files, secrets: run.context.secrets };
}

function applyOverrides(run: Run, given: Given): void {
  const { listenAddr, policyFile } = run.options.overrides ?? {};
  if (policyFile !== undefined) given.set("router.policy_file", resolve(run.options.cwd, policyFile));
  if (listenAddr === undefined) return;
  const read = SCHEMA.listen_addr.read(listenAddr);
  if ("value" in read) given.set("listen_addr", read.value);
  else run.addAt("--listen", 1, 1, "error", `must be ${read.allowed}`);
}
