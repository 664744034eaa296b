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
import type { WorkerLink } from "../supervisor/worker-link.ts";
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
  /** The other workers, when this process is one of several; it tells when to stop and to reload, instead of signals. */
  readonly worker?: WorkerLink;
  /** Access lines on the terminal; `demo` has none. */
  readonly access: boolean;
  /** Called once it listens. */
  readonly onListening: (app: App, metricsAddress: string | null) => void;
  /** Called after configuration and policy were read anew and are in force. */
  readonly onReloaded?: () => void;
  /** Called after it stopped. */
  readonly onStopped?: (live: Live) => Promise<void>;
}

/** How long observers may take to flush. */
const FLUSH_MS = 2000;
/** Requests of the time before a restart that the dashboard shows. */
const LEDGER_TAIL_LINES = 5000;

/** Starts, waits for a signal, drains. Exit 0, 1 when a request was cut, 2 when an address cannot be used. */
export async function runGateway(options: RunOptions): Promise<number> {
  const { io, loaded, worker } = options;
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
    ...(worker === undefined ? {} : { worker }),
  });
  const { file } = config.ledger;
  const isRemembered = file !== null && isDashboardOn(config) && worker?.start.isFirst !== false;
  const past = isRemembered ? await readLedgerTail(file, LEDGER_TAIL_LINES) : [];
  let metricsServer: MetricsServer | null = null;
  try {
    const { listenAddr } = config.metrics;
    if (config.metrics.enabled && listenAddr !== null) {
      const isOn = (): boolean => (app?.loaded() ?? loaded).config.metrics.enabled;
      metricsServer = startMetricsServer(
        listenAddr,
        () => (isOn() ? observers.metrics.text() : null),
        options.reusePort,
      );
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
      ...(worker === undefined ? {} : { workers: { count: worker.start.workers, peers: worker.peers } }),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const address = config.metrics.enabled && metricsServer === null ? config.metrics.listenAddr : null;
    io.stderr(`arouter: cannot listen on ${address ?? config.listenAddr}: ${why}\n`);
    await metricsServer?.close();
    await observers.bus.close(FLUSH_MS);
    return EXIT.usage;
  }
  // At once, before the first request can come, and by the names of the policy that is now in force.
  observers.live.seed(past);
  process.on("unhandledRejection", (error) =>
    observers.bus.emit({ type: "defect", where: "unhandled rejection", error }),
  );
  observers.bus.subscribe({
    name: "reloaded",
    events: ["config-reloaded"],
    observe: (event) => {
      if (event.type === "config-reloaded" && event.ok) options.onReloaded?.();
    },
  });
  const orders = worker === undefined ? signalOrders : workerOrders(worker);
  orders.onReload(app.reload);
  worker?.onLog(({ level, message, fields }) => observers.log.log(level, message, fields));
  await observers.ledger.start();
  // Whoever reads that it listens may stop it at once: the signals are handled before it says so.
  const stopped = untilStopped(app, config.drain.delayMs, observers, orders);
  options.onListening(app, metricsServer?.address ?? null);
  // Of workers the supervisor has one tell it, once all listen.
  if (metricsServer !== null && worker === undefined) {
    observers.log.log("info", "metrics listening", { address: metricsServer.address });
  }

  const isClean = await stopped;
  await options.onStopped?.(observers.live);
  await metricsServer?.close();
  await observers.bus.close(FLUSH_MS);
  return isClean ? EXIT.fine : EXIT.no;
}

/** Who tells the gateway what to do. */
interface Orders {
  /** `reason` is told; `isPatient`: balancers may have to notice first. */
  readonly onStop: (stop: (reason: string, isPatient: boolean) => void) => void;
  readonly onReload: (reload: () => void) => void;
  /** Whether this process tells what concerns all that share its port. */
  readonly isTeller: () => boolean;
}

/** SIGTERM keeps accepting for the drain delay, SIGINT stops at once; a second signal exits at once. */
const signalOrders: Orders = {
  onStop: (stop) => {
    let isStopping = false;
    const onSignal = (name: string, isPatient: boolean): void => {
      if (isStopping) process.exit(EXIT.no);
      isStopping = true;
      stop(name, isPatient);
    };
    process.on("SIGTERM", () => onSignal("SIGTERM", true));
    process.on("SIGINT", () => onSignal("SIGINT", false));
  },
  onReload: (reload) => void process.on("SIGHUP", reload),
  isTeller: () => true,
};

function workerOrders(worker: WorkerLink): Orders {
  return {
    onStop: (stop) => worker.onStop((reason) => stop(reason, reason === "SIGTERM")),
    onReload: worker.onReload,
    isTeller: () => worker.state().isLeader,
  };
}

function untilStopped(app: App, delayMs: number, { log }: Observers, orders: Orders): Promise<boolean> {
  return new Promise((resolve, reject) => {
    orders.onStop((reason, isPatient) => {
      if (orders.isTeller()) log.log("info", "draining", { signal: reason });
      app.stop(isPatient ? delayMs : 0).then(resolve, reject);
    });
  });
}
