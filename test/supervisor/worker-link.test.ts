import { describe, expect, test } from "bun:test";
import type { Order, Report } from "../../src/supervisor/messages.ts";
import { openWorkerLink, type WorkerLink } from "../../src/supervisor/worker-link.ts";

const START: Order = {
  kind: "start",
  workers: 2,
  listenAddr: null,
  metricsAddr: null,
  isTerminal: false,
  isFirst: true,
  lastGood: null,
};

async function open() {
  const reports: Report[] = [];
  let order: (order: Order) => void = () => undefined;
  let gone: () => void = () => undefined;
  const opening = openWorkerLink({
    send: (report) => void reports.push(report),
    onOrder: (take) => {
      order = take;
    },
    onGone: (run) => {
      gone = run;
    },
  });
  order(START);
  const link = await opening;
  if (link === null) throw new Error("it began");
  return { link, reports, order, gone };
}

const stops = (link: WorkerLink): string[] => {
  const reasons: string[] = [];
  link.onStop((reason) => void reasons.push(reason));
  return reasons;
};

describe("the end of the supervisor", () => {
  test("stops the worker, once", async () => {
    const { link, order, gone } = await open();
    const reasons = stops(link);
    gone();
    order({ kind: "stop", signal: "SIGTERM" });
    expect(reasons).toEqual(["supervisor gone"]);
  });

  test("before the worker began: there is nothing to begin", async () => {
    let gone: () => void = () => undefined;
    const opening = openWorkerLink({
      send: () => undefined,
      onOrder: () => undefined,
      onGone: (run) => {
        gone = run;
      },
    });
    gone();
    expect(await opening).toBeNull();
  });

  test("leaves nobody waiting: what is asked is answered alone, and a lock is not held", async () => {
    const { link, gone } = await open();
    link.peers.answer("request", (id) => ({ id }));
    const found = link.peers.gather("request", "a");
    const held = link.exclusively("ledger")((isHeld) => Promise.resolve(isHeld));
    gone();
    expect(await found).toEqual([{ id: "a" }]);
    expect(await held).toBe(false);
    expect(await link.peers.gather("request", "b")).toEqual([{ id: "b" }]);
    expect(await link.exclusively("ledger")((isHeld) => Promise.resolve(isHeld))).toBe(false);
  });
});

test("a stop that came before anybody listened is told", async () => {
  const { link, order } = await open();
  order({ kind: "stop", signal: "SIGINT" });
  expect(stops(link)).toEqual(["SIGINT"]);
});

test("a reload that came while the worker began is run once it is ready, after what it keeps", async () => {
  const { link, reports, order } = await open();
  const kinds: string[] = [];
  order({ kind: "reload" });
  link.onReload(() => void kinds.push("reload", ...reports.map(({ kind }) => kind)));
  order({ kind: "reload" });
  expect(kinds).toEqual([]);
  link.keep({ files: [] });
  link.ready({ address: "127.0.0.1:8080", metricsAddress: null, providers: "providers ready" });
  expect(kinds).toEqual(["reload", "keep", "ready"]);
  order({ kind: "reload" });
  expect(kinds.filter((kind) => kind === "reload")).toHaveLength(2);
});

test("answers what it is asked, and says nothing while it does not know", async () => {
  const { link, reports, order } = await open();
  order({ kind: "ask", id: 1, topic: "request", argument: "early" });
  link.peers.answer("request", (id) => (id === "a" ? { id } : null));
  order({ kind: "ask", id: 2, topic: "request", argument: "a" });
  order({ kind: "ping" });
  await Bun.sleep(0);
  expect(reports).toContainEqual({ kind: "answer", id: 1, answer: undefined });
  expect(reports).toContainEqual({ kind: "answer", id: 2, answer: { id: "a" } });
  expect(reports).toContainEqual({ kind: "pong" });
});

test("runs what is exclusive when it is granted, and gives the lock back, also after a throw", async () => {
  const { link, reports, order } = await open();
  const ran: boolean[] = [];
  const first = link.exclusively("ledger")(async (isHeld) => {
    ran.push(isHeld);
    throw new Error("the disk is full");
  });
  await Bun.sleep(0);
  expect(ran).toEqual([]);
  order({ kind: "granted", name: "ledger" });
  expect(await first.catch(String)).toBe("Error: the disk is full");
  expect(ran).toEqual([true]);
  expect(reports).toEqual([
    { kind: "lock", name: "ledger" },
    { kind: "unlock", name: "ledger" },
  ]);
});
