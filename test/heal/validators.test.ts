import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import type { ValidatorName } from "../../src/base/names.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { judgeReply } from "../../src/heal/validators.ts";
import type { Facts, ReplyChoice, ReplyFacts, ReplyToolCall } from "../../src/wire/format.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const schemas = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock());
const AGE: JsonObject = { type: "object", properties: { age: { type: "integer" } }, required: ["age"] };
const CITY: JsonObject = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

function facts(jsonSchema: JsonObject | null = AGE): Facts {
  return {
    format: "chat",
    model: "m",
    stream: false,
    tokensInput: 1,
    maxTokens: null,
    messages: 1,
    toolNames: ["weather", "free"],
    toolChoice: null,
    inToolLoop: false,
    hasImage: false,
    hasDocument: false,
    hasAudio: false,
    responseFormatType: jsonSchema === null ? "text" : "json_schema",
    jsonSchema,
    toolSchemas: new Map([
      ["weather", CITY],
      ["free", null],
    ]),
    reasoning: false,
    reasoningEffort: null,
    hasCacheControl: false,
    metadata: {},
    user: null,
    systemText: "",
    promptText: "",
    choices: 1,
    replayable: true,
    streamUsage: true,
  };
}

function choice(parts: Partial<ReplyChoice>): ReplyChoice {
  return { text: "", toolCalls: [], refusal: null, stop: "stop", ...parts };
}

function toolCall(name: string, text: string, kind: ReplyToolCall["kind"] = "function"): ReplyToolCall {
  return { id: "call_1", name, arguments: text, kind };
}

function reply(...choices: readonly ReplyChoice[]): ReplyFacts {
  return { id: null, model: null, choices, usage: null, serviceTier: null };
}

describe("judgeReply", () => {
  test.each<[ValidatorName, string, Partial<ReplyChoice>, "pass" | "fail" | "skipped"]>([
    ["json_schema", "a fitting answer", { text: ' {"age":36}\n' }, "pass"],
    ["json_schema", "the wrong type", { text: '{"age":"36"}' }, "fail"],
    ["json_schema", "prose", { text: "He is 36." }, "fail"],
    ["json_schema", "an empty answer", { text: "" }, "fail"],
    ["json_schema", "a cut answer", { text: '{"age":3', stop: "length" }, "fail"],
    [
      "json_schema",
      "an answer that only calls tools",
      { toolCalls: [toolCall("weather", "{}")], stop: "tool" },
      "skipped",
    ],
    ["json_schema", "a refusal", { refusal: "I cannot." }, "skipped"],
    ["json_schema", "a refusal told by the stop alone", { text: "I can", stop: "refusal" }, "skipped"],
    ["json", "any JSON", { text: "[1]" }, "pass"],
    ["json", "no JSON", { text: "[1" }, "fail"],
    ["json", "a refusal", { refusal: "no" }, "skipped"],
    ["tool_arguments", "fitting arguments", { toolCalls: [toolCall("weather", '{"city":"Oslo"}')] }, "pass"],
    ["tool_arguments", "arguments that do not fit", { toolCalls: [toolCall("weather", '{"city":1}')] }, "fail"],
    ["tool_arguments", "empty arguments, which are {}", { toolCalls: [toolCall("weather", "")] }, "fail"],
    ["tool_arguments", "cut arguments", { toolCalls: [toolCall("weather", '{"ci')], stop: "length" }, "fail"],
    [
      "tool_arguments",
      "one of two wrong",
      { toolCalls: [toolCall("weather", '{"city":"x"}'), toolCall("weather", "{")] },
      "fail",
    ],
    ["tool_arguments", "a tool without a schema", { toolCalls: [toolCall("free", "{}")] }, "pass"],
    ["tool_arguments", "a tool that nobody offered", { toolCalls: [toolCall("shell", "{}")] }, "fail"],
    [
      "tool_arguments",
      "free text for a custom tool",
      { toolCalls: [toolCall("free", "select 1", "custom")] },
      "skipped",
    ],
    ["tool_arguments", "an answer without calls", { text: "hello" }, "skipped"],
    ["non_empty", "text", { text: "x" }, "pass"],
    ["non_empty", "white space", { text: " \n" }, "fail"],
    ["non_empty", "a call", { toolCalls: [toolCall("free", "")] }, "pass"],
    ["complete", "a natural end", { text: "x" }, "pass"],
    ["complete", "an end by length", { text: "x", stop: "length" }, "fail"],
    ["no_refusal", "an answer", { text: "x" }, "pass"],
    ["no_refusal", "a refusal", { refusal: "no" }, "fail"],
    ["no_refusal", "a refusal told by the stop", { stop: "refusal" }, "fail"],
  ])("%s: %s", (name, _case, parts, expected) => {
    expect(judgeReply([name], reply(choice(parts)), facts(), schemas).result).toBe(expected);
  });

  test("json_schema is skipped for a request without a schema and for one that cannot be used", () => {
    const answer = reply(choice({ text: "{}" }));
    expect(judgeReply(["json_schema"], answer, facts(null), schemas).result).toBe("skipped");
    expect(judgeReply(["json_schema"], answer, facts({ $ref: "https://example.com/x" }), schemas).result).toBe(
      "skipped",
    );
  });

  test("one bad choice of several fails the answer, one good one beside skipped ones passes it", () => {
    const good = choice({ text: '{"age":1}' });
    const bad = choice({ text: "{}" });
    const calls = choice({ toolCalls: [toolCall("free", "{}")] });
    expect(judgeReply(["json_schema"], reply(good, bad), facts(), schemas).result).toBe("fail");
    expect(judgeReply(["json_schema"], reply(good, calls), facts(), schemas).result).toBe("pass");
  });

  test("tells each validator's verdict and the first failure's reason", () => {
    const judgement = judgeReply(
      ["complete", "json_schema", "non_empty"],
      reply(choice({ text: '{"age":"x"}' })),
      facts(),
      schemas,
    );
    expect(judgement.verdicts.map(({ validator, result }) => `${validator} ${result}`)).toEqual([
      "complete pass",
      "json_schema fail",
      "non_empty pass",
    ]);
    expect(judgement.reason).toBe("the text does not fit the schema: $.age must be integer");
  });

  test("an answer without choices is empty, not good", () => {
    expect(judgeReply(["non_empty"], reply(), facts(), schemas).result).toBe("fail");
    expect(judgeReply(["json"], reply(), facts(), schemas).result).toBe("fail");
  });
});
