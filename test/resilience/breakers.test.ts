import { describe, expect, test } from "bun:test";
import type { BreakerSettings } from "../../src/resilience/breaker.ts";
import { createBreakerGuard } from "../../src/resilience/breaker-guard.ts";
import {
  type BreakerAdmission,
  type Breakers,
  type BreakerTransition,
  createBreakers,
} from "../../src/resilience/breakers.ts";
import { createGuardLayer } from "../../src/resilience/guard.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { call, classification, messageOf, result, streaming, type TestResult } from "./support.ts";

const SETTINGS: BreakerSettings = {
  consecutiveFailures: 5,
  windowMs: 30_000,
  buckets: 10,
  failureRate: 0.5,
  minRequests: 20,
  openBaseMs: 5_000,
  openMaxMs: 60_000,
  halfOpenProbes: 1,
  probeLeaseMs: 30_000,
};

function create(maxModels?: number) {
  const clock = createFakeClock({ random: 0.5 });
  const transitions: string[] = [];
  const onTransition = ({ provider, model, to, reason }: BreakerTransition): void => {
    transitions.push(`${provider}/${model} ${to} ${reason}`);
  };
  const breakers = createBreakers({
    settings: () => SETTINGS,
    clock,
    onTransition,
    ...(maxModels === undefined ? {} : { maxModels }),
  });
  return { clock, breakers, transitions };
}

function ticketOf(admission: BreakerAdmission) {
  if (!admission.ok) throw new Error("not admitted");
  return admission;
}

function fail(breakers: Breakers, model: string, times: number, name: "server" | "connect" = "server"): void {
  for (let index = 0; index < times; index++) {
    const admission = breakers.admit("openai", model);
    if (admission.ok) admission.settle(classification(name));
  }
}

