import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { mintSignature } from "../../../src/translate/maps/reasoning-signature.ts";
import type { ThinkingStore } from "../../../src/translate/translator.ts";
import { sent, sentInput, storyContext, translate, type Settings } from "./support.ts";

interface Row {
  readonly what: string;
  readonly fields: JsonObject;
  readonly settings?: Settings;
  /** Fields of the body; undefined: absent. */
  readonly body: Readonly<Record<string, Json | undefined>>;
  readonly dropped?: readonly string[];
  readonly adapted?: readonly string[];
}

const look = { type: "function", function: { name: "look", description: "Looks.", parameters: { type: "object" } } };
const sentLook = {
  type: "function",
  name: "look",
  description: "Looks.",
  parameters: { type: "object" },
  strict: false,
};

const ROWS: readonly Row[] = [
  {
    what: "the skeleton",
    fields: {},
    body: { store: false, truncation: "disabled", stream: true, include: ["reasoning.encrypted_content"] },
  },
  {
    what: "no sealed reasoning of a model that does not reason",
    fields: {},
    settings: { model: "gpt-4.1" },
    body: { include: undefined },
  },
  { what: "max_tokens", fields: { max_tokens: 100 }, body: { max_output_tokens: 100 } },
  {
    what: "max_completion_tokens wins; under 16",
    fields: { max_tokens: 100, max_completion_tokens: 5 },
    body: { max_output_tokens: 16 },
    adapted: ["max_completion_tokens=16"],
  },
  { what: "effort", fields: { reasoning_effort: "high" }, body: { reasoning: { effort: "high" } } },
  {
    what: "an effort that the model lacks",
    fields: { reasoning_effort: "minimal" },
    body: { reasoning: { effort: "none" } },
    adapted: ["reasoning_effort=none"],
  },
  {
    what: "effort of a model that does not reason",
    fields: { reasoning_effort: "low" },
    settings: { model: "gpt-4.1" },
    body: { reasoning: undefined },
    dropped: ["reasoning_effort"],
  },
  { what: "a summary, on request", fields: { include_reasoning: true }, body: { reasoning: { summary: "auto" } } },
  {
    what: "no summary where it is off",
    fields: { include_reasoning: true },
    settings: { options: { reasoningSummary: false } },
    body: { reasoning: undefined },
  },
  {
    what: "sampling that is refused",
    fields: { temperature: 0.5, top_p: 1 },
    body: { temperature: undefined },
    dropped: ["temperature"],
  },
  {
    what: "sampling with effort none",
    fields: { temperature: 0.5, reasoning_effort: "none" },
    body: { temperature: 0.5 },
  },
  {
    what: "what Responses has no name for",
    fields: { seed: 1, presence_penalty: 0, frequency_penalty: 1, prediction: {}, store: true, unknown: 1 },
    body: { seed: undefined, unknown: undefined, store: false },
    dropped: ["store", "seed", "prediction", "frequency_penalty", "unknown"],
  },
  {
    what: "fields of the same name",
    fields: { user: "u", metadata: { a: "b" }, service_tier: "flex", prompt_cache_key: "k", safety_identifier: "s" },
    body: { user: "u", metadata: { a: "b" }, service_tier: "flex", prompt_cache_key: "k", safety_identifier: "s" },
  },
  { what: "stop", fields: { stop: "x" }, body: { stop: undefined }, adapted: ["stop"] },
  { what: "tools, not strict unless asked", fields: { tools: [look] }, body: { tools: [sentLook] } },
  {
    what: "a strict tool",
    fields: { tools: [{ type: "function", function: { ...look.function, strict: true } }] },
    body: { tools: [{ ...sentLook, strict: true }] },
  },
  {
    what: "a tool of no parameters",
    fields: { tools: [{ type: "function", function: { name: "x" } }] },
    body: { tools: [{ type: "function", name: "x", parameters: { type: "object", properties: {} }, strict: false }] },
  },
  {
    what: "a named choice",
    fields: { tools: [look], tool_choice: { type: "function", function: { name: "look" } } },
    body: { tool_choice: { type: "function", name: "look" } },
  },
  {
    what: "allowed tools",
    fields: {
      tools: [look],
      tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [look] } },
    },
    body: { tool_choice: { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "look" }] } },
  },
  {
    what: "one call at a time",
    fields: { tools: [look], parallel_tool_calls: false },
    body: { parallel_tool_calls: false },
  },
  {
    what: "one call at a time of a model that cannot be told",
    fields: { tools: [look], parallel_tool_calls: false },
    settings: { model: "o3" },
    body: { parallel_tool_calls: undefined },
    dropped: ["parallel_tool_calls"],
  },
  {
    what: "a JSON schema",
    fields: {
      response_format: { type: "json_schema", json_schema: { name: "r", strict: true, schema: { type: "object" } } },
      verbosity: "low",
    },
    body: {
      text: { format: { type: "json_schema", name: "r", schema: { type: "object" }, strict: true }, verbosity: "low" },
    },
  },
  {
    what: "JSON",
    fields: { response_format: { type: "json_object" } },
    body: { text: { format: { type: "json_object" } } },
  },
  {
    what: "obfuscation",
    fields: { stream: true, stream_options: { include_obfuscation: false } },
    body: { stream_options: { include_obfuscation: false } },
  },
];

