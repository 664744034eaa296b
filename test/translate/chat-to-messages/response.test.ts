import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { at, replyContext, translate, WEATHER, type Setup } from "./support.ts";

interface Answer {
  readonly content?: readonly JsonObject[];
  readonly [key: string]: unknown;
}

const text = (value: string, more: object = {}): JsonObject => ({ type: "text", text: value, ...more });
const use = (id: string, input: JsonObject = {}, name = "weather"): JsonObject => ({
  type: "tool_use",
  id,
  name,
  input,
});

function reply(answer: Answer, fields: object = {}, setup: Setup = {}, context = replyContext): unknown {
  const full = {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-x",
    stop_reason: "end_turn",
    content: [],
    ...answer,
  };
  return translate({ tools: [WEATHER], ...fields }, setup).response(full, context, []).body;
}

const message = (body: unknown): unknown => at(body, "choices", 0, "message");

describe("envelope", () => {
  test("id, object, created, model, one choice, fingerprint", () => {
    const body = reply({});
    expect(at(body, "id")).toBe("chatcmpl-01");
    expect(at(body, "object")).toBe("chat.completion");
    expect(at(body, "created")).toBe(1_766_000_000);
    expect(at(body, "model")).toBe("claude-x");
    expect(at(body, "choices")).toHaveLength(1);
    expect(at(body, "system_fingerprint")).toBeNull();
  });

  test("the model shown can be another", () => {
    expect(at(reply({}, {}, {}, { ...replyContext, modelShown: "asked" }), "model")).toBe("asked");
  });

  test.each([
    ["standard", "default"],
    ["priority", "priority"],
    ["batch", undefined],
    [null, undefined],
  ])("service tier %p is %p", (tier, expected) => {
    expect(at(reply({ usage: { input_tokens: 1, output_tokens: 1, service_tier: tier } }), "service_tier")).toBe(
      expected,
    );
  });
});

describe("content", () => {
  test.each([
    ["texts are joined (pitfall 57)", [text("a"), text("b "), text("c")], "ab c"],
    ["nothing at all", [], ""],
    ["only a call", [use("a")], null],
    ["text and a call", [text("a"), use("a")], "a"],
    [
      "server tools' blocks are nothing",
      [{ type: "server_tool_use", id: "s", name: "web_search", input: {} }, text("a")],
      "a",
    ],
  ])("%s", (_name, content, expected) => {
    expect(at(message(reply({ content })), "content")).toBe(expected);
  });

  test("calls in order, arguments as JSON, {} stays {} (pitfall 7)", () => {
    const content = [
      use("a", { city: "Oslo" }),
      { type: "server_tool_use", id: "s", name: "web_search", input: {} },
      { ...use("b"), caller: { type: "direct" } },
    ];
    expect(at(message(reply({ content, stop_reason: "tool_use" })), "tool_calls")).toEqual([
      { id: "a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
      { id: "b", type: "function", function: { name: "weather", arguments: "{}" } },
    ]);
  });

  test("no calls: no tool_calls key", () => {
    expect(Object.keys(message(reply({ content: [text("a")] })) as object)).toEqual([
      "role",
      "content",
      "refusal",
      "annotations",
    ]);
  });

  test("a custom tool's call comes back as its text", () => {
    const fields = { tools: [{ type: "custom", custom: { name: "run" } }] };
    const body = reply({ content: [use("a", { input: "ls\n" }, "run")], stop_reason: "tool_use" }, fields);
    expect(at(message(body), "tool_calls")).toEqual([
      { id: "a", type: "custom", custom: { name: "run", input: "ls\n" } },
    ]);
  });

  test("a wrapped argument is unwrapped", () => {
    const fields = { tools: [{ type: "function", function: { name: "f", parameters: { type: "array" } } }] };
    const body = reply({ content: [use("a", { value: [1, 2] }, "f")], stop_reason: "tool_use" }, fields);
    expect(at(message(body), "tool_calls", 0, "function", "arguments")).toBe("[1,2]");
  });

  test("legacy functions: the first call, in function_call", () => {
    const fields = { tools: undefined, functions: [{ name: "weather" }] };
    const body = reply({ content: [use("a", { x: 1 }), use("b")], stop_reason: "tool_use" }, fields);
    expect(at(message(body), "function_call")).toEqual({ name: "weather", arguments: '{"x":1}' });
    expect(at(message(body), "tool_calls")).toBeUndefined();
    expect(at(body, "choices", 0, "finish_reason")).toBe("function_call");
  });
});

describe("finish_reason", () => {
  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["pause_turn", "stop"],
    ["refusal", "content_filter"],
    ["compaction", "stop"],
    ["brand_new", "stop"],
    [null, "stop"],
  ])("%p becomes %p and stays in native_finish_reason", (native, expected) => {
    const choice = at(reply({ content: [text("a")], stop_reason: native }), "choices", 0);
    expect(at(choice, "finish_reason")).toBe(expected);
    expect(at(choice, "native_finish_reason")).toBe(native);
  });

  test("a call cut by max_tokens is length", () => {
    expect(at(reply({ content: [use("a")], stop_reason: "max_tokens" }), "choices", 0, "finish_reason")).toBe("length");
  });

  test("a refusal has its explanation, the partial text stays (pitfall 55)", () => {
    const explained = reply({
      content: [text("Well")],
      stop_reason: "refusal",
      stop_details: { type: "refusal", explanation: "No." },
    });
    expect(at(message(explained), "refusal")).toBe("No.");
    expect(at(message(explained), "content")).toBe("Well");
    expect(at(message(reply({ stop_reason: "refusal", stop_details: null })), "refusal")).toBe(
      "The model declined to answer this request.",
    );
    expect(at(message(reply({ stop_details: null })), "refusal")).toBeNull();
  });

  test("a stop sequence of white space cuts the text", () => {
    const body = reply({ content: [text("a\n\nb")] }, { stop: ["\n\n"] });
    expect(at(message(body), "content")).toBe("a");
    expect(at(body, "choices", 0, "finish_reason")).toBe("stop");
    expect(at(body, "choices", 0, "native_finish_reason")).toBe("stop_sequence");
  });
});