describe("breakers", () => {
  test("one model's failures shut that model and not its provider", () => {
    const { breakers, transitions } = create();
    fail(breakers, "a", 40);
    expect(breakers.view("openai", "a")).toMatchObject({ admits: false, waitMs: 5_000 });
    expect(breakers.view("openai", "b").admits).toBe(true);
    expect(transitions).toEqual(["openai/a open server"]);
  });

  test("failures of two models shut the provider by its window", () => {
    const { breakers, transitions, clock } = create();
    // Below five in a row for each model, so that only the provider's window fills.
    const models = ["a", "b", "c"];
    for (const model of models) fail(breakers, model, 4);
    for (const model of models) ticketOf(breakers.admit("openai", model)).settle(classification("ok"));
    clock.jump(1);
    fail(breakers, "a", 4);
    expect(transitions).toEqual([]);
    fail(breakers, "b", 1);
    expect(transitions).toEqual(["openai/ open server"]);
    expect(breakers.admit("openai", "d")).toMatchObject({ ok: false, scope: "provider" });
    expect(breakers.admit("anthropic", "d").ok).toBe(true);
  });

  test("being unable to connect shuts the provider at once, from one model alone", () => {
    const { breakers } = create();
    fail(breakers, "a", 5, "connect");
    expect(breakers.view("openai", "b")).toMatchObject({ admits: false, isClosed: false });
  });

  test("gives the model's probe slot back when the provider refuses", () => {
    const { breakers, clock } = create();
    fail(breakers, "a", 5);
    clock.jump(4_000);
    fail(breakers, "b", 5, "connect");
    clock.jump(1_500);
    expect(breakers.admit("openai", "a")).toMatchObject({ ok: false, scope: "provider" });
    clock.jump(5_000);
    expect(breakers.admit("openai", "a").ok).toBe(true);
  });

  test("counts an outcome once, and after a success one failure more", () => {
    const { breakers } = create();
    for (let index = 0; index < 5; index++) {
      const ticket = ticketOf(breakers.admit("openai", "a"));
      ticket.settle(classification("server"));
      ticket.settle(classification("server"));
      ticket.release();
      expect(breakers.view("openai", "a").admits).toBe(index < 4);
    }
    const stalled = create().breakers;
    const tickets = Array.from({ length: 5 }, () => ticketOf(stalled.admit("openai", "a")));
    for (const ticket of tickets) ticket.settle(classification("ok"));
    for (const ticket of tickets) {
      ticket.settle(classification("stalled"));
      ticket.settle(classification("stalled"));
    }
    expect(stalled.view("openai", "a").admits).toBe(false);
  });

  test("an aborted probe gives its slot back and stays half-open", () => {
    const { breakers, clock, transitions } = create();
    fail(breakers, "a", 5);
    clock.jump(5_000);
    ticketOf(breakers.admit("openai", "a")).settle(classification("aborted"));
    expect(breakers.view("openai", "a")).toMatchObject({ admits: true, isClosed: false });
    ticketOf(breakers.admit("openai", "a")).release();
    ticketOf(breakers.admit("openai", "a")).settle(classification("client"));
    expect(transitions).toEqual([
      "openai/a open server",
      "openai/a half_open open-time-passed",
      "openai/a closed client",
    ]);
  });

  test("a 503's Retry-After lengthens the open time, another failure's does not", () => {
    const { breakers } = create();
    const settle = (model: string, parts: object): void => {
      for (let index = 0; index < 5; index++)
        ticketOf(breakers.admit("openai", model)).settle(classification("server", parts));
    };
    settle("a", { lessLoad: true, retryAfterMs: 30_000 });
    settle("b", { retryAfterMs: 30_000 });
    expect(breakers.view("openai", "a").waitMs).toBe(30_000);
    expect(breakers.view("openai", "b").waitMs).toBe(5_000);
  });

  test("forgets the closed breaker used longest ago, never one that is not closed", () => {
    const { breakers } = create(3);
    fail(breakers, "bad", 5);
    for (const model of ["a", "b", "c", "d"]) breakers.admit("openai", model);
    const models = breakers.list().map(({ model }) => model);
    expect(models).toEqual(["", "bad", "c", "d"]);
    expect(breakers.view("openai", "bad").admits).toBe(false);
  });

  test("a client that names endless models makes no endless list", () => {
    const { breakers } = create();
    for (let index = 0; index < 2_000; index++) {
      ticketOf(breakers.admit("openai", `model-${index}`)).settle(classification("no_model", { breaker: "answered" }));
    }
    expect(breakers.list().length).toBe(257);
  });
});

describe("breaker guard", () => {
  const build = (breakers: Breakers, send: () => Promise<TestResult>) =>
    createGuardLayer(
      createBreakerGuard<string, TestResult>({
        breakers,
        upstreamOf: (model) => ({ provider: "openai", model }),
        refuse: (_model, { scope, waitMs }) => result("local", {}, `${scope} ${waitMs}`),
      }),
    )(send);

  test("refuses without sending, and counts nothing for it", async () => {
    const { breakers } = create();
    let sent = 0;
    const dispatch = build(breakers, async () => {
      sent++;
      return result("server");
    });
    for (let index = 0; index < 8; index++) await dispatch("a", call());
    expect(sent).toBe(5);
    expect((await dispatch("a", call())).label).toBe("model 5000");
  });

  test("gives the probe slot back on a throw", async () => {
    const { breakers, clock } = create();
    fail(breakers, "a", 5);
    clock.jump(5_000);
    const dispatch = build(breakers, () => Promise.reject(new Error("defect")));
    expect(await messageOf(dispatch("a", call()))).toBe("defect");
    expect(breakers.view("openai", "a").admits).toBe(true);
  });

  test("records a stream's success at first content and its stall at the end", async () => {
    const { breakers, clock } = create();
    const streams = Array.from({ length: 5 }, () => streaming());
    let next = 0;
    const dispatch = build(breakers, async () => streams[next++]?.result ?? result("ok"));
    for (let index = 0; index < 5; index++) await dispatch("a", call());
    for (const { end } of streams) end(classification("stalled"));
    expect(breakers.view("openai", "a").admits).toBe(false);
    clock.jump(5_000);
    await dispatch("a", call());
    expect(breakers.view("openai", "a").isClosed).toBe(true);
  });
});
