import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { readSignature } from "../../../src/translate/maps/reasoning-signature.ts";
import { assertMessagesStream } from "../../support/stream-invariants.ts";
import { anthropicMessages } from "../../../src/wire/anthropic-messages/index.ts";
import { answer, eventsOf, itemEvents, message, storyContext, stream, translate } from "./support.ts";

const PLAIN = translate({ stream: true });

const text = (value: string, annotations: readonly JsonObject[] = []): JsonObject => ({
  type: "message",
  content: [{ type: "output_text", text: value, annotations }],
});
const call = (args: string, more: JsonObject = {}): JsonObject => ({
  type: "function_call",
  call_id: "call_1",
  name: "look",
  arguments: args,
  ...more,
});
const reasoning = (...summary: readonly string[]): JsonObject => ({
  type: "reasoning",
  id: "rs_1",
  summary: summary.map((part) => ({ type: "summary_text", text: part })),
  encrypted_content: "sealed",
});
const incomplete = (reason: string): JsonObject => ({ status: "incomplete", incomplete_details: { reason } });

interface Row {
  readonly what: string;
  readonly reply: JsonObject;
  /** Blocks, thinking without its signature. */
  readonly content: readonly JsonObject[];
  readonly stop: string;
}

const ROWS: readonly Row[] = [
  { what: "text", reply: answer([text("Hello.")]), content: [{ type: "text", text: "Hello." }], stop: "end_turn" },
  { what: "nothing", reply: answer([]), content: [], stop: "end_turn" },
  { what: "an empty text", reply: answer([text("")]), content: [], stop: "end_turn" },
  {
    what: "#44 reasoning, its summary's parts joined",
    reply: answer([reasoning("a", "b"), text("x")]),
    content: [
      { type: "thinking", thinking: "a\n\nb" },
      { type: "text", text: "x" },
    ],
    stop: "end_turn",
  },
  {
    what: "reasoning without a summary",
    reply: answer([reasoning(), text("x")]),
    content: [
      { type: "thinking", thinking: "" },
      { type: "text", text: "x" },
    ],
    stop: "end_turn",
  },
  {
    what: "reasoning with nothing in it",
    reply: answer([{ type: "reasoning", id: "rs_1", summary: [] }, text("x")]),
    content: [{ type: "text", text: "x" }],
    stop: "end_turn",
  },
  {
    what: "#8 text and a call",
    reply: answer([text("I look."), call('{"a":1}')]),
    content: [
      { type: "text", text: "I look." },
      { type: "tool_use", id: "call_1", name: "look", input: { a: 1 } },
    ],
    stop: "tool_use",
  },
  {
    what: "#7 a call without arguments",
    reply: answer([call("")]),
    content: [{ type: "tool_use", id: "call_1", name: "look", input: {} }],
    stop: "tool_use",
  },
  {
    what: "a custom tool's call",
    reply: answer([{ type: "custom_tool_call", call_id: "call_1", name: "say", input: 'a "b"\n' }]),
    content: [{ type: "tool_use", id: "call_1", name: "say", input: { input: 'a "b"\n' } }],
    stop: "tool_use",
  },
  {
    what: "an answer cut for length",
    reply: answer([text("half")], incomplete("max_output_tokens")),
    content: [{ type: "text", text: "half" }],
    stop: "max_tokens",
  },
  {
    what: "a filtered answer",
    reply: answer([text("half")], incomplete("content_filter")),
    content: [{ type: "text", text: "half" }],
    stop: "refusal",
  },
  {
    what: "#55 a refusal",
    reply: answer([{ type: "message", content: [{ type: "refusal", refusal: "I can't." }] }]),
    content: [{ type: "text", text: "I can't." }],
    stop: "refusal",
  },
  {
    what: "several messages",
    reply: answer([text("a"), text("b")]),
    content: [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
    stop: "end_turn",
  },
  {
    what: "citations",
    reply: answer([
      text("See it.", [{ type: "url_citation", url: "https://a.b", title: "A", start_index: 0, end_index: 3 }]),
    ]),
    content: [
      {
        type: "text",
        text: "See it.",
        citations: [
          {
            type: "web_search_result_location",
            url: "https://a.b",
            title: "A",
            encrypted_index: "",
            cited_text: "See",
          },
        ],
      },
    ],
    stop: "end_turn",
  },
  {
    what: "a search",
    reply: answer([
      {
        type: "web_search_call",
        id: "ws_1",
        action: { type: "search", query: "q", sources: [{ type: "url", url: "https://a.b" }] },
      },
      text("x"),
    ]),
    content: [
      { type: "server_tool_use", id: "srvtoolu_ws1", name: "web_search", input: { query: "q" } },
      {
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_ws1",
        content: [
          {
            type: "web_search_result",
            url: "https://a.b",
            title: "https://a.b",
            encrypted_content: "",
            page_age: null,
          },
        ],
      },
      { type: "text", text: "x" },
    ],
    stop: "end_turn",
  },
  {
    what: "items that Anthropic has no shape for",
    reply: answer([{ type: "image_generation_call", id: "ig_1", result: "AA==" }, text("x")]),
    content: [{ type: "text", text: "x" }],
    stop: "end_turn",
  },
];

function withoutSignatures(content: Json | undefined): readonly Json[] {
  return (content as readonly JsonObject[]).map(({ signature: _signature, ...block }) => block);
}

describe("answers", () => {
  for (const { what, reply, content, stop } of ROWS) {
    test(`${what}, whole`, () => {
      const told = message(PLAIN, reply);
      expect(withoutSignatures(told["content"])).toEqual([...content]);
      expect(told["stop_reason"]).toBe(stop);
    });

    test.each([1, 3, 1000])(`${what}, streamed in pieces of %d`, (size) => {
      const frames = stream(PLAIN, eventsOf(reply, size));
      assertMessagesStream(frames);
      const gatherer = anthropicMessages.openGatherer();
      for (const { json } of frames) if (json !== null) gatherer.read(json, "");
      const told = gatherer.reply();
      expect(withoutSignatures(told["content"])).toEqual([...content]);
      expect(told["stop_reason"]).toBe(stop);
    });
  }

  test("the signature carries the item back", () => {
    const [thinking] = message(PLAIN, answer([reasoning("a"), text("x")]))["content"] as readonly JsonObject[];
    expect(readSignature(thinking?.["signature"])).toEqual({
      id: "rs_1",
      encryptedContent: "sealed",
      model: "gpt-5.6",
    });
  });

  test("a cut call does not look executable", () => {
    const reply = answer([call('{"path":"/')], incomplete("max_output_tokens"));
    const result = PLAIN.response(reply, storyContext, []);
    expect(result).toMatchObject({
      adapted: ["content[0].input"],
      body: { stop_reason: "max_tokens", content: [{ input: { _raw_arguments: '{"path":"/' } }] },
    });
  });

  test("a call without an id is given one, the same on each reading", () => {
    const reply = answer([call("{}", { call_id: "" })]);
    const [block] = message(PLAIN, reply)["content"] as readonly JsonObject[];
    expect(block?.["id"]).toMatch(/^toolu_[0-9a-f]{24}$/);
    expect(message(PLAIN, reply)["content"]).toEqual([block as JsonObject]);
    const started = stream(PLAIN, eventsOf(reply)).find(({ text: frame }) => frame.includes("content_block_start"));
    expect(started?.text).toContain(String(block?.["id"]));
  });

  test("the client's name of a tool comes back", () => {
    const name = "n".repeat(70);
    const translated = translate({ tools: [{ name, input_schema: {} }] });
    const { tools } = JSON.parse(translated.body) as { tools: readonly { name: string }[] };
    const reply = answer([call("{}", { name: tools[0]?.name ?? "" })]);
    expect(message(translated, reply)["content"]).toMatchObject([{ name }]);
  });

  test("a stop sequence across deltas ends the answer: nothing of what follows is shown", () => {
    const translated = translate({ stop_sequences: ["STOP"], stream: true });
    const reply = answer([text("one STOP two"), call("{}"), reasoning("x")]);
    for (const size of [1, 2, 100]) {
      const frames = stream(translated, eventsOf(reply, size));
      const { blocks, delta } = assertMessagesStream(frames);
      expect(blocks.map((block) => block.text)).toEqual(["one "]);
      expect(delta).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "STOP" });
    }
    expect(message(translated, reply)).toMatchObject({
      content: [{ type: "text", text: "one " }],
      stop_reason: "stop_sequence",
    });
  });

  test("halves of a surrogate pair stay together", () => {
    const frames = stream(PLAIN, [
      ...itemEvents(text("a😀b"), 0, 2),
      { type: "response.completed", response: answer([]) },
    ]);
    assertMessagesStream(frames);
  });

  test("usage excludes what the cache gave; without any, the gateway's estimate is shown", () => {
    const usage = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 15 },
    };
    const counters = {
      input_tokens: 30,
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 60,
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 15 },
    };
    const reply = answer([text("x")], { usage, service_tier: "priority" });
    expect(message(PLAIN, reply)["usage"]).toEqual({ ...counters, service_tier: "priority" });
    expect(assertMessagesStream(stream(PLAIN, eventsOf(reply))).usage).toEqual(counters);

    const translator = PLAIN.stream(storyContext);
    const silent = answer([text("x")], { usage: null });
    const frames = eventsOf(silent).flatMap((event) => [...translator.push(event, "")]);
    translator.setFallbackUsage({
      input: 7,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 1,
      reasoning: 0,
      source: "estimated",
    });
    expect(assertMessagesStream([...frames, ...translator.end()]).usage).toMatchObject({ input_tokens: 7 });
  });

  test("a name for the model may be shown instead of the upstream's", () => {
    const shown = { ...storyContext, modelShown: "mine" };
    const result = PLAIN.response(answer([]), shown, []);
    expect(result).toMatchObject({ body: { id: "msg_0aB1", model: "mine" } });
  });
});
