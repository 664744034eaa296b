/** Configuration, catalog and policy, as the offline commands need them. */
import { resolve } from "node:path";
import { builtInCatalog } from "../catalog/catalog.ts";
import type { Catalog } from "../catalog/model.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { ProviderName } from "../base/names.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { loadPolicy } from "../policy/load.ts";
import type { PolicyResult } from "../policy/parse.ts";
import { NO_POLICY } from "../policy/policy.ts";
import { createAnthropic, createOpenAi, createProviderRegistry } from "../upstream/provider.ts";
import type { ProviderRegistry } from "../upstream/provider.ts";
import type { CliIo } from "./io.ts";
import { displayPath, systemPolicyFiles } from "./policy-files.ts";

export interface Surroundings {
  /** null: it does not load; `diagnostics` say why. */
  readonly config: Config | null;
  /** Of the configuration: errors and warnings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly catalog: Catalog;
  readonly registry: ProviderRegistry;
  readonly providerOf: (model: string) => ProviderName | null;
  /** Absolute path of the policy; null when none is configured. */
  readonly policyPath: string | null;
  /** The policy there, read anew. */
  readonly loadPolicy: (path: string) => PolicyResult;
}

/** Loads what `--config` and `--policy` name, without asking for provider keys: nothing will be sent. */
export function loadSurroundings(
  io: CliIo,
  options: { readonly config: string | null; readonly policy: string | null },
): Surroundings {
  const { config: configFile, policy: policyFile } = options;
  const loaded = loadConfig({
    overrides: {
      ...(configFile === null ? {} : { configFile }),
      ...(policyFile === null ? {} : { policyFile }),
    },
    env: io.env,
    cwd: io.cwd,
    requireKey: false,
  });
  const config = loaded.ok ? loaded.config : null;
  const registry = createOfflineRegistry(config);
  const configured = loaded.files.find((file) => file.kind === "policy")?.path ?? null;
  return {
    config,
    diagnostics: loaded.ok ? loaded.warnings : loaded.diagnostics,
    catalog: loaded.ok ? loaded.catalog : builtInCatalog,
    registry,
    providerOf: registry.resolve,
    policyPath: policyFile === null ? configured : resolve(io.cwd, policyFile),
    loadPolicy: (path) => loadPolicy(path, systemPolicyFiles, (file) => displayPath(file, io.cwd)),
  };
}

/** The policy in force: the configured one, or none at all. */
export function loadConfiguredPolicy(surroundings: Surroundings): PolicyResult {
  const { policyPath } = surroundings;
  return policyPath === null ? { ok: true, policy: NO_POLICY } : surroundings.loadPolicy(policyPath);
}

/** Both providers, without keys: enough to tell which one a model belongs to and what formats it speaks. */
function createOfflineRegistry(config: Config | null): ProviderRegistry {
  const key = (): null => null;
  return createProviderRegistry([
    {
      provider: createOpenAi({ baseUrl: "", key, organization: null, project: null }),
      models: config?.providers.openai.models ?? ["*"],
      configured: true,
    },
    {
      provider: createAnthropic({ baseUrl: "", key, version: "" }),
      models: config?.providers.anthropic.models ?? ["claude-*"],
      configured: true,
    },
  ]);
}
