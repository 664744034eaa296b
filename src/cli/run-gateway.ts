/** Runs a gateway until it is told to stop: what `serve` and `demo` share. */
import { systemClock } from "../base/clock.ts";
import type { Observer } from "../base/events.ts";
import { createRedactor } from "../base/secret.ts";
import type { LoadedConfig, LoadResult } from "../config/load.ts";
import type { PolicyResult } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { startApp, type App } from "../app/app.ts";
import { createBus } from "../observe/bus.ts";
import { createLog, type Log } from "../observe/log.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { VERSION } from "./version.ts";

export interface RunOptions {
  readonly io: CliIo;
  readonly loaded: LoadedConfig;
  readonly policy: Policy;
  readonly reloadConfig: () => LoadResult;
  readonly loadPolicy: (path: string) => PolicyResult;
  /** Access lines on the terminal; `demo` has none. */
  readonly access: boolean;
  /** Called once it listens. */
  readonly onListening: (app: App) => void;
  /** Called after it stopped. */
  readonly onStopped?: () => Promise<void>;
}

/** How long observers may take to flush. */
const FLUSH_MS = 2000;

/** Starts, waits for a signal, drains. Exit 0, 1 when a request was cut, 2 when the address cannot be used. */
export async function runGateway(options: RunOptions): Promise<number> {
  const { io, loaded } = options;
  const { config } = loaded;
  const bus = createBus(systemClock.after);
  const log = openLog(options);
  bus.subscribe(log);
  let app: App;
  try {
    app = startApp({
      clock: systemClock,
      version: VERSION,
      loaded,
      policy: options.policy,
      reloadConfig: options.reloadConfig,
      loadPolicy: options.loadPolicy,
      emit: bus.emit,
      metrics: null,
      reusePort: false,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    io.stderr(`arouter: cannot listen on ${config.listenAddr}: ${why}\n`);
    return EXIT.usage;
  }
  process.on("unhandledRejection", (error) => bus.emit({ type: "defect", where: "unhandled rejection", error }));
  process.on("SIGHUP", app.reload);
  options.onListening(app);

  const isClean = await untilStopped(app, config.drain.delayMs, log);
  await options.onStopped?.();
  await bus.close(FLUSH_MS);
  return isClean ? EXIT.fine : EXIT.no;
}

function openLog({ io, loaded, access }: RunOptions): Log & Observer {
  const { log } = loaded.config;
  return createLog({
    level: () => log.level,
    format: log.format === "auto" ? (io.isTerminal ? "text" : "json") : log.format,
    access: access && log.access,
    write: io.stdout,
    wallMs: systemClock.wallMs,
    redact: createRedactor(loaded.secrets),
  });
}

/** Waits for SIGTERM (keeps accepting for the drain delay) or SIGINT (stops at once); a second signal exits at once. */
function untilStopped(app: App, delayMs: number, log: Log): Promise<boolean> {
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
