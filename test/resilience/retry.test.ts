import { describe, expect, test } from "bun:test";
import { type Attempts, createAttempts } from "../../src/resilience/attempts.ts";
import { createBudget } from "../../src/resilience/budget.ts";
import { createRetry, type Entry, type RetryNotice, type RetrySettings } from "../../src/resilience/retry.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { call, result, type TestResult } from "./support.ts";

const SETTINGS: RetrySettings = {
  maxRetries: 2,
  baseMs: 200,
  capMs: 5_000,
  throttleBaseMs: 1_000,
  throttleCapMs: 8_000,
  isTimeoutRetried: false,
  retryAfterPatienceMs: 5_000,
  retryAfterCapMs: 60_000,
};

interface Setup {
  readonly settings?: Partial<RetrySettings>;
  readonly attempts?: Attempts;
  readonly isReplayable?: boolean;
  readonly entry?: Entry;
  readonly reserve?: number;
  readonly random?: number;
}

/** A retry layer over a script of results; the last one repeats. */
function create(script: readonly TestResult[], setup: Setup = {}) {
  const clock = createFakeClock({ random: setup.random ?? 0.5 });
  const attempts = setup.attempts ?? createAttempts(6, 0);
  const reserve = setup.reserve ?? 100;
  const budget = createBudget({ ratio: 0.2, ttlMs: 10_000, reservePerSecond: 0, reserveMax: reserve }, clock);
  const notices: RetryNotice[] = [];
  const discarded: string[] = [];
  const sentAtMs: number[] = [];
  const startMs = clock.nowMs();
  const layer = createRetry<string, TestResult>({
    clock,
    settings: () => ({ ...SETTINGS, ...setup.settings }),
    budget: () => budget,
    attempts: () => attempts,
    entry: () => setup.entry ?? "offered",
    isReplayable: () => setup.isReplayable ?? true,
    onRetry: (_request, notice) => notices.push(notice),
    discard: ({ label }) => discarded.push(label),
  });
  const dispatch = layer(async () => {
    sentAtMs.push(clock.nowMs() - startMs);
    const next = script[Math.min(sentAtMs.length, script.length) - 1] ?? result("ok");
    if (next.classification.class !== "local") attempts.start();
    return next;
  });
  const run = async (
    controller = new AbortController(),
    deadlineMs = Number.POSITIVE_INFINITY,
  ): Promise<TestResult> => {
    const running = dispatch("request", call({ signal: controller.signal, deadlineMs }));
    await clock.advance(600_000);
    return running;
  };
  return { clock, attempts, budget, notices, discarded, sentAtMs, run, dispatch };
}

