import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type GateEvent, type GateSettings, type GateState, HOLDING, stepGate, tickGate } from "../../src/heal/gate.ts";

const PREFLUSH: GateSettings = {
  hold: "preflush",
  preflushBytes: 8_192,
  rawBytes: 2_097_152,
  holdTimeMs: 0,
  fullBytes: 100_000,
};

function event(parts: Partial<GateEvent>): GateEvent {
  return { rawBytes: 260, contentBytes: 0, isStarted: false, isComplete: false, ...parts };
}

function run(settings: GateSettings, ...events: readonly Partial<GateEvent>[]): GateState["kind"] {
  return events.reduce<GateState>((state, parts) => stepGate(state, event(parts), 0, settings), HOLDING).kind;
}

describe("gate", () => {
  test("off flushes at the first content, and holds a preamble till then", () => {
    const off = { ...PREFLUSH, hold: "off" } as const;
    expect(run(off, {}, {})).toBe("holding");
    expect(run(off, {}, { isStarted: true })).toBe("flushed");
    expect(run(off, {}, { isComplete: true })).toBe("flushed");
  });

  test("preflush holds exactly the limit and overflows by one byte more", () => {
    expect(run(PREFLUSH, { isStarted: true, contentBytes: 8_192 })).toBe("holding");
    expect(run(PREFLUSH, { isStarted: true, contentBytes: 8_192 }, { contentBytes: 8_192, isComplete: true })).toBe(
      "complete",
    );
    expect(run(PREFLUSH, { isStarted: true, contentBytes: 8_193 })).toBe("overflowed");
  });

  test("an answer that exceeds the limit overflows even when its end has come with the same read", () => {
    expect(run(PREFLUSH, { contentBytes: 9_000 }, { contentBytes: 9_000, isComplete: true })).toBe("overflowed");
    expect(run(PREFLUSH, { contentBytes: 9_000, isComplete: true })).toBe("overflowed");
  });

  test("raw bytes count every event, pings too", () => {
    expect(run(PREFLUSH, { rawBytes: 2_097_152 })).toBe("holding");
    expect(run(PREFLUSH, { rawBytes: 2_097_152 }, { rawBytes: 1 })).toBe("overflowed");
  });

  test("hold time runs from the first event, and an idle stream overflows by the tick", () => {
    const timed = { ...PREFLUSH, holdTimeMs: 500 };
    const held = stepGate(HOLDING, event({}), 1_000, timed);
    expect(tickGate(held, 1_500, timed).kind).toBe("holding");
    expect(tickGate(held, 1_501, timed).kind).toBe("overflowed");
    expect(stepGate(held, event({}), 1_501, timed).kind).toBe("overflowed");
    expect(stepGate(held, event({ isComplete: true }), 1_501, timed).kind).toBe("complete");
    expect(tickGate(HOLDING, 9_999, timed).kind).toBe("holding");
  });

  test("full holds any content up to the size of an answer", () => {
    const full = { ...PREFLUSH, hold: "full" } as const;
    expect(run(full, { contentBytes: 50_000, rawBytes: 99_740 }, { isComplete: true })).toBe("complete");
    expect(run(full, { contentBytes: 50_000, rawBytes: 100_001 })).toBe("too-large");
  });

  test("does as a naive model over any sequence, and never leaves its last state", () => {
    const eventArbitrary = fc.record({
      rawBytes: fc.integer({ min: 1, max: 900 }),
      grows: fc.integer({ min: 0, max: 400 }),
      isComplete: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.constantFrom("off" as const, "preflush" as const, "full" as const),
        fc.array(eventArbitrary, { maxLength: 30 }),
        (hold, events) => {
          const settings: GateSettings = { hold, preflushBytes: 800, rawBytes: 3_000, holdTimeMs: 0, fullBytes: 5_000 };
          let state: GateState = HOLDING;
          let raw = 0;
          let content = 0;
          let expected: GateState["kind"] = "holding";
          for (const { rawBytes, grows, isComplete } of events) {
            raw += rawBytes;
            content += grows;
            if (expected === "holding") {
              if (hold === "off" && (content > 0 || isComplete)) expected = "flushed";
              else if (hold === "preflush" && (content > 800 || raw > 3_000)) expected = "overflowed";
              else if (hold === "full" && raw > 5_000) expected = "too-large";
              else if (hold !== "off" && isComplete) expected = "complete";
            }
            state = stepGate(
              state,
              { rawBytes, contentBytes: content, isStarted: content > 0, isComplete },
              0,
              settings,
            );
            expect(state.kind).toBe(expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
