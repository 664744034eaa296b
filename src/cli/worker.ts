/** One of the processes of `arouter serve` with several `server.workers`; only a supervisor starts it. */
import type { LoadedConfig, LoadResult } from "../config/load.ts";
import { shareOfWorker } from "../app/worker-share.ts";
import type { Order, StartOrder } from "../supervisor/messages.ts";
import { openWorkerLink, type Channel } from "../supervisor/worker-link.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { createRecordedFiles, isOutdated, type Readings } from "./recorded-files.ts";
import { runGateway } from "./run-gateway.ts";
import { describeProviders, openPolicy, readServeLine, refuse, withAffordableLimits } from "./serve-setup.ts";

/** `args` are those of `serve`. */
export async function runWorker(args: readonly string[], io: CliIo): Promise<number> {
  // A terminal or a service manager signals the whole group; what to do is for the supervisor to say.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  try {
    return await serve(args, io);
  } finally {
    if (process.connected) process.disconnect?.();
  }
}

async function serve(args: readonly string[], plainIo: CliIo): Promise<number> {
  const link = await openWorkerLink(processChannel);
  if (link === null) return EXIT.no;
  const io: CliIo = { ...plainIo, isTerminal: link.start.isTerminal };
  const recorded = createRecordedFiles();
  const setup = readServeLine(args, io, { listenAddr: link.start.listenAddr, files: recorded.files });
  if ("exit" in setup) return setup.exit;
  const load = (from: Readings | null): LoadResult => {
    recorded.begin(from);
    const read = setup.load();
    return read.ok ? forWorker(read, link.start) : read;
  };
  // All begin with what the first one read, or what was taken over since, whatever stands in the files by now.
  const lastGood = link.start.lastGood as Readings | null;
  const loaded = load(lastGood);
  if (!loaded.ok) return refuse(io, loaded.diagnostics);
  const policy = openPolicy(loaded, setup.loadPolicy, io);
  if ("diagnostics" in policy) return refuse(io, policy.diagnostics);
  return runGateway({
    io,
    loaded: withAffordableLimits(loaded),
    policy: policy.policy,
    reloadConfig: () => load(null),
    loadPolicy: setup.loadPolicy,
    reusePort: true,
    worker: link,
    access: true,
    onListening: (app, metricsAddress) => {
      if (lastGood === null) link.keep(recorded.readings());
      // What the files say by now is for a reload, which the others have tried, or are about to.
      else if (loaded.config.reload.watch && isOutdated(lastGood)) app.reload();
      link.ready({
        address: app.server.address,
        metricsAddress,
        providers: describeProviders(app.snapshot().registry.configured),
      });
    },
    onReloaded: () => link.keep(recorded.readings()),
  });
}

/** The configuration as one of the workers has it. */
function forWorker(loaded: LoadedConfig, { workers, metricsAddr }: StartOrder): LoadedConfig {
  const share = shareOfWorker(loaded, workers);
  if (metricsAddr === null) return share;
  const { config } = share;
  return { ...share, config: { ...config, metrics: { ...config.metrics, listenAddr: metricsAddr } } };
}

const processChannel: Channel = {
  send: (report) => {
    // What is said to a supervisor that is gone is lost; `disconnect` tells.
    if (process.connected) process.send?.(report);
  },
  onOrder: (take) => void process.on("message", (message) => take(message as Order)),
  onGone: (run) => void process.on("disconnect", run),
};
