/** `arouter serve`: the gateway, in this process or in several workers of it. */
import { renderDiagnostic } from "../base/diagnostic.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { isLoopbackAddress } from "../app/settings.ts";
import { shareOfWorker } from "../app/worker-share.ts";
import { usableCores } from "../supervisor/cores.ts";
import { fileLimit, neededEnvironment, startAgain } from "./capacity.ts";
import type { CliIo } from "./io.ts";
import { describeProviders, openPolicy, readServeLine, refuse, withAffordableLimits } from "./serve-setup.ts";

export async function runServe(args: readonly string[], io: CliIo): Promise<number> {
  const setup = readServeLine(args, io);
  if ("exit" in setup) return setup.exit;
  const loaded = setup.load();
  if (!loaded.ok) return refuse(io, loaded.diagnostics);

  const again = neededEnvironment(io.env, loaded.config);
  if (again !== null) return startAgain(again);

  const policy = openPolicy(loaded, setup.loadPolicy, io);
  if ("diagnostics" in policy) return refuse(io, policy.diagnostics);
  const workers = countWorkers(loaded.config);
  const affordable = lowerLimits(loaded, workers, io);
  warn(io, loaded);
  if (workers > 1) {
    const { runWorkers } = await import("./run-workers.ts");
    return runWorkers({ io, args, config: loaded.config, workers, reusePort: setup.reusePort });
  }
  const { runGateway } = await import("./run-gateway.ts");
  return runGateway({
    io,
    loaded: affordable,
    policy: policy.policy,
    reloadConfig: setup.load,
    loadPolicy: setup.loadPolicy,
    reusePort: setup.reusePort,
    access: true,
    onListening: (app) =>
      io.stdout(
        `arouter listening · ${app.server.address} · ${describeProviders(app.snapshot().registry.configured)}\n`,
      ),
  });
}

/** Processes to run. `auto` is one where several cannot share the port: on a socket in the file system, or not on Linux. */
function countWorkers({ server, listenAddr, metrics }: Config): number {
  if (server.workers !== "auto") return server.workers;
  const isUnix = listenAddr.startsWith("unix:") || metrics.listenAddr?.startsWith("unix:") === true;
  return isUnix || process.platform !== "linux" ? 1 : usableCores();
}

/** What each worker lowers by itself is told here, once. */
function lowerLimits(loaded: LoadedConfig, workers: number, io: CliIo): LoadedConfig {
  const share = workers === 1 ? loaded : shareOfWorker(loaded, workers);
  const affordable = withAffordableLimits(share);
  if (affordable !== share) {
    const each = workers === 1 ? "" : " for each worker";
    io.stderr(
      `arouter: warning: limits.max_in_flight lowered from ${share.config.limits.maxInFlight} to ${affordable.config.limits.maxInFlight}${each}: the limit on open files is ${fileLimit()} (raise it with ulimit -n)\n`,
    );
  }
  return affordable;
}

function warn(io: CliIo, { config, warnings }: LoadedConfig): void {
  for (const diagnostic of warnings) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
  if (config.auth.keys.length === 0 && !isLoopbackAddress(config.listenAddr)) {
    io.stderr(
      `arouter: warning: listening on ${config.listenAddr} without [auth] keys: whoever reaches it spends your providers' money\n`,
    );
  }
}
