/** Everything that listens to the gateway: log, metrics and ledger, joined to what they need to know of it. */
import type { Clock } from "../base/clock.ts";
import { createRedactor, type Redact, type Secret } from "../base/secret.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/config.ts";
import { createAppendFile, type AppendFile } from "../observe/append-file.ts";
import { createBus, type Bus } from "../observe/bus.ts";
import { knownFields } from "../observe/labels.ts";
import { createLedgerLines } from "../observe/ledger-lines.ts";
import { createLineBatch } from "../observe/line-batch.ts";
import { createLedger, type Ledger } from "../observe/ledger.ts";
import { createLive, type Live } from "../observe/live.ts";
import { createLog, type Log, type LogSettings } from "../observe/log.ts";
import { createMetrics, type Metrics, type Vitals } from "../observe/metrics.ts";
import type { WorkerLink } from "../supervisor/worker-link.ts";
import { openTraces } from "./open-traces.ts";
import type { Policy } from "../policy/policy.ts";
import { TRANSLATORS } from "../translate/table.ts";
import { createKnownModels } from "./known-models.ts";
import { isDashboardOn } from "./settings.ts";

/** What is asked of a gateway that runs. */
export interface Running {
  readonly policy: () => Policy;
  readonly vitals: () => Vitals;
}

export interface ObserverOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly commit: string;
  /** Milliseconds since the epoch. */
  readonly startedWallMs: number;
  /** Whether access lines may be written at all. */
  readonly access: boolean;
  readonly isTerminal: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The configuration in force. */
  readonly loaded: () => LoadedConfig;
  /** null until the gateway runs. */
  readonly running: () => Running | null;
  /** The other workers; unset: this process is alone. */
  readonly worker?: Pick<WorkerLink, "exclusively" | "peers" | "state">;
}

export interface Observers {
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  readonly live: Live;
}

export function openObservers(options: ObserverOptions): Observers {
  const { clock, loaded, worker } = options;
  const config = () => loaded().config;
  const bus = createBus(clock.after);
  const redact = createLiveRedactor(() => loaded().secrets);
  const { write, writeBytes, close } = openLogSink(options);
  const log = createLog({
    settings: createLogSettings(config, options),
    write,
    writeBytes,
    wallMs: clock.wallMs,
    nowMs: clock.nowMs,
    redact,
  });
  const knownModels = createKnownModels();
  const metrics = createMetrics({
    enabled: () => config().metrics.enabled,
    version: options.version,
    commit: options.commit,
    startedWallMs: options.startedWallMs,
    models: () => knownModels(loaded(), options.running()?.policy() ?? null),
    droppedFields: knownFields(TRANSLATORS.flatMap(({ rows }) => rows.map(({ field }) => field))),
    vitals: () => options.running()?.vitals() ?? null,
    observerFailures: bus.failures,
    ...(worker === undefined
      ? {}
      : { workers: worker.state, gather: async () => (await worker.peers.gather("metrics", null))[0] ?? [] }),
  });
  worker?.peers.answer("metrics", metrics.families);
  const lines = createLedgerLines();
  const live = createLive({
    lines,
    enabled: () => isDashboardOn(config()),
    models: () => knownModels(loaded(), options.running()?.policy() ?? null),
    wallMs: clock.wallMs,
    redact,
  });
  const ledger = createLedger({
    lines,
    after: clock.after,
    settings: () => config().ledger,
    emit: bus.emit,
    redact,
    ...(worker === undefined ? {} : { exclusively: worker.exclusively("ledger") }),
  });
  const closeLog = async (): Promise<void> => {
    await log.close();
    await close();
  };
  bus.subscribe({
    ...log,
    // A reload is the same in every worker: one of them tells it.
    observe: (event) => {
      if (event.type !== "config-reloaded" || worker === undefined || worker.state().isLeader) log.observe(event);
    },
    close: closeLog,
  });
  bus.subscribe(metrics);
  // In this order: the dashboard forgets the line that both have.
  bus.subscribe(ledger);
  bus.subscribe(live);
  const traces = openTraces(options, bus.emit, redact);
  if (traces !== null) bus.subscribe(traces);
  return { bus, log, metrics, ledger, live };
}

/** What the log reads at each line: one object for as long as the configuration stays. */
function createLogSettings(
  config: () => Config,
  { access: isAccessOn, isTerminal }: Pick<ObserverOptions, "access" | "isTerminal">,
): () => LogSettings {
  let of: Config["log"] | null = null;
  let settings: LogSettings = { level: "info", format: "json", access: false };
  return () => {
    const { log } = config();
    if (log !== of) {
      const { level, format, access, file } = log;
      const isText = format === "text" || (format === "auto" && file === null && isTerminal);
      settings = { level, format: isText ? "text" : "json", access: access && isAccessOn };
      of = log;
    }
    return settings;
  };
}

/** Configurations whose secrets are still looked for after a reload: requests in flight keep theirs. */
const GENERATIONS = 8;

/** A redactor for the secrets of the configuration in force and of the ones before it. */
export function createLiveRedactor(secrets: () => readonly Secret[]): Redact {
  let generations: readonly (readonly Secret[])[] = [];
  let redact = createRedactor([]);
  const current = (): Redact => {
    const now = secrets();
    if (generations[0] !== now) {
      generations = [now, ...generations].slice(0, GENERATIONS);
      redact = createRedactor(generations.flat());
    }
    return redact;
  };
  return Object.assign((text: string) => current()(text), {
    isIn: (bytes: Uint8Array, start: number, end: number) => current().isIn?.(bytes, start, end) ?? true,
  });
}

const COMPLAINT_MS = 60_000;
const LINE_END_BYTES = 1;
/** What a worker prints, the supervisor reads and prints again: every batch wakes it. */
const RELAYED_BATCH_MS = 50;

/** Standard output, or `log.file`; what cannot be written to the file is told on standard error, at most once a minute. */
function openLogSink({ clock, loaded, stdout, stderr, worker }: ObserverOptions): {
  readonly write: (line: string) => void;
  readonly writeBytes: (bytes: Buffer, length: number) => void;
  readonly close: AppendFile["close"];
} {
  const path = (): string | null => loaded().config.log.file;
  let silentUntilMs = Number.NEGATIVE_INFINITY;
  const file = createAppendFile({
    after: clock.after,
    path,
    maxBytes: () => null,
    keep: () => 0,
    onDropped: (count, reason) => {
      if (clock.nowMs() < silentUntilMs) return;
      silentUntilMs = clock.nowMs() + COMPLAINT_MS;
      stderr(`arouter: warning: ${count} lines of the log (log.file) are lost: ${reason}\n`);
    },
    ...(worker === undefined ? {} : { exclusively: worker.exclusively("log") }),
  });
  const batch = createLineBatch(clock.after, stdout, worker === undefined ? undefined : RELAYED_BATCH_MS);
  return {
    write: (line) => {
      if (path() === null) batch.write(line);
      else file.write(line.trimEnd());
    },
    writeBytes: (bytes, length) => {
      if (path() === null) batch.writeBytes(bytes, length);
      else file.writeBytes(bytes, length - LINE_END_BYTES);
    },
    close: () => {
      batch.flush();
      return file.close();
    },
  };
}
