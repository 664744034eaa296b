import { describe, expect, test } from "bun:test";
import { openSupervisor } from "./support.ts";

describe("the start", () => {
  test("begins with one, and the others listen where that one got to", () => {
    const { children, child, said } = openSupervisor(3);
    expect(children).toHaveLength(1);
    expect(child(0).orders("start")).toMatchObject([{ workers: 3, listenAddr: null, isFirst: true, lastGood: null }]);
    child(0).ready("127.0.0.1:41234", "127.0.0.1:9100");
    expect(children).toHaveLength(3);
    for (const other of [child(1), child(2)]) {
      expect(other.orders("start")).toMatchObject([
        { listenAddr: "127.0.0.1:41234", metricsAddr: "127.0.0.1:9100", isFirst: false },
      ]);
    }
    child(1).ready();
    expect(said).toEqual([]);
    child(2).ready();
    expect(said).toEqual(["listening on 127.0.0.1:41234"]);
    expect(child(0).orders("log")).toMatchObject([{ message: "metrics listening" }]);
  });

  test("fails with the exit status of the first one, and starts no other", async () => {
    const { children, child, exitCode } = openSupervisor();
    await child(0).end({ code: 2 });
    expect(exitCode()).toBe(2);
    expect(children).toHaveLength(1);
  });

  test("fails when a later one does, and ends those that are there", async () => {
    const { child, exitCode, said } = openSupervisor();
    child(0).ready();
    await child(1).end({ code: 2 });
    expect(child(0).isKilled()).toBe(true);
    expect(exitCode()).toBeNull();
    await child(0).end({ signal: "SIGKILL" });
    expect(exitCode()).toBe(2);
    expect(said).toEqual([]);
  });

  test("that fails leaves no start for later", async () => {
    const { clock, children, child, exitCode, refuse } = openSupervisor(3);
    refuse(2);
    child(0).ready();
    expect(children).toHaveLength(1);
    await child(0).end({ code: 2 });
    expect(exitCode()).toBe(2);
    await clock.advance(60_000);
    expect(children).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });

  test("that a signal comes into ends as it is told", async () => {
    const { supervisor, children, child, exitCode } = openSupervisor();
    supervisor.stop("SIGTERM");
    child(0).ready();
    expect(children).toHaveLength(1);
    expect(child(0).orders("stop")).toHaveLength(1);
    await child(0).end();
    expect(exitCode()).toBe(0);
  });
});

