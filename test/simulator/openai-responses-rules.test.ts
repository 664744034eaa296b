/** Every rule of Responses: what it refuses, and the nearest request that it accepts. */
import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { judgeResponses, RESPONSES_RULES } from "../../src/simulator/openai-responses-rules.ts";
import { createSigner } from "../../src/simulator/signature.ts";

const signer = createSigner("test");
const options = { today: "2026-11-22", servesShutDown: true };
const user = { role: "user", content: "hi" };
const base: JsonObject = { model: "gpt-5.4", input: [user] };
const call = (id: string): JsonObject => ({ type: "function_call", call_id: id, name: "look_up", arguments: "{}" });
const output = (id: string, value: Json = "found"): JsonObject => ({
  type: "function_call_output",
  call_id: id,
  output: value,
});
const tool = (extra: JsonObject = {}): JsonObject => ({
  type: "function",
  name: "look_up",
  parameters: { type: "object", properties: {} },
  strict: false,
  ...extra,
});
const sealed = signer.sign({ model: "gpt-5.4", thinking: "", prefix: "" });
const reasoning = (content: string): JsonObject => ({
  type: "reasoning",
  id: "rs_1",
  summary: [],
  encrypted_content: content,
});
const marked = { type: "input_text", text: "x", prompt_cache_breakpoint: { mode: "explicit" } };
const answer = { type: "message", role: "assistant", content: [{ type: "output_text", text: "x" }] };

