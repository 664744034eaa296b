import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Admit,
  admitToBreaker,
  type BreakerOutcome,
  type BreakerSettings,
  type BreakerState,
  CLOSED,
  stepBreaker,
  viewBreaker,
} from "../../src/resilience/breaker.ts";

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
const MIDDLE = (): number => 0.5;
const FAILURE: BreakerOutcome = { kind: "failure", retryAfterMs: null, source: null };
const SUCCESS: BreakerOutcome = { kind: "success" };

/** A breaker with its state kept, for reading tests. */
function createBreaker(settings = SETTINGS) {
  let state: BreakerState = CLOSED;
  return {
    state: () => state,
    admit: (nowMs: number): Admit | null => {
      const step = admitToBreaker(state, nowMs, settings);
      state = step.state;
      return step.admit;
    },
    settle: (admit: Admit | null, outcome: BreakerOutcome, nowMs: number): void => {
      if (admit !== null) state = stepBreaker(state, admit, outcome, nowMs, settings, MIDDLE);
    },
    attempt(outcome: BreakerOutcome, nowMs: number): boolean {
      const admit = this.admit(nowMs);
      this.settle(admit, outcome, nowMs);
      return admit !== null;
    },
  };
}

function openUntil(state: BreakerState): number {
  return state.kind === "open" ? state.untilMs : Number.NaN;
}

