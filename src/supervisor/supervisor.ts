/**
 * Runs several workers behind one port: starts them, starts again those that end by themselves, hands signals on, and lets
 * them ask each other. It serves nothing and loads nothing of the gateway (docs/decisions/0009-workers.md).
 */
import type { Clock } from "../base/clock.ts";
import { createGathering } from "./gathering.ts";
import { type Beating, startHeartbeat } from "./heartbeat.ts";
import { createLocks } from "./locks.ts";
import type { Order, ReadyReport, Report, StartOrder, StopSignal } from "./messages.ts";

/** A worker's process. */
export interface Child {
  readonly pid: number;
  readonly send: (order: Order) => void;
  /** At once, without a chance to say no. */
  readonly kill: () => void;
  readonly exited: Promise<Ending>;
}

export interface Ending {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface SupervisorOptions {
  readonly clock: Clock;
  /** How many; 2 or more. */
  readonly workers: number;
  readonly isTerminal: boolean;
  /** Starts a process; `onReport` gets what it says. */
  readonly spawn: (onReport: (report: Report) => void) => Child;
  /** Called once, when all are ready. */
  readonly onListening: (ready: ReadyReport) => void;
  /** For a warning that no worker is there to log. */
  readonly warn: (text: string) => void;
}

export interface Supervisor {
  /** Resolves with the exit status once all have ended: theirs when a start fails; else 0, or 1 when something was cut. */
  readonly done: Promise<number>;
  /** Drains; called again it ends everything at once. */
  readonly stop: (signal: StopSignal) => void;
  readonly reload: () => void;
}

/** First wait before a worker is started again; doubles with each that does not live long. */
const BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** One that lived so long is no failed start. */
const LONG_LIFE_MS = 30_000;

const EXIT_FINE = 0;
const EXIT_CUT = 1;

interface Slot {
  readonly number: number;
  worker: Worker | null;
  /** Short lives in a row. */
  failures: number;
}

interface Worker extends Beating {
  readonly child: Child;
  readonly slot: Slot;
  readonly startedMs: number;
  readonly ask: (id: number, topic: Extract<Order, { kind: "ask" }>["topic"], argument: unknown) => void;
  isReady: boolean;
  /** It answered no ping any more, and was killed for it. */
  isHung: boolean;
}

export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { clock } = options;
  const slots: readonly Slot[] = Array.from({ length: options.workers }, (_, number) => ({
    number,
    worker: null,
    failures: 0,
  }));
  const gathering = createGathering<Worker>(clock);
  const locks = createLocks<Worker>(({ child }, name) => child.send({ kind: "granted", name }));
  const done = Promise.withResolvers<number>();
  /** What the first worker said: where it listens is where all do. */
  let first: ReadyReport | null = null;
  let isListening = false;
  let stopSignal: StopSignal | null = null;
  let exitCode = EXIT_FINE;
  let restarts = 0;
  let lastGood: unknown = null;
  const pendingStarts = new Set<() => void>();

  const running = (): readonly Worker[] => slots.flatMap(({ worker }) => (worker === null ? [] : [worker]));
  const ready = (): readonly Worker[] => running().filter(({ isReady }) => isReady);
  /** The oldest: one that has just been started has not seen what the others have told. */
  const leader = (): Worker | undefined => ready().toSorted((a, b) => a.startedMs - b.startedMs)[0];

  const tellState = (): void => {
    const leading = leader();
    const count = ready().length;
    for (const worker of running()) {
      worker.child.send({ kind: "state", isLeader: worker === leading, running: count, restarts });
    }
  };

  const log = (level: "info" | "warn", message: string, fields: Readonly<Record<string, string | number>>): void => {
    const teller = leader();
    if (teller !== undefined) teller.child.send({ kind: "log", level, message, fields });
    else if (level === "warn") options.warn(`${message} ${JSON.stringify(fields)}`);
  };