describe("parameters", () => {
  for (const { what, fields, settings = {}, body, dropped = [], adapted = [] } of ROWS) {
    test(what, () => {
      const result = translate(fields, settings);
      const json = sent(fields, settings);
      for (const [key, value] of Object.entries(body)) expect(json[key]).toEqual(value as Json);
      expect(result.dropped).toEqual([...dropped]);
      expect(result.adapted).toEqual([...adapted]);
    });
  }

  test.each([
    ["n", { n: 2 }],
    ["logprobs", { logprobs: true }],
    ["logit_bias", { logit_bias: { 1: 2 } }],
    ["modalities", { modalities: ["audio"] }],
    ["audio", { audio: {} }],
    [
      "messages[0].content[0].input_audio",
      { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] },
    ],
    ["messages[0].audio", { messages: [{ role: "assistant", audio: { id: "a" } }] }],
  ] as const)("%s is refused by its path", (param, fields) => {
    let thrown: unknown = null;
    try {
      translate(fields);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GatewayError);
    expect(thrown).toMatchObject({ kind: "unsupported-translation", param });
  });
});

const user = { role: "user", content: "Hi" };
const calls = [{ id: "c1", type: "function", function: { name: "look", arguments: "{}" } }];
const call = { type: "function_call", call_id: "c1", name: "look", arguments: "{}" };
const said = (text: string): JsonObject => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
});
const detail = (id: string, block: number, model = "gpt-5.6"): JsonObject => ({
  type: "reasoning.text",
  text: "",
  signature: mintSignature({ id, encryptedContent: `sealed ${id}`, model }),
  format: "openai-responses-v1",
  index: 0,
  block,
});
const reasoning = (id: string): JsonObject => ({
  type: "reasoning",
  id,
  summary: [],
  encrypted_content: `sealed ${id}`,
});
const assistant = { role: "assistant", content: "I look.", tool_calls: calls };
const tool = { role: "tool", tool_call_id: "c1", content: "seen" };

describe("reasoning that comes back", () => {
  const items = (message: JsonObject, settings: Settings = {}): readonly Json[] =>
    sentInput([user, message, tool], settings).slice(1, -1);

  test("goes to its old place", () => {
    const details = [detail("a", 0), detail("b", 2)];
    expect(items({ ...assistant, reasoning_details: details })).toEqual([
      reasoning("a"),
      said("I look."),
      reasoning("b"),
      call,
    ]);
  });

  test("never ends a turn, wherever it says it stood", () => {
    expect(items({ ...assistant, reasoning_details: [detail("a", 99)] })).toEqual([
      said("I look."),
      reasoning("a"),
      call,
    ]);
  });

  test("of another model, or another vendor, is not sent", () => {
    const foreign = { type: "reasoning.text", text: "t", signature: "EqQ", format: "anthropic-claude-v1" };
    expect(items({ ...assistant, reasoning_details: [detail("a", 0, "gpt-5"), foreign] })).toEqual([
      said("I look."),
      call,
    ]);
  });

  test("alone is left out", () => {
    expect(sentInput([user, { role: "assistant", reasoning_details: [detail("a", 0)] }, user])).toHaveLength(2);
  });

  test("is kept by call id for clients that drop it", () => {
    const kept = new Map<string, readonly JsonObject[]>();
    const thinkingStore: ThinkingStore = {
      get: (id) => kept.get(id) ?? null,
      put: (id, blocks) => void kept.set(id, blocks),
    };
    const reply = {
      id: "resp_1",
      status: "completed",
      output: [{ type: "reasoning", id: "a", summary: [], encrypted_content: "sealed a" }, call],
    };
    translate({ tools: [look] }, { thinkingStore }).response(reply, storyContext, []);
    expect(items({ ...assistant, content: null }, { thinkingStore })).toEqual([reasoning("a"), call]);
    expect(items({ ...assistant, content: null }, { thinkingStore, model: "gpt-5" })).toEqual([call]);
  });
});

describe("messages", () => {
  test.each([
    [
      "parts",
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "image_url", image_url: "https://a.b/c.png" },
          { type: "file", file: { file_id: "file-1" } },
        ],
      },
      [
        { type: "input_text", text: "a" },
        { type: "input_image", image_url: "https://a.b/c.png" },
        { type: "input_file", file_id: "file-1" },
      ],
    ],
    ["an empty text", { role: "user", content: "" }, ""],
    ["instructions", { role: "developer", content: "Do." }, [{ type: "input_text", text: "Do." }]],
    ["a refusal", { role: "assistant", content: null, refusal: "no" }, [{ type: "refusal", refusal: "no" }]],
  ] as const)("%s", (_what, message, content) => {
    expect(sentInput([message, user])[0]).toMatchObject({ role: message.role, content: content as Json });
  });

  test("results of custom tools are theirs, with images", () => {
    const custom = { id: "c2", type: "custom", custom: { name: "say", input: "hi" } };
    const image = { type: "image_url", image_url: { url: "https://a.b/c.png" } };
    expect(
      sentInput([
        user,
        { role: "assistant", tool_calls: [custom] },
        { role: "tool", tool_call_id: "c2", content: [image] },
      ]).slice(1),
    ).toEqual([
      { type: "custom_tool_call", call_id: "c2", name: "say", input: "hi" },
      {
        type: "custom_tool_call_output",
        call_id: "c2",
        output: [{ type: "input_image", image_url: "https://a.b/c.png" }],
      },
    ]);
  });

  test("cache markers go to models that take them", () => {
    const marked = {
      role: "user",
      content: [{ type: "text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } }],
    };
    const content = (model: string): Json | undefined => (sentInput([marked], { model })[0] as JsonObject)["content"];
    expect(content("gpt-5.6")).toEqual([
      { type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } },
    ]);
    expect(content("gpt-5")).toEqual([{ type: "input_text", text: "a" }]);
  });
});