describe("breaker", () => {
  test("opens at the fifth failure in a row, and not when a success lies between", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 4; index++) breaker.attempt(FAILURE, 0);
    breaker.attempt(SUCCESS, 0);
    for (let index = 0; index < 4; index++) breaker.attempt(FAILURE, 0);
    expect(breaker.state().kind).toBe("closed");
    breaker.attempt(FAILURE, 0);
    expect(openUntil(breaker.state())).toBe(5_000);
  });

  test("opens at half the window's outcomes from 20 on", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 9; index++) {
      breaker.attempt(FAILURE, index);
      breaker.attempt(SUCCESS, index);
    }
    breaker.attempt(SUCCESS, 10);
    expect(breaker.state().kind).toBe("closed");
    breaker.attempt(FAILURE, 11);
    expect(breaker.state().kind).toBe("open");
  });

  test("forgets what is older than the window", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 9; index++) {
      breaker.attempt(FAILURE, 0);
      breaker.attempt(SUCCESS, 0);
    }
    breaker.attempt(SUCCESS, 31_000);
    breaker.attempt(FAILURE, 31_000);
    expect(breaker.state().kind).toBe("closed");
  });

  test.each<[BreakerOutcome["kind"]]>([["neutral"], ["answered"], ["throttled"]])(
    "does not count %s outcomes while closed",
    (kind) => {
      const breaker = createBreaker();
      for (let index = 0; index < 50; index++) breaker.attempt({ kind } as BreakerOutcome, 0);
      expect(breaker.state()).toEqual(CLOSED);
    },
  );

  test("refuses while open, then lets one probe through and no more", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, 0);
    expect(breaker.admit(4_999)).toBeNull();
    expect(breaker.admit(5_000)).not.toBeNull();
    expect(breaker.state().kind).toBe("half_open");
    expect(breaker.admit(5_001)).toBeNull();
  });

  test.each<[BreakerOutcome, BreakerState["kind"]]>([
    [SUCCESS, "closed"],
    [{ kind: "answered" }, "closed"],
    [FAILURE, "open"],
    [{ kind: "throttled" }, "open"],
    [{ kind: "neutral" }, "half_open"],
  ])("a probe that ends as %j leaves it %s", (outcome, kind) => {
    const breaker = createBreaker();
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, 0);
    breaker.attempt(outcome, 5_000);
    expect(breaker.state().kind).toBe(kind);
    if (kind === "half_open") expect(breaker.admit(5_001)).not.toBeNull();
  });

  test("doubles the open time with each re-opening, up to the maximum, and starts anew after a close", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, 0);
    const times: number[] = [];
    let nowMs = openUntil(breaker.state());
    for (let index = 0; index < 5; index++) {
      breaker.attempt(FAILURE, nowMs);
      times.push(openUntil(breaker.state()) - nowMs);
      nowMs = openUntil(breaker.state());
    }
    expect(times).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    breaker.attempt(SUCCESS, nowMs);
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, nowMs);
    expect(openUntil(breaker.state()) - nowMs).toBe(5_000);
  });

  test("a Retry-After lengthens the open time, never beyond the maximum and never shortens it", () => {
    for (const [retryAfterMs, openMs] of [
      [20_000, 20_000],
      [Number.POSITIVE_INFINITY, 60_000],
      [1_000, 5_000],
    ] as const) {
      const breaker = createBreaker();
      for (let index = 0; index < 5; index++) breaker.attempt({ kind: "failure", retryAfterMs, source: null }, 0);
      expect(openUntil(breaker.state())).toBe(openMs);
    }
  });

  test("spreads the open time by a fifth both ways", () => {
    const openMs = (random: number): number => {
      let state: BreakerState = { ...CLOSED, failuresInRow: 4 } as BreakerState;
      state = stepBreaker(state, { generation: 0, probe: null }, FAILURE, 0, SETTINGS, () => random);
      return openUntil(state);
    };
    expect(openMs(0)).toBeCloseTo(4_000);
    expect(openMs(1)).toBeCloseTo(6_000);
  });

  test("ignores outcomes of attempts begun before the last change", () => {
    const breaker = createBreaker();
    const early = breaker.admit(0);
    const late = breaker.admit(0);
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, 0);
    const probe = breaker.admit(5_000);
    breaker.settle(early, SUCCESS, 5_001);
    expect(breaker.state().kind).toBe("half_open");
    breaker.settle(late, FAILURE, 5_001);
    expect(breaker.state().kind).toBe("half_open");
    breaker.settle(probe, SUCCESS, 5_002);
    expect(breaker.state().kind).toBe("closed");
  });

  test("takes the slot back from a probe whose lease has run out", () => {
    const breaker = createBreaker();
    for (let index = 0; index < 5; index++) breaker.attempt(FAILURE, 0);
    breaker.admit(5_000);
    expect(breaker.admit(34_999)).toBeNull();
    expect(breaker.admit(35_000)).not.toBeNull();
  });

  test("failures of one source count only in the window, and only beside another's", () => {
    const breaker = createBreaker();
    const from = (source: string): BreakerOutcome => ({ kind: "failure", retryAfterMs: null, source });
    for (let index = 0; index < 40; index++) breaker.attempt(from("a"), 0);
    expect(breaker.state().kind).toBe("closed");
    breaker.attempt(from("b"), 0);
    expect(breaker.state().kind).toBe("open");
  });

  test("does as a naive model over any sequence, and admits one probe at most", () => {
    const command = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ do: "admit" } as const) },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("settle" as const),
          pick: fc.nat(),
          kind: fc.constantFrom<BreakerOutcome["kind"]>(
            "success",
            "failure",
            "failure",
            "failure",
            "neutral",
            "answered",
            "throttled",
          ),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        const settings = { ...SETTINGS, consecutiveFailures: 3, minRequests: 6 };
        const breaker = createBreaker(settings);
        const model = createModel(settings);
        const open: { readonly real: Admit; readonly model: ModelTicket }[] = [];
        let nowMs = 0;
        for (const step of commands) {
          if (step.do === "wait") nowMs += step.ms;
          else if (step.do === "admit") {
            const real = breaker.admit(nowMs);
            const expected = model.admit(nowMs);
            expect(real !== null).toBe(expected !== null);
            if (real !== null && expected !== null) open.push({ real, model: expected });
          } else if (open.length > 0) {
            const [ticket] = open.splice(step.pick % open.length, 1);
            if (ticket === undefined) continue;
            const outcome = step.kind === "failure" ? FAILURE : ({ kind: step.kind } as BreakerOutcome);
            breaker.settle(ticket.real, outcome, nowMs);
            model.settle(ticket.model, step.kind, nowMs);
          }
          expect(viewBreaker(breaker.state(), nowMs, settings).kind).toBe(model.kind(nowMs));
          const state = breaker.state();
          if (state.kind === "half_open") {
            expect(state.probes.filter(({ leaseUntilMs }) => leaseUntilMs > nowMs).length).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  test("is closed again within the longest open time and a lease after the upstream has healed, given traffic", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ ms: fc.integer({ min: 0, max: 20_000 }), kind: fc.constantFrom("failure", "throttled", "lost") }),
          { maxLength: 60 },
        ),
        (outage) => {
          const breaker = createBreaker();
          let nowMs = 0;
          for (const { ms, kind } of outage) {
            nowMs += ms;
            const admit = breaker.admit(nowMs);
            // A lost attempt never tells how it ended.
            if (kind !== "lost") breaker.settle(admit, kind === "failure" ? FAILURE : { kind: "throttled" }, nowMs);
          }
          const healedMs = nowMs;
          while (breaker.state().kind !== "closed") {
            nowMs += 500;
            breaker.attempt(SUCCESS, nowMs);
            expect(nowMs - healedMs).toBeLessThanOrEqual(SETTINGS.openMaxMs + SETTINGS.probeLeaseMs + 500);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface ModelTicket {
  readonly generation: number;
  readonly isProbe: boolean;
  readonly atMs: number;
}

/** The same rules with every outcome kept and everything counted anew each time. Open times at the middle of the jitter. */
function createModel(settings: BreakerSettings) {
  let generation = 0;
  let kind: BreakerState["kind"] = "closed";
  let outcomes: { readonly atMs: number; readonly isSuccess: boolean }[] = [];
  let inRow = 0;
  let openings = 0;
  let untilMs = 0;
  let probes: ModelTicket[] = [];
  const change = (to: BreakerState["kind"]): void => {
    kind = to;
    generation++;
    probes = [];
    outcomes = [];
    inRow = 0;
  };
  const open = (nowMs: number): void => {
    untilMs = nowMs + Math.min(settings.openMaxMs, settings.openBaseMs * 2 ** openings);
    openings++;
    change("open");
  };
  return {
    kind: (nowMs: number): BreakerState["kind"] => (kind === "open" && nowMs >= untilMs ? "half_open" : kind),
    admit: (nowMs: number): ModelTicket | null => {
      if (kind === "open" && nowMs >= untilMs) change("half_open");
      if (kind === "open") return null;
      const ticket = { generation, isProbe: kind === "half_open", atMs: nowMs };
      if (kind === "closed") return ticket;
      probes = probes.filter(({ atMs }) => atMs + settings.probeLeaseMs > nowMs);
      if (probes.length > 0) return null;
      probes.push(ticket);
      return ticket;
    },
    settle: (ticket: ModelTicket, outcome: BreakerOutcome["kind"], nowMs: number): void => {
      if (ticket.generation !== generation) return;
      if (kind === "half_open") {
        if (outcome === "success" || outcome === "answered") {
          openings = 0;
          change("closed");
        } else if (outcome === "neutral") probes = probes.filter((probe) => probe !== ticket);
        else open(nowMs);
        return;
      }
      if (outcome !== "success" && outcome !== "failure") return;
      const bucketMs = settings.windowMs / settings.buckets;
      const isSuccess = outcome === "success";
      outcomes.push({ atMs: nowMs, isSuccess });
      inRow = isSuccess ? 0 : inRow + 1;
      const oldest = Math.floor(nowMs / bucketMs) - settings.buckets;
      const recent = outcomes.filter(({ atMs }) => Math.floor(atMs / bucketMs) > oldest);
      const failures = recent.filter(({ isSuccess: good }) => !good).length;
      const isTripped = recent.length >= settings.minRequests && failures / recent.length >= settings.failureRate;
      if (!isSuccess && (inRow >= settings.consecutiveFailures || isTripped)) open(nowMs);
    },
  };
}
