/** `arouter serve`: the gateway. */
import { renderDiagnostic, type Diagnostic } from "../base/diagnostic.ts";
import { PROVIDER_NAMES } from "../base/names.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import type { LoadOptions } from "../config/run.ts";
import { loadPolicy } from "../policy/load.ts";
import { NO_POLICY, type Policy } from "../policy/policy.ts";
import { runTests, testDiagnostics } from "../policy/run-tests.ts";
import type { App } from "../app/app.ts";
import { providerRegistry } from "../app/snapshot.ts";
import { isLoopbackAddress } from "../app/settings.ts";
import { affordableInFlight, fileLimit, neededEnvironment, startAgain } from "./capacity.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { displayPath, systemPolicyFiles } from "./policy-files.ts";
import { runGateway } from "./run-gateway.ts";
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

export async function runServe(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("serve", args, io, {
    help: HELP,
    options: {
      config: { type: "string" },
      listen: { type: "string" },
      policy: { type: "string" },
      "reuse-port": { type: "boolean" },
    },
  });
  if ("exit" in line) return line.exit;
  const { config: configFile, listen: listenAddr, policy: policyFile } = line.values;
  const options: LoadOptions = {
    overrides: {
      ...(configFile === undefined ? {} : { configFile }),
      ...(listenAddr === undefined ? {} : { listenAddr }),
      ...(policyFile === undefined ? {} : { policyFile }),
    },
    env: io.env,
    cwd: io.cwd,
  };
  const reloadConfig = () => loadConfig(options);
  const loaded = reloadConfig();
  if (!loaded.ok) return refuse(io, loaded.diagnostics);

  const again = neededEnvironment(io.env, loaded.config);
  if (again !== null) return startAgain(again);

  const loadPolicyAt = (path: string) => loadPolicy(path, systemPolicyFiles, (file) => displayPath(file, io.cwd));
  const policy = openPolicy(loaded, loadPolicyAt, io);
  if ("diagnostics" in policy) return refuse(io, policy.diagnostics);
  const affordable = withAffordableLimits(loaded, io);
  warn(io, affordable);
  return runGateway({
    io,
    loaded: affordable,
    policy: policy.policy,
    reloadConfig,
    loadPolicy: loadPolicyAt,
    reusePort: line.values["reuse-port"] === true,
    access: true,
    onListening: (app) => io.stdout(`arouter listening · ${app.server.address} · ${describeProviders(app)}\n`),
  });
}

function refuse(io: CliIo, diagnostics: readonly Diagnostic[]): number {
  for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
  return EXIT.usage;
}

/** The configured policy, its own tests passed. */
function openPolicy(
  { config }: LoadedConfig,
  load: (path: string) => ReturnType<typeof loadPolicy>,
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

function withAffordableLimits(loaded: LoadedConfig, io: CliIo): LoadedConfig {
  const { limits } = loaded.config;
  const maxInFlight = affordableInFlight(limits.maxInFlight, fileLimit());
  if (maxInFlight === limits.maxInFlight) return loaded;
  io.stderr(
    `arouter: warning: limits.max_in_flight lowered from ${limits.maxInFlight} to ${maxInFlight}: the limit on open files is ${fileLimit()} (raise it with ulimit -n)\n`,
  );
  return { ...loaded, config: { ...loaded.config, limits: { ...limits, maxInFlight } } };
}

function warn(io: CliIo, { config, warnings }: LoadedConfig): void {
  for (const diagnostic of warnings) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
  if (config.auth.keys.length === 0 && !isLoopbackAddress(config.listenAddr)) {
    io.stderr(
      `arouter: warning: listening on ${config.listenAddr} without [auth] keys: whoever reaches it spends your providers' money\n`,
    );
  }
}

const KEY_VARIABLE = { openai: "OPENAI_API_KEY", anthropic: "ANTHROPIC_API_KEY" } as const;

/** `providers ready`, or which is and what the other lacks. */
function describeProviders(app: App): string {
  const { configured } = app.snapshot().registry;
  if (configured.length === PROVIDER_NAMES.length) return "providers ready";
  return PROVIDER_NAMES.map((name) =>
    configured.includes(name)
      ? `${name} ready`
      : `${name} has no key (set ${KEY_VARIABLE[name]} or providers.${name}.api_key)`,
  ).join(", ");
}
