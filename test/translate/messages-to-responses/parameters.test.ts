import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { refusal, sent, translate, type Settings } from "./support.ts";

interface Row {
  readonly what: string;
  readonly fields: JsonObject;
  readonly settings?: Settings;
  /** Fields of the body; undefined: absent. */
  readonly body: Readonly<Record<string, Json | undefined>>;
  readonly dropped?: readonly string[];
  readonly adapted?: readonly string[];
}

const adaptive = { thinking: { type: "adaptive" } };

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
    what: "#56 max_tokens under 16",
    fields: { max_tokens: 1 },
    body: { max_output_tokens: 16 },
    adapted: ["max_tokens=16"],
  },
  {
    what: "max_tokens over the model's",
    fields: { max_tokens: 500_000 },
    body: { max_output_tokens: 128_000 },
    adapted: ["max_tokens=128000"],
  },
  {
    what: "reasoning_headroom",
    fields: { max_tokens: 10 },
    settings: { options: { reasoningHeadroom: 1000 } },
    body: { max_output_tokens: 1010 },
    adapted: ["max_tokens=1010"],
  },
  { what: "no thinking", fields: {}, body: { reasoning: undefined } },
  { what: "adaptive thinking", fields: adaptive, body: { reasoning: { summary: "auto" } } },
  {
    what: "thinking that is not shown",
    fields: { thinking: { type: "adaptive", display: "omitted" } },
    body: { reasoning: undefined },
  },
  {
    what: "a budget",
    fields: { thinking: { type: "enabled", budget_tokens: 20_000 } },
    body: { reasoning: { effort: "high", summary: "auto" } },
    adapted: ["thinking=high"],
  },
  {
    what: "no thinking at all",
    fields: { thinking: { type: "disabled" } },
    body: { reasoning: { effort: "none" } },
  },
  {
    what: "no thinking at all of a model that always thinks",
    fields: { thinking: { type: "disabled" } },
    settings: { model: "gpt-5" },
    body: { reasoning: { effort: "minimal" } },
    adapted: ["thinking=minimal"],
  },
  {
    what: "an effort wins over a budget",
    fields: { thinking: { type: "enabled", budget_tokens: 20_000 }, output_config: { effort: "low" } },
    body: { reasoning: { effort: "low", summary: "auto" } },
  },
  {
    what: "summaries that are off, and asked for",
    fields: { thinking: { type: "adaptive", display: "summarized" } },
    settings: { options: { reasoningSummary: false } },
    body: { reasoning: undefined },
    dropped: ["thinking.display"],
  },
  {
    what: "thinking of a model that does not",
    fields: adaptive,
    settings: { model: "gpt-4.1" },
    body: { reasoning: undefined },
    dropped: ["thinking"],
  },
  {
    what: "sampling that is refused",
    fields: { temperature: 0.5, top_p: 1, top_k: 5 },
    body: { temperature: undefined, top_p: undefined },
    dropped: ["temperature", "top_k"],
  },
  {
    what: "sampling without effort",
    fields: { temperature: 0.5, output_config: { effort: "none" } },
    body: { temperature: 0.5 },
  },
  {
    what: "stop sequences",
    fields: { stop_sequences: ["x", ""] },
    body: { stop: undefined },
    adapted: ["stop_sequences"],
  },
  {
    what: "a schema that strict decoding does not take",
    fields: { output_config: { format: { type: "json_schema", schema: { type: "object", $schema: "x" } } } },
    body: {
      text: { format: { type: "json_schema", name: "response", schema: { type: "object" }, strict: false } },
    },
  },
  { what: "a service tier", fields: { service_tier: "standard_only" }, body: { service_tier: "default" } },
  {
    what: "fast",
    fields: { speed: "fast" },
    settings: { options: { allowFast: true } },
    body: { service_tier: "fast" },
  },
  {
    what: "the end of the prompt as a cache marker",
    fields: { cache_control: { type: "ephemeral" } },
    body: {
      input: [
        {
          type: "message",
          role: "user",
          content: [{ type: "input_text", text: "Hi", prompt_cache_breakpoint: { mode: "explicit" } }],
        },
      ],
    },
  },
  {
    what: "what only Anthropic knows",
    fields: { context_management: {}, betas: ["x"], unknown_field: 1, fallbacks: [] },
    body: { context_management: undefined, unknown_field: undefined },
    dropped: ["context_management", "fallbacks", "unknown_field"],
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

  test("a long user id is hashed, and steadies the routing of the cache", () => {
    const json = sent({ metadata: { user_id: "u".repeat(129) } });
    expect(json["safety_identifier"]).toMatch(/^[0-9a-f]{64}$/);
    expect(json["prompt_cache_key"]).toBe(json["safety_identifier"] ?? "");
    expect(sent({ metadata: { user_id: "u" } })["safety_identifier"]).toBe("u");
  });

  test("a schema without strict decoding is checked by the gateway", () => {
    const open = { output_config: { format: { type: "json_schema", schema: { type: "object" } } } };
    expect(translate(open).checks).toEqual(["json_schema"]);
  });

  test.each([
    ["max_tokens", { max_tokens: 0 }],
    ["mcp_servers", { mcp_servers: [{}] }],
    ["container", { container: "c" }],
    ["compaction", { compaction: {} }],
    ["inference_geo", { inference_geo: "us" }],
    ["thread", { thread: { type: "create" } }],
  ] as const)("%s is refused by its name", (param, fields) => {
    expect(refusal(() => translate(fields))).toMatchObject({ kind: "unsupported-translation", param });
  });

  test("the same request gives the same bytes, keys in one order whatever the client's", () => {
    const a = translate({ ...adaptive, tools: [{ name: "x", input_schema: {} }], stop_sequences: ["s"] });
    const b = translate({ stop_sequences: ["s"], tools: [{ name: "x", input_schema: {} }], ...adaptive });
    expect(a.body).toBe(b.body);
  });
});

describe("sealed reasoning that the provider cannot open", () => {
  const json = { error: { message: "no", param: null, code: "invalid_encrypted_content" } };
  const item = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" };
  const amend = (input: Json) =>
    translate({}).amend?.({ status: 400, headers: new Headers(), json, text: "" }, { input });

  test("is left out, all of it", () => {
    expect(amend([item, { role: "user" }, item, { role: "assistant" }])).toEqual({
      field: "input",
      value: [{ role: "user" }, { role: "assistant" }],
    });
  });

  test("is not the cause where none was sent", () => {
    expect(amend([{ role: "user" }])).toBeNull();
    expect(amend("Hi")).toBeNull();
  });
});

describe("a refused summary", () => {
  const refused = { error: { message: "no", param: "reasoning.summary", code: "unsupported_value" } };
  const error = (status: number, json: JsonObject) => ({ status, headers: new Headers(), json, text: "" });

  const amend = (fields: JsonObject, failure: ReturnType<typeof error>) => {
    const translated = translate(fields);
    return translated.amend?.(failure, JSON.parse(translated.body) as JsonObject);
  };

  test("is taken back, the effort kept", () => {
    const both = { ...adaptive, output_config: { effort: "low" } };
    expect(amend(both, error(400, refused))).toEqual({ field: "reasoning", value: { effort: "low" } });
    expect(amend(adaptive, error(400, refused))).toEqual({ field: "reasoning", drop: true });
  });

  test("is nothing to any other error, or where none was asked for", () => {
    expect(amend(adaptive, error(500, refused))).toBeNull();
    expect(amend(adaptive, error(400, { error: { param: "input" } }))).toBeNull();
    expect(amend({}, error(400, refused))).toBeNull();
  });
});
