import { describe, expect, test } from "bun:test";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { createModelLabel, fieldLabel, knownFields } from "../../src/observe/labels.ts";

describe("a model's label", () => {
  const known = { catalog: builtInCatalog, named: new Set(["my-model"]) };
  const label = createModelLabel(() => known);
  test.each([
    ["gpt-4.1", "gpt-4.1"],
    ["my-model", "my-model"],
    [null, "none"],
    ["nonsense", "other"],
    ["", "other"],
    ['gpt-4.1"} 1\narouter_x', "other"],
    // Anyone can append a date: it must not make a series.
    ["gpt-4.1-2031-01-01", "gpt-4.1"],
    ["gpt-4.1-20310101", "gpt-4.1"],
    ["nonsense-20310101", "other"],
  ])("of %p is %p", (model, expected) => {
    expect(label(model)).toBe(expected);
  });
  test("cannot be made to grow without end", () => {
    const labels = new Set(Array.from({ length: 5000 }, (_, day) => label(`gpt-4.1-${20000101 + day}`)));
    expect(labels).toEqual(new Set(["gpt-4.1"]));
  });
  test("follows a reload", () => {
    let named: ReadonlySet<string> = new Set();
    let current = { catalog: builtInCatalog, named };
    const live = createModelLabel(() => current);
    expect(live("later")).toBe("other");
    named = new Set(["later"]);
    current = { catalog: builtInCatalog, named };
    expect(live("later")).toBe("later");
  });
});

describe("a dropped field's label", () => {
  const known = knownFields([
    "seed",
    "messages[].name",
    "logprobs, top_logprobs",
    "any other field",
    "answer: id",
    "tool_choice.disable",
  ]);
  test.each([
    ["seed", "seed"],
    ["messages[3].name", "messages[].name"],
    ["messages[].name", "messages[].name"],
    ["messages[0].content[1].x_mine", "messages"],
    ["top_logprobs", "top_logprobs"],
    ["tool_choice.disable", "tool_choice.disable"],
    ["mine", "other"],
    ["", "other"],
    ["__proto__", "other"],
  ])("of %p is %p", (path, expected) => {
    expect(fieldLabel(path, known)).toBe(expected);
  });
});
