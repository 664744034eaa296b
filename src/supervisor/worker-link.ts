/** A worker's end of the channel to the supervisor. */
import type { Exclusively } from "../observe/append-file.ts";
import type { ReadyReport, Order, Report, StartOrder, StateOrder, StopSignal } from "./messages.ts";
import { createAnswers, type Peers } from "./peers.ts";

/** The channel that a spawned process has to its parent. */
export interface Channel {
  readonly send: (report: Report) => void;
  readonly onOrder: (take: (order: Order) => void) => void;
  /** Called when the supervisor is gone. */
  readonly onGone: (run: () => void) => void;
}

export interface WorkerLink {
  readonly start: StartOrder;
  /** What was told last of all workers. */
  readonly state: () => Omit<StateOrder, "kind">;
  readonly peers: Peers;
  /** Runs `work` while no other worker runs its own under this name; `isHeld` false: that cannot be promised any more. */
  readonly exclusively: (name: string) => Exclusively;
  /** Hands over what is in force, for workers that are started later. */
  readonly keep: (lastGood: unknown) => void;
  /** Says that it serves. A reload that came before runs now: what it began with has been kept. */
  readonly ready: (report: Omit<ReadyReport, "kind">) => void;
  /** `reason` is the signal, or `supervisor gone`. Called at once when that was before. */
  readonly onStop: (stop: (reason: StopSignal | "supervisor gone") => void) => void;
  readonly onReload: (reload: () => void) => void;
  readonly onLog: (log: (order: Extract<Order, { kind: "log" }>) => void) => void;
}

/** Resolves once the supervisor has said how to begin; null when it is gone before. */
export function openWorkerLink(channel: Channel): Promise<WorkerLink | null> {
  const answers = createAnswers();
  const gathers = new Map<number, (answers: readonly unknown[] | null) => void>();
  const grants = new Map<string, (isHeld: boolean) => void>();
  let lastId = 0;
  let isGone = false;
  let isReady = false;
  let isReloadDue = false;
  let state: Omit<StateOrder, "kind"> = { isLeader: false, running: 1, restarts: 0 };
  let stopReason: StopSignal | "supervisor gone" | null = null;
  let onStop: (reason: StopSignal | "supervisor gone") => void = () => undefined;
  let onReload: () => void = () => undefined;
  let onLog: (order: Extract<Order, { kind: "log" }>) => void = () => undefined;

  const stop = (reason: StopSignal | "supervisor gone"): void => {
    if (stopReason !== null) return;
    stopReason = reason;
    onStop(reason);
  };

  const gather = async (topic: Parameters<Peers["gather"]>[0], argument: unknown): Promise<readonly unknown[]> => {
    const gathered = isGone
      ? null
      : await new Promise<readonly unknown[] | null>((resolve) => {
          lastId += 1;
          gathers.set(lastId, resolve);
          channel.send({ kind: "gather", id: lastId, topic, argument });
        });
    return gathered ?? answers.ask(topic, argument);
  };

  const exclusively =
    (name: string): Exclusively =>
    async (work) => {
      const isHeld = !isGone && (await askFor(name));
      try {
        return await work(isHeld);
      } finally {
        if (isHeld && !isGone) channel.send({ kind: "unlock", name });
      }
    };

  const askFor = (name: string): Promise<boolean> =>
    new Promise((resolve) => {
      grants.set(name, resolve);
      channel.send({ kind: "lock", name });
    });

  const began = Promise.withResolvers<WorkerLink | null>();
  channel.onOrder((order) => {
    switch (order.kind) {
      case "start":
        began.resolve({
          start: order,
          state: () => state,
          peers: { gather: gather as Peers["gather"], answer: answers.set },
          exclusively,
          keep: (lastGood) => channel.send({ kind: "keep", lastGood }),
          ready: (report) => {
            channel.send({ kind: "ready", ...report });
            isReady = true;
            if (isReloadDue) onReload();
          },
          onStop: (run) => {
            onStop = run;
            if (stopReason !== null) run(stopReason);
          },
          onReload: (run) => {
            onReload = run;
          },
          onLog: (run) => {
            onLog = run;
          },
        });
        return;
      case "state":
        state = order;
        return;
      case "stop":
        return stop(order.signal);
      case "reload":
        if (isReady) onReload();
        else isReloadDue = true;
        return;
      case "ask":
        void answers.ask(order.topic, order.argument).then(
          ([answer]) => channel.send({ kind: "answer", id: order.id, answer }),
          () => channel.send({ kind: "answer", id: order.id, answer: undefined }),
        );
        return;
      case "gathered":
        gathers.get(order.id)?.(order.answers);
        gathers.delete(order.id);
        return;
      case "granted":
        grants.get(order.name)?.(true);
        grants.delete(order.name);
        return;
      case "log":
        return onLog(order);
      case "ping":
        return channel.send({ kind: "pong" });
    }
  });
  channel.onGone(() => {
    isGone = true;
    began.resolve(null);
    for (const resolve of gathers.values()) resolve(null);
    gathers.clear();
    for (const resolve of grants.values()) resolve(false);
    grants.clear();
    stop("supervisor gone");
  });
  return began.promise;
}