describe("a worker that ends by itself", () => {
  test("is started again after a moment, twice as long with each short life, 30 s at most", async () => {
    const { clock, children, child, begin } = openSupervisor();
    begin();
    for (const waitMs of [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]) {
      const before = children.length;
      await child(before - 1).end({ signal: "SIGSEGV" });
      await clock.advance(waitMs - 1);
      expect(children).toHaveLength(before);
      await clock.advance(1);
      expect(children).toHaveLength(before + 1);
    }
  });

  test("after a long life is started again at once", async () => {
    const { clock, children, child, begin } = openSupervisor();
    begin();
    await child(1).end({ code: 1 });
    await clock.advance(100);
    child(2).ready();
    await clock.advance(20_000);
    child(0).report({ kind: "pong" });
    child(2).report({ kind: "pong" });
    await clock.advance(10_000);
    await child(2).end({ code: 1 });
    await clock.advance(100);
    expect(children).toHaveLength(4);
  });

  test("is counted, and told by one that lives", async () => {
    const { clock, child, begin } = openSupervisor();
    begin();
    expect(child(0).orders("state").at(-1)).toMatchObject({ isLeader: true, running: 2, restarts: 0 });
    expect(child(1).orders("state").at(-1)).toMatchObject({ isLeader: false, running: 2, restarts: 0 });
    await child(0).end({ code: 7 });
    expect(child(1).orders("state").at(-1)).toMatchObject({ isLeader: true, running: 1, restarts: 1 });
    expect(child(1).orders("log")).toMatchObject([
      { level: "warn", message: "worker ended", fields: { worker: 1, pid: 100, cause: "exit 7" } },
    ]);
    await clock.advance(100);
    child(2).ready();
    // Who has been there longer leads: the new one has not seen what was told.
    expect(child(2).orders("state").at(-1)).toMatchObject({ isLeader: false, running: 2, restarts: 1 });
    expect(child(1).orders("log").at(-1)).toMatchObject({ level: "info", message: "worker started" });
  });

  test("is told on standard error when none is left to log it", async () => {
    const { child, begin, said } = openSupervisor();
    begin();
    await child(0).end({ signal: "SIGKILL" });
    await child(1).end({ signal: "SIGKILL" });
    expect(said.at(-1)).toBe('worker ended {"worker":2,"pid":101,"cause":"SIGKILL"}');
  });

  test("is started with what was in force last", async () => {
    const { clock, child, begin } = openSupervisor();
    begin();
    child(0).report({ kind: "keep", lastGood: { files: ["first"] } });
    child(1).report({ kind: "keep", lastGood: { files: ["second"] } });
    await child(0).end({ code: 1 });
    await clock.advance(100);
    expect(child(2).orders("start")).toMatchObject([{ lastGood: { files: ["second"] }, isFirst: false }]);
  });

  test("that cannot be started for now is tried again", async () => {
    const { clock, children, child, begin, refuse, said } = openSupervisor();
    begin();
    refuse(2);
    await child(1).end({ code: 1 });
    await clock.advance(100);
    await clock.advance(200);
    expect(children).toHaveLength(2);
    expect(said.filter((text) => text.includes("no room for a process"))).toHaveLength(2);
    await clock.advance(400);
    expect(children).toHaveLength(3);
  });
});

test("what a worker said last, and that comes after its end, counts no more", async () => {
  const { clock, child, begin, said } = openSupervisor();
  begin();
  await child(1).end({ signal: "SIGKILL" });
  child(1).report({ kind: "keep", lastGood: { files: ["late"] } });
  child(1).report({ kind: "lock", name: "ledger" });
  child(1).ready();
  expect(child(0).orders("state").at(-1)).toMatchObject({ running: 1 });
  await clock.advance(100);
  expect(child(2).orders("start")).toMatchObject([{ lastGood: null }]);
  child(2).ready();
  child(2).report({ kind: "lock", name: "ledger" });
  expect(child(2).orders("granted")).toHaveLength(1);
  expect(said).toHaveLength(1);
});

describe("a worker whose event loop hangs", () => {
  test("is killed once it has answered no ping for half a minute, and told so", async () => {
    const { clock, child, begin } = openSupervisor();
    begin();
    for (let ping = 0; ping < 6; ping += 1) {
      await clock.advance(5000);
      child(0).report({ kind: "pong" });
      expect(child(1).isKilled()).toBe(false);
    }
    await clock.advance(5000);
    expect(child(1).isKilled()).toBe(true);
    expect(child(0).isKilled()).toBe(false);
    await child(1).end({ signal: "SIGKILL" });
    expect(child(0).orders("log")).toMatchObject([{ message: "worker ended", fields: { cause: "it hung" } }]);
  });
});

describe("the stop", () => {
  test.each([
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 1],
  ])("waits for all: ends of %i and %i are %i", async (first, second, together) => {
    const { supervisor, child, begin, exitCode } = openSupervisor();
    begin();
    supervisor.stop("SIGTERM");
    expect(child(0).orders("stop")).toEqual([{ kind: "stop", signal: "SIGTERM" }]);
    expect(child(1).orders("stop")).toEqual([{ kind: "stop", signal: "SIGTERM" }]);
    await child(0).end({ code: first });
    expect(exitCode()).toBeNull();
    await child(1).end({ code: second });
    expect(exitCode()).toBe(together);
  });

  test("leaves no timer behind, and starts nothing again", async () => {
    const { clock, supervisor, children, child, begin, exitCode } = openSupervisor();
    begin();
    await child(0).end({ code: 1 });
    supervisor.stop("SIGINT");
    await child(1).end();
    expect(exitCode()).toBe(0);
    expect(clock.pending()).toBe(0);
    expect(children).toHaveLength(2);
  });

  test("told a second time kills: exit 1", async () => {
    const { supervisor, child, begin, exitCode } = openSupervisor();
    begin();
    supervisor.stop("SIGTERM");
    supervisor.stop("SIGTERM");
    expect(child(0).isKilled() && child(1).isKilled()).toBe(true);
    await child(0).end({ signal: "SIGKILL" });
    await child(1).end({ signal: "SIGKILL" });
    expect(exitCode()).toBe(1);
  });
});