  const start = (slot: Slot): void => {
    if (stopSignal !== null) return;
    const order: StartOrder = {
      kind: "start",
      workers: options.workers,
      listenAddr: first?.address ?? null,
      metricsAddr: first?.metricsAddress ?? null,
      isTerminal: options.isTerminal,
      isFirst: first === null,
      lastGood,
    };
    let child: Child;
    try {
      child = options.spawn((report) => receive(worker, report));
    } catch (error) {
      // Want of processes or memory: it may pass.
      options.warn(`cannot start worker ${slot.number + 1}: ${error instanceof Error ? error.message : String(error)}`);
      startLater(slot);
      return;
    }
    const worker: Worker = {
      child,
      slot,
      startedMs: clock.nowMs(),
      ask: (id, topic, argument) => child.send({ kind: "ask", id, topic, argument }),
      ping: () => child.send({ kind: "ping" }),
      onHung: () => {
        worker.isHung = true;
        child.kill();
      },
      isReady: false,
      missedPings: 0,
      isHung: false,
    };
    slot.worker = worker;
    child.send(order);
    void child.exited.then((ending) => onExit(worker, ending));
  };

  const startLater = (slot: Slot): void => {
    const waitMs = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** slot.failures);
    slot.failures += 1;
    const cancel = clock.after(waitMs, () => {
      pendingStarts.delete(cancel);
      start(slot);
    });
    pendingStarts.add(cancel);
  };

  const cancelStarts = (): void => {
    for (const cancel of pendingStarts) cancel();
    pendingStarts.clear();
  };

  const receive = (worker: Worker, report: Report): void => {
    // What it said last comes after its end: it leads, locks and keeps no more.
    if (worker.slot.worker !== worker) return;
    switch (report.kind) {
      case "ready":
        return onReady(worker, report);
      case "gather": {
        const { id, topic, argument } = report;
        const tell = (answers: readonly unknown[]): void => {
          if (worker.slot.worker === worker) worker.child.send({ kind: "gathered", id, answers });
        };
        // Whatever a worker answers, it must not end the one who keeps them all.
        void gathering.gather(ready(), topic, argument).then(tell, () => tell([]));
        return;
      }
      case "answer":
        return gathering.answered(worker, report.id, report.answer);
      case "keep":
        lastGood = report.lastGood;
        return;
      case "lock":
        return locks.lock(worker, report.name);
      case "unlock":
        return locks.unlock(worker, report.name);
      case "pong":
        worker.missedPings = 0;
    }
  };

  const onReady = (worker: Worker, report: ReadyReport): void => {
    worker.isReady = true;
    if (first === null) {
      first = report;
      for (const slot of slots) if (slot.worker === null) start(slot);
    }
    tellState();
    if (isListening) {
      log("info", "worker started", { worker: worker.slot.number + 1, pid: worker.child.pid });
    } else if (stopSignal === null && ready().length === slots.length) {
      isListening = true;
      options.onListening(first);
      if (first.metricsAddress !== null) log("info", "metrics listening", { address: first.metricsAddress });
    }
  };

  const onExit = (worker: Worker, ending: Ending): void => {
    const { slot } = worker;
    slot.worker = null;
    gathering.forget(worker);
    locks.forget(worker);
    if (stopSignal !== null || !isListening) return onEnd(ending);
    restarts += 1;
    if (clock.nowMs() - worker.startedMs >= LONG_LIFE_MS) slot.failures = 0;
    tellState();
    const cause = worker.isHung ? "it hung" : (ending.signal ?? `exit ${ending.code}`);
    log("warn", "worker ended", { worker: slot.number + 1, pid: worker.child.pid, cause });
    startLater(slot);
  };

  /** A worker has ended that was told to, or before all were there. */
  const onEnd = ({ code }: Ending): void => {
    if (stopSignal === null) {
      // Whoever cannot start says why by itself; the others are not needed then.
      stopSignal = "SIGINT";
      exitCode = code === null || code === EXIT_FINE ? EXIT_CUT : code;
      cancelStarts();
      for (const { child } of running()) child.kill();
    } else if (code !== EXIT_FINE && exitCode === EXIT_FINE) exitCode = EXIT_CUT;
    if (running().length > 0) return;
    endHeartbeat();
    done.resolve(exitCode);
  };

  const endHeartbeat = startHeartbeat(clock, running);
  const [slot] = slots;
  if (slot !== undefined) start(slot);
  return {
    done: done.promise,
    reload: () => {
      for (const { child } of running()) child.send({ kind: "reload" });
    },
    stop: (signal) => {
      if (stopSignal !== null) {
        exitCode = EXIT_CUT;
        for (const { child } of running()) child.kill();
        return;
      }
      stopSignal = signal;
      cancelStarts();
      for (const { child } of running()) child.send({ kind: "stop", signal });
      if (running().length > 0) return;
      endHeartbeat();
      done.resolve(exitCode);
    },
  };
}
