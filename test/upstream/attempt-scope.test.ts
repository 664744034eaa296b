import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/base/errors.ts";
import type { GatewayEvent } from "../../src/base/events.ts";
import { openAttemptScope } from "../../src/upstream/attempt-scope.ts";
import { classified } from "../../src/upstream/classify.ts";
import type { FailedAnswer, UpstreamRequest } from "../../src/upstream/upstream.ts";
import { createFakeClock } from "../support/fake-clock.ts";

function setUp() {
  const clock = createFakeClock();
  const events: GatewayEvent[] = [];
  const parent = new AbortController();
  const record = { attempts: [], wallMs: clock.wallMs() };
  const request = {
    record,
    model: "m",
    provider: "openai",
    format: { name: "chat" },
    continues: false,
  } as unknown as UpstreamRequest;
  const scope = openAttemptScope({ clock, emit: (event) => void events.push(event) }, request, {
    signal: parent.signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    retry: 0,
    leg: "primary",
  });
  const failedBy = (cause: unknown, hadHeaders: boolean): FailedAnswer => scope.failedBy(request, cause, hadHeaders);
  return { clock, events, parent, scope, failedBy };
}

describe("an attempt", () => {
  test("ends once: the first way counts, its listeners hear once", () => {
    const { scope, events, clock } = setUp();
    const heard: unknown[] = [];
    scope.onEnd((later) => heard.push(later));
    clock.jump(25);
    scope.finish(classified("ok"), null);
    scope.finish(classified("broken"), new GatewayError("upstream-invalid", "later"));
    expect(scope.attempt).toMatchObject({ class: "ok", ms: 25, failure: null, number: 1 });
    expect(heard).toEqual([null]);
    expect(events.map(({ type }) => type)).toEqual(["attempt-started", "attempt-finished"]);
    scope.onEnd((later) => heard.push(later));
    expect(heard).toEqual([null, null]);
  });

  test("tells listeners of a failure after its first content", () => {
    const { scope } = setUp();
    const heard: unknown[] = [];
    scope.onEnd((later) => heard.push(later));
    scope.finish(classified("stalled"), null);
    expect(heard).toMatchObject([{ class: "stalled", breaker: "failure" }]);
  });

  const reasons: readonly (readonly [reason: unknown, outcome: string, kind: string])[] = [
    [new DOMException("attempt stopped", "TimeoutError"), "timeout", "upstream-timeout"],
    [new DOMException("gone", "AbortError"), "aborted", "client-closed"],
    [new GatewayError("deadline", "spent"), "aborted", "deadline"],
    [new GatewayError("draining", "bye"), "aborted", "draining"],
    ["hedge-lost", "aborted", "client-closed"],
  ];
  for (const [reason, outcome, kind] of reasons) {
    test(`aborted by ${reason instanceof Error ? reason.name + " " + reason.message : String(reason)} is ${outcome} at that moment`, () => {
      const { scope, parent, failedBy } = setUp();
      parent.abort(reason);
      expect(scope.attempt).toMatchObject({ class: outcome, ms: 0 });
      expect(scope.signal.aborted).toBe(true);
      // What the client throws afterwards tells the same.
      const failed = failedBy(new Error("aborted"), false);
      expect(failed).toMatchObject({ classification: { class: outcome }, error: { kind } });
    });
  }

  test("a reset right after sending is a stale connection once, then a failure to connect", () => {
    const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
    expect(setUp().failedBy(reset, false).classification).toMatchObject({
      class: "stale_conn",
      retry: "at-once",
    });
    const { failedBy, clock } = setUp();
    clock.jump(1_500);
    expect(failedBy(reset, false).classification.class).toBe("connect");
    expect(setUp().failedBy(reset, true).classification.class).toBe("broken");
  });

  test("keeps the reason that judging found when its stream is let go", () => {
    const { scope } = setUp();
    scope.attempt.failure = "not JSON";
    scope.finish(classified("invalid"), null);
    expect(scope.attempt).toMatchObject({ class: "invalid", failure: "not JSON" });
  });
});