const cases: readonly (readonly [rule: string, refuses: JsonObject, accepts: JsonObject, message: string])[] = [
  ["model exists", { model: "gpt-9" }, {}, "The requested model 'gpt-9' does not exist."],
  ["unknown field", { stop: ["x"] }, { truncation: "disabled" }, "Unrecognized request argument supplied: stop"],
  ["field types and bounds", { max_output_tokens: 15 }, { max_output_tokens: 16 }, ">= 16"],
  ["input is there", { input: undefined as unknown as Json }, { input: "hi" }, "Missing required parameter: 'input'."],
  [
    "input items",
    { input: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
    { input: [{ role: "user", content: [{ type: "input_text", text: "x" }] }] },
    "Invalid value: 'text'",
  ],
  [
    "input items",
    { input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }, user] },
    { input: [answer, user] },
    "'output_text'",
  ],
  [
    "input items",
    { input: [{ type: "function_call", call_id: "c", name: "f", arguments: {} }, output("c")] },
    { input: [call("c"), output("c")] },
    "expected a string",
  ],
  [
    "input items",
    { input: [call("c".repeat(65)), output("c".repeat(65))] },
    { input: [call("c".repeat(64)), output("c".repeat(64))] },
    "maximum length 64",
  ],
  [
    "input items",
    { input: [call("c"), output("c", [{ type: "input_image", image_url: "data:image/png;base64,aGVsbG8=" }])] },
    { input: [call("c"), output("c", [{ type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" }])] },
    "valid image",
  ],
  ["input items", { input: [{ type: "note", text: "x" }] }, { input: [user] }, "types of items"],
  [
    "input items",
    { input: [{ role: "user", content: [{ type: "input_text", text: "x", cache_control: {} }] }] },
    { model: "gpt-5.6", input: [{ role: "user", content: [{ type: "input_text", text: "x" }] }] },
    "Unknown parameter: 'input[0].content[0].cache_control'.",
  ],
  [
    "input items",
    { input: [{ ...call("c"), input: {} }, output("c")] },
    { input: [{ ...call("c"), status: "completed" }, output("c")] },
    "Unknown parameter: 'input[0].input'.",
  ],
  [
    "input items",
    { input: [{ type: "reasoning", id: "rs_1", encrypted_content: sealed }, answer] },
    { input: [reasoning(sealed), answer] },
    "Missing required parameter: 'input[0].summary'.",
  ],
  [
    "cache breakpoints by model",
    { input: [{ role: "user", content: [marked] }] },
    { model: "gpt-5.6", input: [{ role: "user", content: [marked] }] },
    "input[0].content[0].prompt_cache_breakpoint",
  ],
  [
    "include by model",
    { model: "gpt-4.1", include: ["reasoning.encrypted_content"] },
    { include: ["reasoning.encrypted_content"] },
    "Encrypted content is not supported with this model.",
  ],
  ["effort by model", { reasoning: { summary: "yes" } }, { reasoning: { summary: "concise" } }, "Invalid value: 'yes'"],
  ["effort by model", { reasoning: { budget: 1 } }, { reasoning: {} }, "Unknown parameter: 'reasoning.budget'."],
  [
    "text.format",
    { text: { format: { type: "json_schema", name: "x", json_schema: {} } } },
    { text: { format: { type: "json_schema", name: "x", schema: { type: "object" } } } },
    "Unknown parameter: 'text.format.json_schema'.",
  ],
  [
    "text.format",
    { text: { format: { type: "json_schema", name: "x" } } },
    { text: { format: { type: "text" } } },
    "Missing required parameter: 'text.format.schema'.",
  ],
  [
    "tool outputs have their calls",
    { input: [user, output("c")] },
    { input: [{ type: "item_reference", id: "fc_1" }, output("c")] },
    "No tool call found for function call output with call_id c.",
  ],
  [
    "tool outputs have their calls",
    { input: [user, call("c")] },
    { input: [user, call("c"), output("c")] },
    "No tool output found for function call c.",
  ],
  [
    "reasoning is followed",
    { input: [user, reasoning(sealed)] },
    { input: [user, reasoning(sealed), answer, user] },
    "without its required following item",
  ],
  [
    "tools",
    { tools: [{ ...tool(), cache_control: {} }] },
    { tools: [tool()] },
    "Unknown parameter: 'tools[0].cache_control'.",
  ],
  [
    "tools",
    { tools: [tool({ strict: true })] },
    {
      tools: [
        tool({
          strict: true,
          parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
        }),
      ],
    },
    "additionalProperties",
  ],
  [
    "tool_choice needs its tool",
    { tool_choice: "required" },
    { tool_choice: "required", tools: [tool()] },
    "must be specified with 'tools'",
  ],
  [
    "parallel_tool_calls by model",
    { model: "o3", parallel_tool_calls: false, tools: [tool()] },
    { parallel_tool_calls: false, tools: [tool()] },
    "parallel_tool_calls",
  ],
  [
    "sampling by model",
    { model: "gpt-5", temperature: 0 },
    { model: "gpt-4.1", temperature: 0 },
    "'temperature' is not supported",
  ],
  [
    "effort by model",
    { reasoning: { effort: "max" } },
    { reasoning: { effort: "xhigh", summary: "auto" } },
    "Unsupported value",
  ],
  [
    "effort by model",
    { model: "gpt-4.1", reasoning: { effort: "low" } },
    { model: "gpt-4.1", reasoning: {} },
    "reasoning.effort",
  ],
  [
    "encrypted reasoning",
    { input: [user, reasoning("arouter1.e30"), answer, user] },
    { input: [user, reasoning(sealed), answer, user] },
    "could not be verified",
  ],
  [
    "text.format",
    { text: { format: { type: "json_schema", name: "x", strict: true, schema: { type: "object" } } } },
    { text: { format: { type: "json_schema", name: "x", strict: false, schema: { type: "object" } } } },
    "additionalProperties",
  ],
  ["metadata", { metadata: { a: 1 } }, { metadata: { a: "1" } }, "expected a string"],
  ["max output", { max_output_tokens: 128_001 }, { max_output_tokens: 128_000 }, "at most 128000"],
  [
    "context length",
    { model: "gpt-4o", input: "word ".repeat(103_000) },
    { input: "word ".repeat(103_000) },
    "maximum context length",
  ],
];

const requestOf = (patch: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...base, ...patch }).filter(([, value]) => value !== undefined));

describe("Responses rules", () => {
  for (const [rule, refuses, accepts, message] of cases) {
    test(`${rule}: ${JSON.stringify(refuses).slice(0, 70)}`, () => {
      const judged = judgeResponses(requestOf(refuses), options, signer);
      expect(judged?.rule).toBe(rule);
      expect(judged?.message).toContain(message);
      expect(judgeResponses(requestOf(accepts), options, signer)).toBeNull();
    });
  }

  test("each rule of the table has a case", () => {
    const tested = new Set(cases.map(([rule]) => rule));
    expect(RESPONSES_RULES.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
  });
});
