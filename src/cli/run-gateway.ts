/** Runs a gateway until it is told to stop: what `serve` and `demo` share. */
import { systemClock } from "../base/clock.ts";
import type { LoadedConfig, LoadResult } from "../config/load.ts";
import type { PolicyResult } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { startApp, type App } from "../app/app.ts";
import { isDashboardOn } from "../app/settings.ts";
import { openObservers, type Observers } from "../app/observers.ts";
import { readLedgerTail } from "../observe/ledger-tail.ts";
import type { Live } from "../observe/live.ts";
import { startMetricsServer, type MetricsServer } from "../server/metrics.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { COMMIT, VERSION } from "./version.ts";

export interface RunOptions {
  readonly io: CliIo;
  readonly loaded: LoadedConfig;
  readonly policy: Policy;
  readonly reloadConfig: () => LoadResult;
  readonly loadPolicy: (path: string) => PolicyResult;
  /** Another gateway may listen on the same port. */
  readonly reusePort: boolean;
  /** Access lines on the terminal; `demo` has none. */
  readonly access: boolean;
  /** Called once it listens. */
  readonly onListening: (app: App) => void;
  /** Called after it stopped. */
  readonly onStopped?: (live: Live) => Promise<void>;
}

/** How long observers may take to flush. */
const FLUSH_MS = 2000;
/** Requests of the time before a restart that the dashboard shows. */
const LEDGER_TAIL_LINES = 5000;

/** Starts, waits for a signal, drains. Exit 0, 1 when a request was cut, 2 when an address cannot be used. */
export async function runGateway(options: RunOptions): Promise<number> {
  const { io, loaded } = options;
  const { config } = loaded;
  let app: App | null = null;
  const observers = openObservers({
    clock: systemClock,
    version: VERSION,
    commit: COMMIT,
    startedWallMs: systemClock.wallMs() - process.uptime() * 1000,
    access: options.access,
    isTerminal: io.isTerminal,
    stdout: io.stdout,
    stderr: io.stderr,
    loaded: () => app?.loaded() ?? loaded,
    running: () => app,
  });
  let metricsServer: MetricsServer | null = null;
  try {
    const { listenAddr } = config.metrics;
    if (config.metrics.enabled && listenAddr !== null) {
      const isOn = (): boolean => (app?.loaded() ?? loaded).config.metrics.enabled;
      metricsServer = startMetricsServer(listenAddr, () => (isOn() ? observers.metrics.text() : null));
    }
    app = startApp({
      clock: systemClock,
      version: VERSION,
      loaded,
      policy: options.policy,
      reloadConfig: options.reloadConfig,
      loadPolicy: options.loadPolicy,
      emit: observers.bus.emit,
      metrics: observers.metrics.text,
      live: observers.live,
      reusePort: options.reusePort,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const address = config.metrics.enabled && metricsServer === null ? config.metrics.listenAddr : null;
    io.stderr(`arouter: cannot listen on ${address ?? config.listenAddr}: ${why}\n`);
    await metricsServer?.close();
    await observers.bus.close(FLUSH_MS);
    return EXIT.usage;
  }
  process.on("unhandledRejection", (error) =>
    observers.bus.emit({ type: "defect", where: "unhandled rejection", error }),
  );
  process.on("SIGHUP", app.reload);
  await observers.ledger.start();
  if (config.ledger.file !== null && isDashboardOn(config)) {
    observers.live.seed(await readLedgerTail(config.ledger.file, LEDGER_TAIL_LINES));
  }
  // Whoever reads that it listens may stop it at once: the signals are handled before it says so.
  const stopped = untilStopped(app, config.drain.delayMs, observers);
  options.onListening(app);
  if (metricsServer !== null) observers.log.log("info", "metrics listening", { address: metricsServer.address });

  const isClean = await stopped;
  await options.onStopped?.(observers.live);
  await metricsServer?.close();
  await observers.bus.close(FLUSH_MS);
  return isClean ? EXIT.fine : EXIT.no;
}

/** Waits for SIGTERM (keeps accepting for the drain delay) or SIGINT (stops at once); a second signal exits at once. */
function untilStopped(app: App, delayMs: number, { log }: Observers): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let isStopping = false;
    const stop = (name: string, waitMs: number): void => {
      if (isStopping) process.exit(EXIT.no);
      isStopping = true;
      log.log("info", "draining", { signal: name });
      app.stop(waitMs).then(resolve, reject);
    };
    process.on("SIGTERM", () => stop("SIGTERM", delayMs));
    process.on("SIGINT", () => stop("SIGINT", 0));
  });
}
