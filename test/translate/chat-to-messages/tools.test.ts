import { describe, expect, test } from "bun:test";
import {
  at,
  bodyOf,
  call,
  OPUS_4_8,
  OPUS_5_5,
  outcome,
  refusal,
  replyContext,
  SONNET_4_5,
  SONNET_5_5,
  translate,
  translateText,
  WEATHER,
} from "./support.ts";

const fn = (definition: object, more: object = {}): object => ({ type: "function", function: definition, ...more });
const schema = { type: "object", properties: { city: { type: "string" } } };
const strictSchema = { ...schema, required: ["city"], additionalProperties: false };
const tools = (...list: object[]): object => ({ tools: list });

describe("tools", () => {
  test.each([
    [
      "function",
      fn({ name: "f", description: "D", parameters: schema }),
      { name: "f", description: "D", input_schema: schema },
      [],
    ],
    ["parameters missing", fn({ name: "f" }), { name: "f", input_schema: { type: "object", properties: {} } }, []],
    [
      "parameters null",
      fn({ name: "f", parameters: null }),
      { name: "f", input_schema: { type: "object", properties: {} } },
      [],
    ],
    [
      "parameters {}",
      fn({ name: "f", parameters: {} }),
      { name: "f", input_schema: { type: "object", properties: {} } },
      [],
    ],
    [
      "no top-level type (pitfall 34)",
      fn({ name: "f", parameters: { properties: {} } }),
      { name: "f", input_schema: { properties: {}, type: "object" } },
      [],
    ],
    [
      "top-level anyOf is wrapped, definitions stay at the root",
      fn({ name: "f", parameters: { anyOf: [{ $ref: "#/$defs/A" }], $defs: { A: schema } } }),
      {
        name: "f",
        input_schema: {
          type: "object",
          properties: { value: { anyOf: [{ $ref: "#/$defs/A" }] } },
          required: ["value"],
          $defs: { A: schema },
        },
      },
      ["tools[0].function.parameters"],
    ],
    [
      "top-level array is wrapped",
      fn({ name: "f", parameters: { type: "array", items: { type: "string" } } }),
      {
        name: "f",
        input_schema: {
          type: "object",
          properties: { value: { type: "array", items: { type: "string" } } },
          required: ["value"],
        },
      },
      ["tools[0].function.parameters"],
    ],
    [
      "$schema and $id are kept",
      fn({ name: "f", parameters: { $schema: "s", $id: "i", ...schema } }),
      { name: "f", input_schema: { $schema: "s", $id: "i", ...schema } },
      [],
    ],
    [
      "strict",
      fn({ name: "f", strict: true, parameters: { $schema: "s", ...strictSchema } }),
      { name: "f", input_schema: strictSchema, strict: true },
      [],
    ],
    ["strict false", fn({ name: "f", strict: false, parameters: schema }), { name: "f", input_schema: schema }, []],
    [
      "strict that would lose a constraint",
      fn({
        name: "f",
        strict: true,
        parameters: { $schema: "s", type: "object", properties: { n: { type: "integer", minimum: 1 } } },
      }),
      {
        name: "f",
        input_schema: { type: "object", properties: { n: { type: "integer", minimum: 1 } } },
        strict: false,
      },
      ["tools[0].function.strict=false"],
    ],
    [
      "custom without a format",
      { type: "custom", custom: { name: "run", description: "D", format: { type: "text" } } },
      {
        name: "run",
        description: "D",
        input_schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
      },
      [],
    ],
    [
      "custom with a grammar",
      {
        type: "custom",
        custom: {
          name: "run",
          description: "D",
          format: { type: "grammar", grammar: { syntax: "lark", definition: "start: A" } },
        },
      },
      {
        name: "run",
        description: "D\n\nThe input must match this lark grammar:\nstart: A",
        input_schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
      },
      ["tools[0].custom.format"],
    ],
    [
      "native server tool",
      { type: "web_fetch_20250910", name: "web_fetch", max_uses: 2 },
      { type: "web_fetch_20250910", name: "web_fetch", max_uses: 2 },
      [],
    ],
    ["Anthropic's own shape", { name: "f", input_schema: schema }, { name: "f", input_schema: schema }, []],
    [
      "extensions are copied",
      fn(
        { name: "f", parameters: schema },
        { cache_control: { type: "ephemeral" }, defer_loading: true, allowed_callers: ["direct"] },
      ),
      {
        name: "f",
        input_schema: schema,
        cache_control: { type: "ephemeral" },
        defer_loading: true,
        allowed_callers: ["direct"],
      },
      [],
    ],
  ])("%s", (_name, tool, expected, adapted) => {
    const result = outcome(tools(tool));
    expect(at(result.body, "tools", 0)).toEqual(expected);
    expect(result.adapted).toEqual([...adapted]);
  });

  test("tools: null and [] are no tools", () => {
    expect(at(bodyOf({ tools: null }), "tools")).toBeUndefined();
    expect(at(bodyOf({ tools: [] }), "tools")).toBeUndefined();
  });

  test.each([
    ["duplicate names", tools(fn({ name: "f" }), fn({ name: "f" })), "tools[1].function"],
    ["an unknown type (pitfall 35)", tools(fn({ name: "f" }), { type: "local_shell" }), "tools[1]"],
    ["a nameless function", tools(fn({})), "tools[0].function.name"],
    ["a nameless custom tool", tools({ type: "custom", custom: {} }), "tools[0].custom.name"],
  ])("refuses %s", (_name, fields, param) => {
    expect(refusal(fields)).toMatchObject({ param, status: 400 });
  });

  test("shortens long and illegal names and restores them in answers (pitfall 37)", () => {
    const names = ["n".repeat(129), "a.b/c"];
    const translated = translate(tools(...names.map((name) => fn({ name }))));
    const sent = (at(JSON.parse(translated.body), "tools") as { name: string }[]).map((tool) => tool.name);
    for (const name of sent) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    const content = sent.map((name, index) => ({ type: "tool_use", id: `t${index}`, name, input: {} }));
    const reply = translated.response({ id: "msg_1", model: "c", content, stop_reason: "tool_use" }, replyContext, []);
    const calls = at(reply.body, "choices", 0, "message", "tool_calls") as object[];
    expect(calls.map((entry) => at(entry, "function", "name"))).toEqual(names);
  });

  test("keeps a 20-digit integer in a schema", () => {
    const body = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"n":{"type":"integer","maximum":18446744073709551615}}}}}]}`;
    expect(translateText(body).body).toContain('"maximum":18446744073709551615');
  });

  test("wraps the arguments of a wrapped tool in the history, too", () => {
    const body = bodyOf({
      ...tools(fn({ name: "f", parameters: { anyOf: [schema] } })),
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", tool_calls: [call("a", '{"city":"Oslo"}', "f")] },
        { role: "tool", tool_call_id: "a", content: "1" },
      ],
    });
    expect(at(body, "messages", 1, "content", 0, "input")).toEqual({ value: { city: "Oslo" } });
  });

  test("legacy functions are tools, one call at most", () => {
    const body = bodyOf({ functions: [{ name: "f", parameters: schema }], function_call: { name: "f" } });
    expect(at(body, "tools")).toEqual([{ name: "f", input_schema: schema }]);
    expect(at(body, "tool_choice")).toEqual({ type: "tool", name: "f", disable_parallel_tool_use: true });
  });
});

describe("tool_choice", () => {
  const two = [WEATHER, fn({ name: "time" })];
  const allowed = (mode: string, ...names: string[]): object => ({
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode, tools: names.map((name) => ({ type: "function", function: { name } })) },
    },
  });
  const hint = (text: string): object => ({ role: "system", content: [{ type: "text", text }] });

  test.each([
    ["absent", {}, undefined],
    ["auto", { tool_choice: "auto" }, undefined],
    ["none keeps the tools (pitfall 39)", { tool_choice: "none" }, { type: "none" }],
    ["required", { tool_choice: "required" }, { type: "any" }],
    ["named", { tool_choice: { type: "function", function: { name: "time" } } }, { type: "tool", name: "time" }],
    ["parallel false, auto", { parallel_tool_calls: false }, { type: "auto", disable_parallel_tool_use: true }],
    [
      "parallel false, required",
      { parallel_tool_calls: false, tool_choice: "required" },
      { type: "any", disable_parallel_tool_use: true },
    ],
    ["parallel false, none", { parallel_tool_calls: false, tool_choice: "none" }, { type: "none" }],
    ["parallel true", { parallel_tool_calls: true }, undefined],
    ["legacy function_call none", { function_call: "none" }, { type: "none" }],
  ])("%s", (_name, fields, expected) => {
    const result = outcome({ tools: two, ...fields });
    expect(at(result.body, "tool_choice")).toEqual(expected);
    expect(at(result.body, "tools")).toHaveLength(2);
    expect(result.adapted).toEqual([]);
  });

  test("named custom tool", () => {
    const custom = { type: "custom", custom: { name: "run" } };
    expect(at(bodyOf({ tools: [custom], tool_choice: custom }), "tool_choice")).toEqual({ type: "tool", name: "run" });
  });

  test.each([
    ["a choice without tools", { tool_choice: "auto" }, "tool_choice"],
    ["a choice with empty tools", { tool_choice: "required", tools: [] }, "tool_choice"],
    [
      "a tool that is not there",
      { tools: two, tool_choice: { type: "function", function: { name: "no" } } },
      "tool_choice",
    ],
    ["a word that does not exist", { tools: two, tool_choice: "maybe" }, "tool_choice"],
  ])("refuses %s", (_name, fields, param) => {
    expect(refusal(fields)).toMatchObject({ param, status: 400 });
  });

  test("allowed_tools, one and required, is that tool", () => {
    const result = outcome({ tools: two, ...allowed("required", "time") });
    expect(at(result.body, "tool_choice")).toEqual({ type: "tool", name: "time" });
    expect(at(result.body, "tools")).toHaveLength(2);
  });

  test("allowed_tools keeps the list and says so at the end where that is possible", () => {
    const result = outcome(
      { tools: [...two, fn({ name: "news" })], ...allowed("required", "time", "news") },
      { model: OPUS_4_8 },
    );
    expect(at(result.body, "tools")).toHaveLength(3);
    expect(at(result.body, "tool_choice")).toEqual({ type: "any" });
    expect(at(result.body, "messages", -1)).toEqual(hint("Of the tools, call only these: time, news."));
    expect(result.adapted).toEqual(["tool_choice"]);
  });

  test("allowed_tools leaves the others out where it is not", () => {
    const result = outcome(
      { tools: [...two, fn({ name: "news" })], ...allowed("auto", "time", "news") },
      { model: SONNET_4_5 },
    );
    expect((at(result.body, "tools") as object[]).map((tool) => at(tool, "name"))).toEqual(["time", "news"]);
    expect(at(result.body, "tool_choice")).toBeUndefined();
    expect(result.adapted).toEqual(["tool_choice"]);
  });

  test("a forced choice on a model that refuses it is asked for in words and checked (pitfall 47)", () => {
    for (const model of [OPUS_5_5, SONNET_5_5]) {
      const named = translate({ tools: two, tool_choice: { type: "function", function: { name: "time" } } }, { model });
      const body: unknown = JSON.parse(named.body);
      expect(at(body, "tool_choice")).toBeUndefined();
      expect(at(body, "messages", -1)).toEqual(hint("You must answer with a call to the tool time."));
      expect(named.adapted).toEqual(["tool_choice=auto"]);
      expect(named.checks).toEqual(["tool_call"]);
      const required = bodyOf({ tools: two, tool_choice: "required" }, { model });
      expect(at(required, "messages", -1)).toEqual(hint("You must answer with a call to one of the tools."));
    }
  });

  test("the hint follows tool results", () => {
    const messages = [
      { role: "user", content: "x" },
      { role: "assistant", tool_calls: [call("a")] },
      { role: "tool", tool_call_id: "a", content: "1" },
    ];
    const body = bodyOf({ tools: two, tool_choice: "required", messages }, { model: OPUS_5_5 });
    expect((at(body, "messages") as object[]).map((turn) => at(turn, "role"))).toEqual([
      "user",
      "assistant",
      "user",
      "system",
    ]);
  });
});
