/** What `serve` and each of its workers read before they run: command line, configuration, policy. */
import { renderDiagnostic, type Diagnostic } from "../base/diagnostic.ts";
import { PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import { loadConfig, type LoadedConfig, type LoadResult } from "../config/load.ts";
import type { LoadOptions } from "../config/run.ts";
import type { ConfigFiles } from "../config/files.ts";
import { loadPolicy, type PolicyFiles } from "../policy/load.ts";
import type { PolicyResult } from "../policy/parse.ts";
import { NO_POLICY, type Policy } from "../policy/policy.ts";
import { runTests, testDiagnostics } from "../policy/run-tests.ts";
import { providerRegistry } from "../app/snapshot.ts";
import { affordableInFlight, fileLimit } from "./capacity.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { displayPath, systemPolicyFiles } from "./policy-files.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter serve: run the gateway

  arouter [serve] [--config FILE] [--listen ADDR] [--policy FILE] [--reuse-port]

  --config FILE  the configuration; else $AROUTER_CONFIG, ./arouter.toml, /etc/arouter/arouter.toml
  --listen ADDR  HOST:PORT or unix:/path instead of listen_addr
  --policy FILE  a policy, or a folder of them, instead of router.policy_file
  --reuse-port   let another gateway listen on the same port: start the new one, then stop the old one, and no call is lost

Keys of the providers stand in the configuration, or in OPENAI_API_KEY and ANTHROPIC_API_KEY.
SIGHUP reloads configuration and policy, SIGTERM drains and stops.
`;

export interface ServeSetup {
  readonly load: () => LoadResult;
  readonly loadPolicy: (path: string) => PolicyResult;
  readonly reusePort: boolean;
}

/** What a worker has otherwise. */
export interface WorkerSetup {
  /** Instead of what the command line says. */
  readonly listenAddr: string | null;
  readonly files: ConfigFiles & PolicyFiles;
}

/** Reads the command line, or ends at once with `exit`. */
export function readServeLine(
  args: readonly string[],
  io: CliIo,
  worker: WorkerSetup | null = null,
): ServeSetup | { readonly exit: number } {
  const line = readArguments("serve", args, io, {
    help: HELP,
    options: {
      config: { type: "string" },
      listen: { type: "string" },
      policy: { type: "string" },
      "reuse-port": { type: "boolean" },
    },
  });
  if ("exit" in line) return line;
  const { config: configFile, listen, policy: policyFile } = line.values;
  const listenAddr = worker?.listenAddr ?? listen;
  const options: LoadOptions = {
    overrides: {
      ...(configFile === undefined ? {} : { configFile }),
      ...(listenAddr === undefined ? {} : { listenAddr }),
      ...(policyFile === undefined ? {} : { policyFile }),
    },
    env: io.env,
    cwd: io.cwd,
    ...(worker === null ? {} : { files: worker.files }),
  };
  const policyFiles = worker?.files ?? systemPolicyFiles;
  return {
    load: () => loadConfig(options),
    loadPolicy: (path) => loadPolicy(path, policyFiles, (file) => displayPath(file, io.cwd)),
    reusePort: line.values["reuse-port"] === true,
  };
}

export function refuse(io: CliIo, diagnostics: readonly Diagnostic[]): number {
  for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
  return EXIT.usage;
}

/** The configured policy, its own tests passed. */
export function openPolicy(
  { config }: LoadedConfig,
  load: (path: string) => PolicyResult,
  io: CliIo,
): { readonly policy: Policy } | { readonly diagnostics: readonly Diagnostic[] } {
  const path = config.router.policyFile;
  if (path === null) return { policy: NO_POLICY };
  const read = load(path);
  if (!read.ok) return { diagnostics: read.diagnostics };
  const { resolve: providerOf } = providerRegistry(config);
  const diagnostics = testDiagnostics(runTests(read.policy, { providerOf, wallMs: io.now() }));
  return diagnostics.length > 0 ? { diagnostics } : { policy: read.policy };
}

/** `loaded`, its limit of requests in flight lowered to what the limit of open files allows this process. */
export function withAffordableLimits(loaded: LoadedConfig): LoadedConfig {
  const { limits } = loaded.config;
  const maxInFlight = affordableInFlight(limits.maxInFlight, fileLimit());
  if (maxInFlight === limits.maxInFlight) return loaded;
  return { ...loaded, config: { ...loaded.config, limits: { ...limits, maxInFlight } } };
}

const KEY_VARIABLE = { openai: "OPENAI_API_KEY", anthropic: "ANTHROPIC_API_KEY" } as const;

/** `providers ready`, or which is and what the other lacks. */
export function describeProviders(configured: readonly ProviderName[]): string {
  if (configured.length === PROVIDER_NAMES.length) return "providers ready";
  return PROVIDER_NAMES.map((name) =>
    configured.includes(name)
      ? `${name} ready`
      : `${name} has no key (set ${KEY_VARIABLE[name]} or providers.${name}.api_key)`,
  ).join(", ");
}
