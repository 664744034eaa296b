/** All layers composed over an upstream that misbehaves: what must hold whatever it does. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { followAbort, type Signal } from "../../src/base/abort.ts";
import { createAttempts } from "../../src/resilience/attempts.ts";
import type { BreakerSettings } from "../../src/resilience/breaker.ts";
import { createBreakerGuard } from "../../src/resilience/breaker-guard.ts";
import { createBreakers } from "../../src/resilience/breakers.ts";
import { createBudget } from "../../src/resilience/budget.ts";
import { createBulkhead, createBulkheadGuard } from "../../src/resilience/bulkhead.ts";
import { type Call, compose, type Dispatch } from "../../src/resilience/dispatch.ts";
import { createGuardLayer } from "../../src/resilience/guard.ts";
import { createHedge, judgeByClass } from "../../src/resilience/hedge.ts";
import { createRetry } from "../../src/resilience/retry.ts";
import { createTimeout } from "../../src/resilience/timeout.ts";
import type { Attempts } from "../../src/resilience/attempts.ts";
import { createFakeClock, type FakeClock, settle } from "../support/fake-clock.ts";
import { classification, createCountingController, result, streaming, type TestResult } from "./support.ts";

interface TestRequest {
  readonly model: string;
  readonly attempts: Attempts;
}

type Fault = "ok" | "stream" | "stall" | "server" | "connect" | "stale" | "rate" | "client" | "hang" | "throw" | "slow";

const BREAKER: BreakerSettings = {
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

interface Setup {
  readonly fault: () => Fault;
  readonly breaker?: Partial<BreakerSettings>;
  readonly hedgeAfterMs?: number | null;
  readonly maxRetries?: number;
}

/** An upstream and its full stack. `stats` counts what the invariants are about. */
function createStack(clock: FakeClock, setup: Setup) {
  const stats = { sent: 0, firstTries: 0, retries: 0, hedges: 0, openBodies: 0, mostProbes: 0 };
  const probes = new Map<string, number>();
  const breakerSettings = { ...BREAKER, ...setup.breaker };
  const breakers = createBreakers({ settings: () => breakerSettings, clock, onTransition: () => undefined });
  const bulkhead = createBulkhead(() => ({ limit: 8, queueDepth: 4, queueTimeoutMs: 500 }), clock);
  const retryBudget = createBudget({ ratio: 0.2, ttlMs: 10_000, reservePerSecond: 3, reserveMax: 3 }, clock);
  const hedgeBudget = createBudget({ ratio: 0.02, ttlMs: 60_000, reservePerSecond: 1 / 60, reserveMax: 1 }, clock);

  const send: Dispatch<TestRequest, TestResult> = async (request, call) => {
    if (request.attempts.start() === null) return result("local", {}, "attempts");
    stats.sent++;
    if (call.leg === "primary" && call.retry === 0) {
      stats.firstTries++;
      hedgeBudget.deposit();
    }
    const isProbe = !breakers.view("openai", request.model).isClosed;
    const addProbe = (change: number): void => {
      const count = (probes.get(request.model) ?? 0) + change;
      probes.set(request.model, count);
      stats.mostProbes = Math.max(stats.mostProbes, count);
    };
    if (isProbe) addProbe(1);
    try {
      return await answer(setup.fault(), call);
    } finally {
      if (isProbe) addProbe(-1);
    }
  };
  const answer = async (fault: Fault, call: Call): Promise<TestResult> => {
    switch (fault) {
      case "hang":
        await waitOrAbort(clock, 100_000, call.signal);
        return result("aborted");
      case "slow":
        await waitOrAbort(clock, 1_500, call.signal);
        return call.signal.aborted ? result("aborted") : openBody(false, call);
      case "stream":
      case "stall":
        return openBody(fault === "stall", call);
      case "rate":
        return result("rate", { retryAfterMs: 700 });
      case "stale":
        return call.afterStale === true ? result("connect") : result("stale_conn");
      case "throw":
        throw new Error("defect");
      default:
        return result(fault);
    }
  };
  /** A body that ends by itself after a while, earlier when its signal aborts. */
  const openBody = (isStalled: boolean, call: Call): TestResult => {
    const { result: stream, end } = streaming();
    stats.openBodies++;
    let isOpen = true;
    const close = (later: "stalled" | null): void => {
      if (!isOpen) return;
      isOpen = false;
      stats.openBodies--;
      link.release();
      cancel();
      end(later === null ? null : classification(later));
    };
    const cancel = clock.after(2_000, () => close(isStalled ? "stalled" : null));
    const link = followAbort(call.signal, { onAbort: () => close(null) });
    return stream;
  };

  const dispatch = compose<TestRequest, TestResult>(
    createRetry<TestRequest, TestResult>({
      clock,
      settings: () => ({
        maxRetries: setup.maxRetries ?? 2,
        baseMs: 200,
        capMs: 5_000,
        throttleBaseMs: 1_000,
        throttleCapMs: 8_000,
        isTimeoutRetried: false,
        retryAfterPatienceMs: 5_000,
        retryAfterCapMs: 60_000,
      }),
      budget: () => retryBudget,
      attempts: ({ attempts }) => attempts,
      entry: () => "offered",
      isReplayable: () => true,
      onRetry: () => stats.retries++,
      discard: () => undefined,
    }),
    createHedge<TestRequest, TestResult>({
      clock,
      delayMs: () => setup.hedgeAfterMs ?? null,
      second: (request, _call, next) => {
        const isCalm = breakers.view("openai", request.model).isClosed && bulkhead.load() < 0.8;
        if (!isCalm || !request.attempts.allowsExtra() || hedgeBudget.available() < 1) return null;
        return retryBudget.withdraw() && hedgeBudget.withdraw() ? { request, dispatch: next } : null;
      },
      judge: judgeByClass,
      discard: () => undefined,
      onLaunch: () => stats.hedges++,
      onFinish: () => undefined,
    }),
    createGuardLayer(
      createBreakerGuard<TestRequest, TestResult>({
        breakers,
        upstreamOf: ({ model }) => ({ provider: "openai", model }),
        refuse: () => result("local", {}, "open"),
      }),
      createBulkheadGuard<TestRequest, TestResult>({
        bulkheadOf: () => bulkhead,
        mayQueue: () => true,
        refuse: (_request, reason) => result("local", {}, reason),
      }),
    ),
    createTimeout<TestRequest, TestResult>({
      clock,
      limitMs: () => 3_000,
      stopped: (_request, reason) => result(reason === "aborted" ? "aborted" : "timeout", {}, reason),
      discard: () => undefined,
    }),
  )(send);
  return { stats, breakers, bulkhead, dispatch };
}

