import { describe, expect, test } from "bun:test";
import { EFFORTS, type Effort } from "../../../src/base/names.ts";
import { nearestEffort, planEffort, planThinking } from "../../../src/translate/maps/reasoning.ts";
import { testModel } from "../../support/models.ts";

describe("effort", () => {
  test.each([
    ["high", ["low", "medium", "high"], "high"],
    ["xhigh", ["low", "medium", "high"], "high"],
    ["max", ["low", "medium", "high", "xhigh"], "xhigh"],
    ["none", ["minimal", "low"], "minimal"],
    ["none", ["low", "high"], "low"],
    ["minimal", ["none", "low"], "none"],
    ["high", [], null],
  ] as const)("%s among %j is %p", (effort, accepted, expected) => {
    expect(nearestEffort(effort, accepted)).toBe(expected);
  });
});

describe("an Anthropic request's thinking as an effort", () => {
  const reasoning = testModel("gpt-5.1", { efforts: ["none", "low", "medium", "high", "xhigh"] }).capabilities;
  const older = testModel("gpt-5.1", { efforts: ["minimal", "low", "medium", "high"] }).capabilities;
  const oldest = testModel("gpt-5.1", { efforts: ["low", "medium", "high"] }).capabilities;
  const plain = testModel("gpt-4.1", { efforts: [] }).capabilities;
  const enabled = (budget_tokens: number): object => ({ type: "enabled", budget_tokens });
  test.each([
    ["absent", undefined, undefined, reasoning, null, null],
    ["disabled", { type: "disabled" }, undefined, reasoning, "none", null],
    ["between_tools", { type: "between_tools" }, undefined, reasoning, "none", null],
    ["disabled without none", { type: "disabled" }, undefined, older, "minimal", "thinking"],
    ["disabled without minimal", { type: "disabled" }, undefined, oldest, "low", "thinking"],
    ["budget under 4,096", enabled(4_095), undefined, reasoning, "low", "thinking"],
    ["budget under 12,288", enabled(4_096), undefined, reasoning, "medium", "thinking"],
    ["budget under 24,576", enabled(12_288), undefined, reasoning, "high", "thinking"],
    ["budget above", enabled(24_576), undefined, reasoning, "xhigh", "thinking"],
    ["adaptive", { type: "adaptive" }, undefined, reasoning, null, null],
    ["adaptive with effort", { type: "adaptive" }, "high", reasoning, "high", null],
    ["effort wins over budget", enabled(1_024), "high", reasoning, "high", null],
    ["effort that the model lacks", undefined, "max", reasoning, "xhigh", "output_config.effort"],
  ] as const)("%s", (_name, thinking, effort, capabilities, expected, adapted) => {
    const plan = planEffort(thinking as never, effort, capabilities);
    expect(plan.effort).toBe(expected);
    expect(plan.adapted?.path ?? null).toBe(adapted);
    expect(plan.dropped).toEqual([]);
  });

  test("is dropped on a model that does not reason", () => {
    expect(planEffort({ type: "enabled", budget_tokens: 1_024 }, "low", plain)).toEqual({
      effort: null,
      adapted: null,
      dropped: ["thinking", "output_config.effort"],
    });
    expect(planEffort({ type: "disabled" }, undefined, plain).dropped).toEqual([]);
  });

  test("survives the way there and back where both sides have the word", () => {
    const claude = testModel("claude-opus-5-5").capabilities;
    for (const effort of EFFORTS.filter((word): word is Effort => word !== "none" && word !== "minimal")) {
      const there = planThinking(effort, claude, 64_000);
      expect(
        planEffort(there.thinking ?? undefined, there.effort ?? undefined, { ...reasoning, efforts: EFFORTS }).effort,
      ).toBe(effort);
    }
  });
});
