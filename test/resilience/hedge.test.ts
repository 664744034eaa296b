import { describe, expect, test } from "bun:test";
import type { Call, Dispatch } from "../../src/resilience/dispatch.ts";
import { createHedge, HEDGE_LOST, hedgeDelayMs, judgeByClass, type LegVerdict } from "../../src/resilience/hedge.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { call, messageOf, result, streaming, type TestResult } from "./support.ts";

interface Leg {
  readonly call: Call;
  readonly resolve: (result: TestResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Setup {
  readonly mayHedge?: boolean;
  readonly judge?: (result: TestResult) => LegVerdict | Promise<LegVerdict>;
}

function create(setup: Setup = {}) {
  const clock = createFakeClock();
  const legs: Leg[] = [];
  const log: string[] = [];
  const send: Dispatch<string, TestResult> = (_request, given) =>
    new Promise((resolve, reject) => legs.push({ call: given, resolve, reject }));
  const layer = createHedge<string, TestResult>({
    clock,
    delayMs: () => 800,
    second: (request, _call, next) => (setup.mayHedge === false ? null : { request: `${request}-2`, dispatch: next }),
    judge: setup.judge ?? judgeByClass,
    discard: ({ label }) => log.push(`discard ${label}`),
    onLaunch: (_request, afterMs) => log.push(`launch ${afterMs}`),
    onFinish: (_request, winner) => log.push(`finish ${winner}`),
  });
  const controller = new AbortController();
  const running = layer(send)("request", call({ signal: controller.signal }));
  return { clock, legs, log, controller, running };
}

describe("hedge", () => {
  test("launches no second leg for an answer that comes in time", async () => {
    const { clock, legs, log, running } = create();
    await clock.advance(799);
    legs[0]?.resolve(result("ok", {}, "first"));
    expect((await running).label).toBe("first");
    await clock.advance(5_000);
    expect(legs.length).toBe(1);
    expect(log).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test("an answer that fails before the delay is delivered without a second leg", async () => {
    const { clock, legs, running } = create();
    legs[0]?.resolve(result("server"));
    expect((await running).label).toBe("server");
    expect(clock.pending()).toBe(0);
  });

  test("the first leg with content wins, the other is aborted at once and let go when it comes", async () => {
    const { clock, legs, log, running } = create();
    await clock.advance(800);
    expect(legs.map(({ call: { leg } }) => leg)).toEqual(["primary", "hedge"]);
    legs[1]?.resolve(result("ok", {}, "second"));
    expect((await running).label).toBe("second");
    expect(legs[0]?.call.signal.reason).toBe(HEDGE_LOST);
    legs[0]?.resolve(result("ok", {}, "late"));
    await settle();
    expect(log).toEqual(["launch 800", "finish hedge", "discard late"]);
  });

  test("a failed leg waits for the other", async () => {
    const { clock, legs, log, running } = create();
    await clock.advance(800);
    legs[0]?.resolve(result("server", {}, "bad"));
    await settle();
    legs[1]?.resolve(result("ok", {}, "good"));
    expect((await running).label).toBe("good");
    expect(log).toEqual(["launch 800", "discard bad", "finish hedge"]);
  });

  test("an answer that the client has to see ends both legs", async () => {
    const { clock, legs, running } = create();
    await clock.advance(800);
    legs[0]?.resolve(result("client"));
    expect((await running).label).toBe("client");
    expect(legs[1]?.call.signal.aborted).toBe(true);
  });

  test("when both fail the last to end is delivered, unless it was never sent", async () => {
    const both = create();
    await both.clock.advance(800);
    both.legs[1]?.resolve(result("server", {}, "hedge"));
    await settle();
    both.legs[0]?.resolve(result("server", {}, "primary"));
    expect((await both.running).label).toBe("primary");
    expect(both.log).toEqual(["launch 800", "discard hedge", "finish failed"]);

    const unsent = create();
    await unsent.clock.advance(800);
    unsent.legs[0]?.resolve(result("server", {}, "primary"));
    await settle();
    unsent.legs[1]?.resolve(result("local"));
    expect((await unsent.running).label).toBe("primary");
  });

  test("does without the second leg where it is not allowed", async () => {
    const { clock, legs, running, log } = create({ mayHedge: false });
    await clock.advance(10_000);
    expect(legs.length).toBe(1);
    legs[0]?.resolve(result("ok"));
    await running;
    expect(log).toEqual([]);
  });

  test("with validators the first valid answer wins, not the first", async () => {
    const verdicts = new Map<string, (verdict: LegVerdict) => void>();
    const judge = ({ label }: TestResult): Promise<LegVerdict> =>
      new Promise((resolve) => verdicts.set(label, resolve));
    const { clock, legs, running } = create({ judge });
    await clock.advance(800);
    legs[0]?.resolve(result("ok", {}, "invalid"));
    legs[1]?.resolve(result("ok", {}, "valid"));
    await settle();
    verdicts.get("invalid")?.("fails");
    await settle();
    verdicts.get("valid")?.("wins");
    expect((await running).label).toBe("valid");
  });

  test("the client's leaving aborts both legs, and no leg starts after it", async () => {
    const both = create();
    await both.clock.advance(800);
    both.controller.abort("gone");
    expect(both.legs.map(({ call: { signal } }) => signal.reason)).toEqual(["gone", "gone"]);
    const one = create();
    one.controller.abort("gone");
    await one.clock.advance(1_000);
    expect(one.legs.length).toBe(1);
  });

  test("the winner's body still obeys the client until it ends, and then nothing is held", async () => {
    const { clock, legs, controller, running } = create();
    const { result: stream, end } = streaming();
    await clock.advance(800);
    legs[1]?.resolve(stream);
    await running;
    const signal = legs[1]?.call.signal;
    expect(signal?.aborted).toBe(false);
    end(null);
    controller.abort("gone");
    expect(signal?.aborted).toBe(false);
  });

  test("one leg's defect does not cost the other's answer; two defects are told", async () => {
    const one = create();
    await one.clock.advance(800);
    one.legs[0]?.reject(new Error("defect"));
    await settle();
    one.legs[1]?.resolve(result("ok", {}, "good"));
    expect((await one.running).label).toBe("good");
    const two = create();
    await two.clock.advance(800);
    const outcome = messageOf(two.running);
    two.legs[0]?.reject(new Error("first"));
    two.legs[1]?.reject(new Error("second"));
    expect(await outcome).toBe("first");
  });

  test("lets go of an answer whose judge failed", async () => {
    const { legs, running, log } = create({ judge: () => Promise.reject(new Error("defect")) });
    legs[0]?.resolve(result("ok", {}, "unjudged"));
    expect(await messageOf(running)).toBe("defect");
    expect(log).toEqual(["discard unjudged"]);
  });

  test("clamps a p95 and does without one that is not known", () => {
    const bounds = { afterMinMs: 500, afterMaxMs: 10_000 };
    expect([null, 100, 2_000, 60_000].map((p95) => hedgeDelayMs(p95, bounds))).toEqual([null, 500, 2_000, 10_000]);
  });
});