describe("usage", () => {
  test("prompt tokens count cache reads and writes (pitfalls 17-19)", () => {
    const usage = {
      input_tokens: 10,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 30,
      output_tokens: 5,
      output_tokens_details: { thinking_tokens: 3 },
      cache_creation: { ephemeral_5m_input_tokens: 20 },
      server_tool_use: { web_search_requests: 1 },
    };
    expect(at(reply({ usage }), "usage")).toEqual({
      prompt_tokens: 60,
      completion_tokens: 5,
      total_tokens: 65,
      prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 3 },
      cache_creation: { ephemeral_5m_input_tokens: 20 },
      server_tool_use: { web_search_requests: 1 },
    });
  });
});

describe("citations", () => {
  const web = (url: string): JsonObject => ({
    type: "web_search_result_location",
    url,
    title: "T",
    cited_text: "c",
    encrypted_index: "e",
  });
  const other: JsonObject = { type: "char_location", document_index: 0, cited_text: "c" };

  test("web citations are annotations over the joined text, others an extension", () => {
    const body = reply({
      content: [
        text("ab"),
        text("cde", { citations: [web("https://a.example"), other] }),
        text("f", { citations: null }),
      ],
    });
    expect(at(message(body), "annotations")).toEqual([
      { type: "url_citation", url_citation: { url: "https://a.example", title: "T", start_index: 2, end_index: 5 } },
    ]);
    expect(at(message(body), "citations")).toEqual([other]);
  });
});

describe("pause_turn", () => {
  const search = { tools: undefined, web_search_options: {} };
  const paused = (id: string, block: JsonObject): JsonObject => ({
    id,
    type: "message",
    role: "assistant",
    model: "c",
    stop_reason: "pause_turn",
    content: [block],
    usage: { input_tokens: 1, output_tokens: 2 },
  });

  test("is continued with the answer as the last turn, and joined", () => {
    const translated = translate(search);
    const first = paused("msg_1", text("a"));
    const go = translated.response(first, replyContext, []);
    expect(go.kind).toBe("continue");
    expect(at(JSON.parse(go.body as string), "messages", -1)).toEqual({ role: "assistant", content: [text("a")] });
    const second = translated.response(paused("msg_2", text("b")), replyContext, [first]);
    expect(at(JSON.parse(second.body as string), "messages", -1, "content")).toEqual([text("a"), text("b")]);
    const last = { ...paused("msg_3", text("c")), stop_reason: "end_turn" };
    const done = translated.response(last, replyContext, [first, paused("msg_2", text("b"))]);
    expect(at(done.body, "id")).toBe("chatcmpl-1");
    expect(at(message(done.body), "content")).toBe("abc");
    expect(at(done.body, "usage", "prompt_tokens")).toBe(3);
    expect(at(done.body, "usage", "completion_tokens")).toBe(6);
  });

  test("is given up after eight times", () => {
    const translated = translate(search);
    const earlier = Array.from({ length: 8 }, (_, index) => paused(`msg_${index}`, text("a")));
    expect(translated.response(paused("msg_9", text("b")), replyContext, earlier.slice(1)).kind).toBe("continue");
    const done = translated.response(paused("msg_9", text("b")), replyContext, earlier);
    expect(done.kind).toBe("answer");
    expect(at(done.body, "choices", 0, "finish_reason")).toBe("stop");
  });

  test("without server tools is an ending", () => {
    expect(translate({}).response(paused("msg_1", text("a")), replyContext, []).kind).toBe("answer");
  });
});
