import { describe, expect, test } from "bun:test";
import { sha256Hex } from "../../../src/base/ids.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { answer, chunk, message, refusal, stream, translate, translateText } from "./support.ts";
import { assertMessagesStream } from "../../support/stream-invariants.ts";

const SCHEMA = { type: "object", properties: { a: { type: "string" } } };
const CLOSED = {
  type: "object",
  properties: { a: { type: "string", format: "uri" } },
  required: ["a"],
  additionalProperties: false,
};

function functions(tools: readonly JsonObject[]): readonly JsonObject[] {
  const body = JSON.parse(translate({ tools }).body) as { tools: readonly { function: JsonObject }[] };
  return body.tools.map((tool) => tool.function);
}

describe("tools", () => {
  const rows: readonly (readonly [string, JsonObject, JsonObject])[] = [
    [
      "name, description, input_schema",
      { name: "f", description: "d", input_schema: SCHEMA },
      { name: "f", description: "d", parameters: SCHEMA },
    ],
    ["type custom", { type: "custom", name: "f", input_schema: SCHEMA }, { name: "f", parameters: SCHEMA }],
    [
      "object without properties; $schema",
      { name: "f", input_schema: { $schema: "x", type: "object", additionalProperties: false } },
      { name: "f", parameters: { type: "object", additionalProperties: false, properties: {} } },
    ],
    [
      "#34 no type, no schema",
      { name: "f", input_schema: {} },
      { name: "f", parameters: { type: "object", properties: {} } },
    ],
    [
      "strict that fits; format uri",
      { name: "f", strict: true, input_schema: CLOSED },
      {
        name: "f",
        parameters: { ...CLOSED, properties: { a: { type: "string" } } },
        strict: true,
      },
    ],
    ["strict false", { name: "f", strict: false, input_schema: CLOSED }, { name: "f", parameters: CLOSED }],
    [
      "cache_control, defer_loading, eager_input_streaming, allowed_callers",
      {
        name: "f",
        input_schema: SCHEMA,
        cache_control: { type: "ephemeral" },
        defer_loading: true,
        eager_input_streaming: true,
        allowed_callers: ["direct"],
      },
      { name: "f", parameters: SCHEMA },
    ],
    [
      "input_examples",
      { name: "f", description: "d", input_schema: SCHEMA, input_examples: [{ a: "x" }, { a: "y" }] },
      { name: "f", description: 'd\n\nExamples of input, one a line:\n{"a":"x"}\n{"a":"y"}', parameters: SCHEMA },
    ],
  ];

  test.each(rows)("%s", (_row, tool, expected) => {
    const [sent] = functions([tool]);
    expect(sent).toEqual(expected);
    const translated = translate({ tools: [tool] });
    expect(translated.dropped).toEqual([]);
    expect(translated.adapted).toEqual([]);
  });

  test("strict that does not fit is sent without, and told", () => {
    const translated = translate({ tools: [{ name: "f", strict: true, input_schema: SCHEMA }] });
    expect(translated.body).not.toContain("strict");
    expect(translated.adapted).toEqual(["tools[0].strict=false"]);
  });

  test("client tools keep their name and get the published schema", () => {
    const types: readonly (readonly [string, string, string])[] = [
      ["bash_20250124", "bash", "restart"],
      ["text_editor_20250124", "str_replace_editor", "new_str"],
      ["text_editor_20250728", "str_replace_based_edit_tool", "insert_text"],
      ["memory_20250818", "memory", "old_path"],
    ];
    const tools = types.map(([type, name]) => ({ type, name }));
    const sent = functions(tools);
    types.forEach(([, name, property], index) => {
      expect(sent[index]?.["name"]).toBe(name);
      expect(sent[index]?.["description"]).toBeTruthy();
      expect(Object.keys((sent[index]?.["parameters"] as { properties: object }).properties)).toContain(property);
    });
    expect(translate({ tools }).adapted).toEqual(["tools[0]", "tools[1]", "tools[2]", "tools[3]"]);
  });

  test("#35 server tools are dropped, by index", () => {
    const tools = [
      "web_fetch_20250910",
      "code_execution_20250825",
      "tool_search_tool_regex",
      "mcp_toolset",
      "advisor_20260301",
    ].map((type): JsonObject => ({ type, name: type }));
    const translated = translate({
      tools: [{ name: "f", input_schema: SCHEMA }, ...tools],
      tool_choice: { type: "auto" },
    });
    expect(translated.dropped).toEqual(["tools[1]", "tools[2]", "tools[3]", "tools[4]", "tools[5]"]);
    expect((JSON.parse(translated.body) as { tools: Json[] }).tools).toHaveLength(1);
  });

  test("keeps big numbers of a strict schema as they are spelled", () => {
    const { body } = translateText(
      '{"model":"gpt-4.1","max_tokens":9,"messages":[{"role":"user","content":"a"}],"tools":[{"name":"f","strict":true,"input_schema":' +
        '{"type":"object","properties":{"a":{"enum":[12345678901234567890]}},"required":["a"],"additionalProperties":false}}]}',
    );
    expect(body).toContain('{"a":{"enum":[12345678901234567890]}}');
    expect(body).toContain('"strict":true');
  });

  test("a tool without a name is an invalid request", () => {
    expect(refusal(() => translate({ tools: [{ input_schema: SCHEMA }] })).param).toBe("tools[0].name");
  });
});

describe("#37 names over 64 characters", () => {
  const name = "mcp__server__".padEnd(100, "x");
  const short = `${name.slice(0, 55)}_${sha256Hex(name, 8)}`;
  const translated = translate({
    tools: [{ name, input_schema: SCHEMA }],
    tool_choice: { type: "tool", name },
    messages: [
      { role: "user", content: "a" },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name, input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "r" }] },
    ],
  });

  test("are shortened in tools, choice and history alike", () => {
    expect(short).toHaveLength(64);
    const body = JSON.parse(translated.body) as JsonObject;
    expect(body["tool_choice"]).toEqual({ type: "function", function: { name: short } });
    expect(translated.body).not.toContain(name);
    expect(translated.body.split(short)).toHaveLength(4);
  });

  test("are restored in answers and streams", () => {
    const call = { id: "c", type: "function", function: { name: short, arguments: "{}" } };
    const body = message(translated, answer({ content: null, tool_calls: [call] }, "tool_calls"));
    expect((body["content"] as readonly JsonObject[])[0]?.["name"]).toBe(name);
    const read = assertMessagesStream(
      stream(translated, [chunk({ tool_calls: [{ index: 0, ...call }] }), chunk({}, "tool_calls")]),
    );
    expect(read.blocks[0]?.start["name"]).toBe(name);
  });
});