test("a reload is handed to all", () => {
  const { supervisor, child, begin } = openSupervisor();
  begin();
  supervisor.reload();
  expect([child(0), child(1)].map((each) => each.orders("reload"))).toEqual([
    [{ kind: "reload" }],
    [{ kind: "reload" }],
  ]);
});

describe("what a worker asks of all", () => {
  test("comes back when all have answered", async () => {
    const { clock, child, begin } = openSupervisor();
    begin();
    child(0).report({ kind: "gather", id: 7, topic: "request", argument: "req_ar_1" });
    const [asked] = child(1).orders("ask");
    expect(asked).toMatchObject({ topic: "request", argument: "req_ar_1" });
    const id = asked !== undefined && "id" in asked ? asked.id : 0;
    child(0).report({ kind: "answer", id, answer: null });
    await clock.advance(0);
    expect(child(0).orders("gathered")).toEqual([]);
    child(1).report({ kind: "answer", id, answer: { id: "req_ar_1" } });
    await clock.advance(0);
    expect(child(0).orders("gathered")).toEqual([{ kind: "gathered", id: 7, answers: [null, { id: "req_ar_1" }] }]);
  });

  test("comes back without one that takes half a second, and without one that ends", async () => {
    const { clock, child, begin } = openSupervisor(3);
    begin();
    child(0).report({ kind: "gather", id: 1, topic: "request", argument: "x" });
    const asked = child(0).orders("ask")[0];
    const id = asked !== undefined && "id" in asked ? asked.id : 0;
    child(0).report({ kind: "answer", id, answer: "own" });
    await child(1).end({ signal: "SIGKILL" });
    expect(child(0).orders("gathered")).toEqual([]);
    await clock.advance(500);
    expect(child(0).orders("gathered")).toEqual([{ kind: "gathered", id: 1, answers: ["own"] }]);
    // Too late.
    child(2).report({ kind: "answer", id, answer: "late" });
    await clock.advance(0);
    expect(child(0).orders("gathered")).toHaveLength(1);
  });

  test("comes back with nothing when the answers cannot be put together", async () => {
    const { clock, child, begin } = openSupervisor();
    begin();
    child(0).report({ kind: "gather", id: 3, topic: "metrics", argument: null });
    const asked = child(0).orders("ask")[0];
    const id = asked !== undefined && "id" in asked ? asked.id : 0;
    for (const index of [0, 1]) child(index).report({ kind: "answer", id, answer: [{ name: "x", aggregator: "sum" }] });
    await clock.advance(0);
    expect(child(0).orders("gathered")).toEqual([{ kind: "gathered", id: 3, answers: [] }]);
  });
});

test("a lock is given to one at a time, and taken from one that ends", async () => {
  const { child, begin } = openSupervisor(3);
  begin();
  for (const index of [1, 0, 2]) child(index).report({ kind: "lock", name: "ledger" });
  child(2).report({ kind: "lock", name: "log" });
  expect(child(1).orders("granted")).toEqual([{ kind: "granted", name: "ledger" }]);
  expect(child(0).orders("granted")).toEqual([]);
  expect(child(2).orders("granted")).toEqual([{ kind: "granted", name: "log" }]);
  await child(1).end({ signal: "SIGKILL" });
  expect(child(0).orders("granted")).toHaveLength(1);
  child(0).report({ kind: "unlock", name: "ledger" });
  expect(child(2).orders("granted")).toHaveLength(2);
});
