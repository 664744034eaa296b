/** A supervisor over processes that only a test knows, on a clock that stands still. */
import type { Order, Report } from "../../src/supervisor/messages.ts";
import { startSupervisor, type Child, type Ending } from "../../src/supervisor/supervisor.ts";
import { createFakeClock } from "../support/fake-clock.ts";

export interface FakeChild {
  readonly pid: number;
  /** Orders so far, by kind. */
  readonly orders: (kind?: Order["kind"]) => readonly Order[];
  readonly report: (report: Report) => void;
  readonly ready: (address?: string, metricsAddress?: string | null) => void;
  readonly end: (ending?: Partial<Ending>) => Promise<void>;
  readonly isKilled: () => boolean;
}

export function openSupervisor(workers = 2) {
  const clock = createFakeClock();
  const children: FakeChild[] = [];
  const said: string[] = [];
  let refusals = 0;
  const spawn = (onReport: (report: Report) => void): Child => {
    if (refusals > 0) {
      refusals -= 1;
      throw new Error("no room for a process");
    }
    const orders: Order[] = [];
    const exited = Promise.withResolvers<Ending>();
    let isKilled = false;
    const pid = 100 + children.length;
    children.push({
      pid,
      orders: (kind) => orders.filter((order) => kind === undefined || order.kind === kind),
      report: onReport,
      ready: (address = "127.0.0.1:8080", metricsAddress = null) =>
        onReport({ kind: "ready", address, metricsAddress, providers: "providers ready" }),
      end: async (ending = {}) => {
        exited.resolve({ code: ending.signal === undefined ? 0 : null, signal: null, ...ending });
        await clock.advance(0);
      },
      isKilled: () => isKilled,
    });
    return {
      pid,
      send: (order) => void orders.push(order),
      kill: () => {
        isKilled = true;
      },
      exited: exited.promise,
    };
  };
  const supervisor = startSupervisor({
    clock,
    workers,
    isTerminal: false,
    spawn,
    onListening: ({ address }) => void said.push(`listening on ${address}`),
    warn: (text) => void said.push(text),
  });
  let exitCode: number | null = null;
  void supervisor.done.then((code) => {
    exitCode = code;
  });
  return {
    clock,
    supervisor,
    children,
    said,
    exitCode: () => exitCode,
    /** The next so many starts fail. */
    refuse: (count: number) => {
      refusals = count;
    },
    child: (index: number): FakeChild => {
      const found = children[index];
      if (found === undefined) throw new Error(`no child ${index} was started`);
      return found;
    },
    /** All of the first ones are ready. */
    begin: (): void => {
      for (let index = 0; index < workers; index += 1) children[index]?.ready();
    },
  };
}