function waitOrAbort(clock: FakeClock, ms: number, signal: Signal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      link.release();
      resolve();
    };
    const cancel = clock.after(ms, finish);
    const link = followAbort(signal, { onAbort: finish });
    if (signal.aborted) finish();
  });
}

const FAULTS: readonly Fault[] = [
  "ok",
  "stream",
  "stall",
  "server",
  "connect",
  "stale",
  "rate",
  "client",
  "hang",
  "throw",
  "slow",
];

describe("the composed layers", () => {
  test("a total outage costs at most 1.2 times the offered load and the reserve", async () => {
    const clock = createFakeClock();
    // The breakers are held closed: the budget alone has to keep the bound.
    const never = { consecutiveFailures: 1e9, minRequests: 1e9 };
    const { dispatch, stats } = createStack(clock, { fault: () => "server", breaker: never, maxRetries: 5 });
    const seconds = 60;
    const perSecond = 40;
    const running: Promise<TestResult>[] = [];
    for (let index = 0; index < seconds * perSecond; index++) {
      const signal = new AbortController().signal;
      const deadlineMs = clock.nowMs() + 60_000;
      running.push(
        dispatch({ model: "a", attempts: createAttempts(6, 0) }, { signal, deadlineMs, retry: 0, leg: "primary" }),
      );
      await clock.advance(1_000 / perSecond);
    }
    await clock.advance(60_000);
    const outcomes = await Promise.all(running);
    const offered = seconds * perSecond;
    expect(outcomes.every(({ classification: { class: name } }) => name === "server")).toBe(true);
    expect(stats.firstTries).toBe(offered);
    expect(stats.sent).toBeGreaterThan(offered * 1.1);
    expect(stats.sent).toBeLessThanOrEqual(offered * 1.2 + 3 * (seconds + 60) + 3);
  });

  test("with breakers a total outage costs next to nothing", async () => {
    const clock = createFakeClock();
    const { dispatch, stats } = createStack(clock, { fault: () => "server" });
    for (let index = 0; index < 1_200; index++) {
      void dispatch(
        { model: "a", attempts: createAttempts(6, 0) },
        { signal: new AbortController().signal, deadlineMs: clock.nowMs() + 60_000, retry: 0, leg: "primary" },
      );
      await clock.advance(50);
    }
    expect(stats.sent).toBeLessThan(30);
  });

  test("hedges add at most two in a hundred to the first tries, and one a minute", async () => {
    const clock = createFakeClock();
    const { dispatch, stats } = createStack(clock, { fault: () => "slow", hedgeAfterMs: 500 });
    for (let index = 0; index < 600; index++) {
      void dispatch(
        { model: "a", attempts: createAttempts(6, 0) },
        { signal: new AbortController().signal, deadlineMs: clock.nowMs() + 60_000, retry: 0, leg: "primary" },
      );
      await clock.advance(900);
    }
    await clock.advance(10_000);
    const minutes = (600 * 0.9) / 60;
    expect(stats.hedges).toBeGreaterThan(3);
    expect(stats.hedges).toBeLessThanOrEqual(0.02 * stats.firstTries + minutes + 1);
  });

  test("whatever happens, each call ends once, in time and within its attempts, and nothing is left behind", async () => {
    const step = fc.record({
      fault: fc.constantFrom(...FAULTS),
      afterMs: fc.integer({ min: 0, max: 1_200 }),
      abortsAfterMs: fc.option(fc.integer({ min: 0, max: 4_000 }), { freq: 3 }),
      maxAttempts: fc.integer({ min: 1, max: 6 }),
      model: fc.constantFrom("a", "b"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.boolean(), async (steps, hedges) => {
        const clock = createFakeClock();
        let next = 0;
        const fault = (): Fault => steps[next++ % steps.length]?.fault ?? "ok";
        const { dispatch, stats, bulkhead, breakers } = createStack(clock, {
          fault,
          hedgeAfterMs: hedges ? 300 : null,
        });
        const signals: (() => number)[] = [];
        let ended = 0;
        for (const { afterMs, abortsAfterMs, maxAttempts, model } of steps) {
          const { controller, listeners } = createCountingController();
          signals.push(listeners);
          const attempts = createAttempts(maxAttempts, 0);
          const deadlineMs = clock.nowMs() + 10_000;
          const call: Call = { signal: controller.signal, deadlineMs, retry: 0, leg: "primary" };
          const onEnd = (): void => {
            ended++;
            expect(clock.nowMs()).toBeLessThanOrEqual(deadlineMs + 1_000);
            expect(attempts.used()).toBeLessThanOrEqual(maxAttempts);
          };
          void dispatch({ model, attempts }, call).then(onEnd, onEnd);
          if (abortsAfterMs !== null) clock.after(abortsAfterMs, () => controller.abort("gone"));
          await clock.advance(afterMs);
        }
        await clock.advance(120_000);
        await settle();
        expect(ended).toBe(steps.length);
        expect({
          inFlight: bulkhead.inFlight(),
          queued: bulkhead.queued(),
          timers: clock.pending(),
          bodies: stats.openBodies,
          listeners: signals.reduce((sum, listeners) => sum + listeners(), 0),
        }).toEqual({ inFlight: 0, queued: 0, timers: 0, bodies: 0, listeners: 0 });
        expect(stats.mostProbes).toBeLessThanOrEqual(1);
        // No probe slot is held: whatever is not closed admits again at the latest after its open time.
        clock.jump(60_000);
        expect([breakers.view("openai", "a").admits, breakers.view("openai", "b").admits]).toEqual([true, true]);
      }),
      { numRuns: 60 },
    );
  });
});