describe("retry", () => {
  test("tries twice more with growing full-jitter waits, then delivers the last answer", async () => {
    const layer = create([result("server", {}, "1"), result("server", {}, "2"), result("server", {}, "3")]);
    expect((await layer.run()).label).toBe("3");
    expect(layer.sentAtMs).toEqual([0, 100, 300]);
    expect(layer.discarded).toEqual(["1", "2"]);
    expect(layer.notices.map(({ retry, waitMs }) => [retry, waitMs])).toEqual([
      [1, 100],
      [2, 200],
    ]);
  });

  test("stops at the first good answer", async () => {
    const layer = create([result("connect"), result("ok")]);
    expect((await layer.run()).label).toBe("ok");
    expect(layer.sentAtMs.length).toBe(2);
  });

  test.each(["client", "context", "quota", "auth", "policy", "timeout", "aborted", "local", "no_model"] as const)(
    "does not retry %s",
    async (name) => {
      const layer = create([result(name)]);
      await layer.run();
      expect(layer.sentAtMs).toEqual([0]);
    },
  );

  test("retries a timeout only where it was asked for", async () => {
    const layer = create([result("timeout"), result("ok")], { settings: { isTimeoutRetried: true } });
    expect((await layer.run()).label).toBe("ok");
  });

  test("uses the longer base and equal jitter where less load was asked for", async () => {
    const layer = create([result("rate"), result("server", { lessLoad: true }), result("ok")], { random: 0 });
    await layer.run();
    expect(layer.sentAtMs).toEqual([0, 500, 1_500]);
  });

  test("honours a Retry-After, up to a tenth late", async () => {
    const layer = create([
      result("rate", { retryAfterMs: 1_200 }),
      result("rate", { retryAfterMs: 1_200 }),
      result("ok"),
    ]);
    await layer.run();
    expect(layer.sentAtMs).toEqual([0, 1_260, 2_520]);
  });

  test("waits no longer than its patience while another candidate remains", async () => {
    const long = create([result("rate", { retryAfterMs: 5_001 })], { attempts: createAttempts(6, 1) });
    await long.run();
    expect(long.sentAtMs).toEqual([0]);
    const short = create([result("rate", { retryAfterMs: 5_000 }), result("ok")], { attempts: createAttempts(6, 1) });
    await short.run();
    expect(short.sentAtMs.length).toBe(2);
  });

  test("waits on Retry-After no longer than the cap over all the request", async () => {
    const layer = create([result("rate", { retryAfterMs: 40_000 })]);
    await layer.run();
    expect(layer.sentAtMs.length).toBe(2);
    expect(layer.attempts.waitedMs()).toBe(40_000);
  });

  test("never waits for an infinite Retry-After", async () => {
    const layer = create([result("rate", { retryAfterMs: Number.POSITIVE_INFINITY })]);
    await layer.run();
    expect(layer.sentAtMs).toEqual([0]);
  });

  test("leaves an attempt for each candidate still to come", async () => {
    const layer = create([result("server")], { settings: { maxRetries: 5 }, attempts: createAttempts(6, 3) });
    await layer.run();
    expect(layer.attempts.used()).toBe(3);
  });

  test("tries a stale connection again once, at once, beside limit and budget; a second one counts as connect", async () => {
    const once = create([result("stale_conn"), result("ok")], { settings: { maxRetries: 0 }, reserve: 0 });
    expect((await once.run()).label).toBe("ok");
    expect(once.sentAtMs).toEqual([0, 0]);
    const twice = create([result("stale_conn"), result("stale_conn"), result("ok")]);
    expect((await twice.run()).label).toBe("ok");
    expect(twice.sentAtMs).toEqual([0, 0, 100]);
    const never = create([result("stale_conn")], { settings: { maxRetries: 0 } });
    await never.run();
    expect(never.sentAtMs).toEqual([0, 0]);
  });

  test("sends a request with side effects again only when nothing was sent", async () => {
    const sent = create([result("connect")], { isReplayable: false });
    await sent.run();
    expect(sent.sentAtMs).toEqual([0]);
    const stale = create([result("stale_conn")], { isReplayable: false });
    await stale.run();
    expect(stale.sentAtMs).toEqual([0]);
    const unsent = create([result("connect", { unsent: true }), result("ok")], { isReplayable: false });
    await unsent.run();
    expect(unsent.sentAtMs.length).toBe(2);
  });

  test("does not wait past the deadline", async () => {
    const layer = create([result("server")]);
    await layer.run(new AbortController(), layer.clock.nowMs() + 150);
    expect(layer.sentAtMs).toEqual([0, 100]);
  });

  test("ends a backoff when the client leaves, with no try and no timer after it", async () => {
    const layer = create([result("rate", { retryAfterMs: 4_000 })]);
    const controller = new AbortController();
    const running = layer.dispatch("request", call({ signal: controller.signal }));
    await layer.clock.advance(100);
    expect(layer.clock.pending()).toBe(1);
    controller.abort("gone");
    expect((await running).label).toBe("rate");
    expect(layer.clock.pending()).toBe(0);
    expect(layer.sentAtMs.length).toBe(1);
  });

  test("keeps the upstream's last answer when a later try is not sent", async () => {
    const layer = create([result("server", {}, "real"), result("local")]);
    expect((await layer.run()).label).toBe("real");
    expect(layer.discarded).toEqual(["local"]);
  });

  test("an empty budget ends the retries; a charged fallback is never refused", async () => {
    const empty = create([result("server")], { reserve: 0 });
    await empty.run();
    expect(empty.sentAtMs).toEqual([0]);
    const charged = create([result("server")], { reserve: 1, entry: "charged" });
    await charged.run();
    expect(charged.sentAtMs).toEqual([0]);
    expect(charged.budget.available()).toBe(0);
  });

  test("deposits for each first try that was sent, and for none that was not", async () => {
    for (const [name, tokens] of [
      ["ok", 1],
      ["local", 0],
    ] as const) {
      const layer = create([result(name)], { reserve: 0 });
      for (let index = 0; index < 5; index++) await layer.dispatch("request", call());
      expect(layer.budget.available()).toBe(tokens);
    }
  });

  test("tells each try its number", async () => {
    const clock = createFakeClock();
    const seen: [number, boolean][] = [];
    const layer = createRetry<string, TestResult>({
      clock,
      settings: () => SETTINGS,
      budget: () => createBudget({ ratio: 1, ttlMs: 1, reservePerSecond: 1, reserveMax: 9 }, clock),
      attempts: () => createAttempts(6, 0),
      entry: () => "offered",
      isReplayable: () => true,
      onRetry: () => undefined,
      discard: () => undefined,
    });
    const running = layer(async (_request, { retry, afterStale }) => {
      seen.push([retry, afterStale === true]);
      return seen.length === 1 ? result("stale_conn") : result("server");
    })("request", call());
    await clock.advance(60_000);
    await running;
    expect(seen).toEqual([
      [0, false],
      [1, true],
      [2, false],
      [3, false],
    ]);
  });
});
