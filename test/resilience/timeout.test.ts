import { describe, expect, test } from "bun:test";
import { createDeadline } from "../../src/resilience/deadline.ts";
import type { Call } from "../../src/resilience/dispatch.ts";
import { createTimeout } from "../../src/resilience/timeout.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { call, result, streaming, type TestResult } from "./support.ts";

function create(limitMs: number, deadlineInMs = Number.POSITIVE_INFINITY) {
  const clock = createFakeClock();
  const discarded: string[] = [];
  const given: Call[] = [];
  const answer = Promise.withResolvers<TestResult>();
  const layer = createTimeout<string, TestResult>({
    clock,
    limitMs: () => limitMs,
    stopped: (_request, reason, afterMs) => result("timeout", {}, `${reason} ${afterMs}`),
    discard: ({ label }) => discarded.push(label),
  });
  const controller = new AbortController();
  const running = layer((_request, attempt) => {
    given.push(attempt);
    return answer.promise;
  })("request", call({ signal: controller.signal, deadlineMs: clock.nowMs() + deadlineInMs }));
  return { clock, discarded, answer, controller, running, attempt: () => given[0] };
}

describe("timeout", () => {
  test("ends the attempt at its limit, aborts it, and lets go of what comes late", async () => {
    const { clock, running, answer, attempt, discarded } = create(300);
    await clock.advance(300);
    expect((await running).label).toBe("limit 300");
    expect(attempt()?.signal.aborted).toBe(true);
    answer.resolve(result("ok", {}, "late"));
    await settle();
    expect(discarded).toEqual(["late"]);
  });

  test("says that it was the deadline, when that is nearer", async () => {
    const { clock, running } = create(300, 200);
    await clock.advance(200);
    expect((await running).label).toBe("deadline 200");
  });

  test("answers at once when the client leaves, whatever the attempt does", async () => {
    const { running, controller, attempt, clock } = create(300);
    controller.abort("gone");
    expect((await running).label).toBe("aborted 0");
    expect(attempt()?.signal.reason).toBe("gone");
    expect(clock.pending()).toBe(0);
  });

  test("an answer in time leaves no timer, and its body still obeys the client until its end", async () => {
    const { clock, running, answer, controller, attempt } = create(300);
    const { result: stream, end } = streaming();
    answer.resolve(stream);
    await running;
    expect(clock.pending()).toBe(0);
    controller.abort("gone");
    expect(attempt()?.signal.aborted).toBe(true);
    end(null);
  });

  test("without a limit or deadline nothing is armed", async () => {
    const { clock, running, answer } = create(0);
    expect(clock.pending()).toBe(0);
    answer.resolve(result("ok"));
    expect((await running).label).toBe("ok");
  });
});

describe("deadline", () => {
  test("is one absolute instant that calls once, or never when cleared", async () => {
    const clock = createFakeClock();
    let calls = 0;
    const deadline = createDeadline(clock, 1_000, () => calls++);
    createDeadline(clock, 1_000, () => calls++).clear();
    await clock.advance(400);
    expect([deadline.remainingMs(), deadline.isSpent()]).toEqual([600, false]);
    await clock.advance(5_000);
    expect([deadline.remainingMs(), deadline.isSpent(), calls, clock.pending()]).toEqual([0, true, 1, 0]);
  });

  test("of 0 is none", () => {
    const clock = createFakeClock();
    const deadline = createDeadline(clock, 0, () => undefined);
    expect([deadline.atMs, clock.pending()]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });
});
