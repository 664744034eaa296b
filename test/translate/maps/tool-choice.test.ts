import { describe, expect, test } from "bun:test";
import {
  isSingleCall,
  parseAnthropicChoice,
  parseOpenAiChoice,
  renderAnthropicChoice,
  renderOpenAiChoice,
  type ToolChoice,
} from "../../../src/translate/maps/tool-choice.ts";

const BOTH: readonly [ToolChoice, unknown, object][] = [
  [{ kind: "auto" }, "auto", { type: "auto" }],
  [{ kind: "none" }, "none", { type: "none" }],
  [{ kind: "required" }, "required", { type: "any" }],
  [
    { kind: "named", name: "f" },
    { type: "function", function: { name: "f" } },
    { type: "tool", name: "f" },
  ],
];

describe("tool choice", () => {
  test.each([...BOTH])("%j goes there and back", (choice, openAi, anthropic) => {
    expect(renderOpenAiChoice(choice)).toEqual(openAi as never);
    expect(parseOpenAiChoice(openAi as never)).toEqual(choice);
    expect(renderAnthropicChoice(choice, false)).toEqual(anthropic as never);
    expect(parseAnthropicChoice(anthropic as never)).toEqual(choice);
  });

  test.each([
    ["auto", { type: "auto", disable_parallel_tool_use: true }],
    ["none", { type: "none" }],
    ["required", { type: "any", disable_parallel_tool_use: true }],
  ] as const)("one call at most, %s", (kind, expected) => {
    const rendered = renderAnthropicChoice({ kind }, true);
    expect(rendered).toEqual(expected);
    expect(isSingleCall(rendered)).toBe(kind !== "none");
  });

  test("custom tools and allowed tools keep their shape at OpenAI", () => {
    const custom = { type: "custom", custom: { name: "run" } };
    const allowed = {
      type: "allowed_tools",
      allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "f" } }] },
    };
    for (const value of [custom, allowed])
      expect(renderOpenAiChoice(parseOpenAiChoice(value) as ToolChoice)).toEqual(value);
  });

  test.each([[null], [undefined]])("%p is none given", (value) => {
    expect(parseOpenAiChoice(value)).toBeNull();
    expect(parseAnthropicChoice(value)).toBeNull();
  });

  test.each([
    ["sometimes"],
    [7],
    [{ type: "function" }],
    [{ type: "function", function: { name: "" } }],
    [{ type: "allowed_tools", allowed_tools: { mode: "auto", tools: [] } }],
    [{ type: "mcp" }],
  ])("refuses %j", (value) => {
    expect(() => parseOpenAiChoice(value)).toThrow();
  });
});
