import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { sha256Hex } from "../../../src/base/ids.ts";
import { SIGNATURE_PREFIX } from "../../../src/translate/maps/reasoning-signature.ts";
import { answer, message, replyContext, translate } from "./support.ts";

const PLAIN = translate({});
const call = (args: string, more: JsonObject = {}): JsonObject => ({
  id: "call_1",
  type: "function",
  function: { name: "f", arguments: args },
  ...more,
});
const read = (reply: JsonObject): Record<string, Json> => message(PLAIN, reply);

describe("a buffered answer", () => {
  test("#50 is a Message, keys in Anthropic's order", () => {
    const result = PLAIN.response(answer({ content: "Hello" }), replyContext, []);
    if (result.kind !== "answer") throw new Error("not an answer");
    expect(JSON.stringify(result.body)).toBe(
      '{"id":"msg_AbC1","type":"message","role":"assistant","model":"gpt-4.1-2025-04-14","content":[{"type":"text","text":"Hello"}],' +
        '"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,' +
        '"output_tokens":5,"output_tokens_details":{"thinking_tokens":0},"service_tier":null}}',
    );
    expect(result.adapted).toEqual([]);
  });

  test("text comes before calls; a call makes it tool_use, even with finish stop", () => {
    const body = read(answer({ content: "a", tool_calls: [call('{"x":1}'), call("{}", { id: "call_2" })] }, "stop"));
    expect(body["content"]).toEqual([
      { type: "text", text: "a" },
      { type: "tool_use", id: "call_1", name: "f", input: { x: 1 } },
      { type: "tool_use", id: "call_2", name: "f", input: {} },
    ]);
    expect(body["stop_reason"]).toBe("tool_use");
  });

  test("a call in the older function_call form is a tool_use", () => {
    const body = read(answer({ content: null, function_call: { name: "f", arguments: '{"x":1}' } }, "function_call"));
    expect(body["content"]).toMatchObject([{ type: "tool_use", name: "f", input: { x: 1 } }]);
    expect(body["stop_reason"]).toBe("tool_use");
  });

  test("a custom tool's text is the field `input` of its call", () => {
    const call = { id: "call_1", type: "custom", custom: { name: "math", input: '4 + "4"' } };
    const body = read(answer({ content: null, tool_calls: [call] }, "tool_calls"));
    expect(body["content"]).toEqual([{ type: "tool_use", id: "call_1", name: "math", input: { input: '4 + "4"' } }]);
  });

  const inputs: readonly (readonly [string, Json, boolean])[] = [
    ["", {}, false],
    ["  ", {}, false],
    ["null", {}, false],
    ['{"a":1}', { a: 1 }, false],
    ['{"a":', { _raw_arguments: '{"a":' }, true],
    ["[1]", { _raw_arguments: "[1]" }, true],
  ];

  test.each(inputs)("#7 arguments %j", (text, input, isAdapted) => {
    const result = PLAIN.response(answer({ content: null, tool_calls: [call(text)] }), replyContext, []);
    if (result.kind !== "answer") throw new Error("not an answer");
    expect((result.body["content"] as readonly JsonObject[])[0]?.["input"]).toEqual(input);
    expect(result.adapted).toEqual(isAdapted ? ["content[0].input"] : []);
  });

  test("keeps a 20-digit integer of arguments intact", () => {
    const result = PLAIN.response(answer({ tool_calls: [call('{"id":12345678901234567890}')] }), replyContext, []);
    if (result.kind !== "answer") throw new Error("not an answer");
    expect(JSON.stringify(result.body)).toContain('"input":{"id":12345678901234567890}');
  });

  test("a missing tool id is minted from the answer's id and the call's place", () => {
    const body = read(answer({ tool_calls: [{ type: "function", function: { name: "f", arguments: "{}" } }] }));
    expect((body["content"] as readonly JsonObject[])[0]?.["id"]).toBe(`toolu_${sha256Hex("msg_AbC1:0", 24)}`);
  });

  test("nothing at all is an empty content with its reason", () => {
    const body = read(answer({ content: "" }, "length"));
    expect([body["content"], body["stop_reason"]]).toEqual([[], "max_tokens"]);
  });

  test("#55 a refusal is its text and stop_reason refusal", () => {
    const body = read(answer({ content: null, refusal: "I cannot." }, "stop"));
    expect(body["content"]).toEqual([{ type: "text", text: "I cannot." }]);
    expect(body["stop_reason"]).toBe("refusal");
    expect(body["stop_details"]).toEqual({ type: "refusal", category: null, explanation: "I cannot." });
  });

  test("#55 content_filter keeps the partial text", () => {
    const body = read(answer({ content: "Well" }, "content_filter"));
    expect(body["content"]).toEqual([{ type: "text", text: "Well" }]);
    expect(body["stop_reason"]).toBe("refusal");
    expect((body["stop_details"] as JsonObject)["explanation"]).toBeTruthy();
  });

  test("several choices are merged", () => {
    const reply = answer({});
    const body = read({
      ...reply,
      choices: [
        { index: 0, message: { content: "a" }, finish_reason: "stop" },
        { index: 1, message: { content: null, tool_calls: [call("{}")] }, finish_reason: "tool_calls" },
      ],
    });
    expect((body["content"] as readonly JsonObject[]).map((block) => block["type"])).toEqual(["text", "tool_use"]);
    expect(body["stop_reason"]).toBe("tool_use");
  });

  test("#44 reasoning that came as text is a thinking block first, with a signature of ours", () => {
    const body = read(answer({ content: "a", reasoning_content: "hmm" }));
    const [thinking, text] = body["content"] as readonly JsonObject[];
    expect([thinking?.["type"], thinking?.["thinking"], text?.["text"]]).toEqual(["thinking", "hmm", "a"]);
    expect((thinking?.["signature"] as string).startsWith(SIGNATURE_PREFIX)).toBe(true);
  });

  test("#17 #18 #20 usage leaves cache reads and writes out of input_tokens", () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 4 },
    };
    expect(read(answer({ content: "a" }, "stop", { usage }))["usage"]).toEqual({
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 60,
      output_tokens: 7,
      output_tokens_details: { thinking_tokens: 4 },
      service_tier: null,
    });
  });

  test.each([
    ["default", "standard"],
    ["priority", "priority"],
    ["fast", "priority"],
    ["flex", null],
  ])("service_tier %s is %p", (tier, expected) => {
    const usage = read(answer({ content: "a" }, "stop", { service_tier: tier }))["usage"] as JsonObject;
    expect(usage["service_tier"]).toBe(expected);
  });

  test("url citations point into the text", () => {
    const annotations = [
      { type: "url_citation", url_citation: { url: "https://a.test", title: "A", start_index: 4, end_index: 8 } },
      { type: "file_citation" },
    ];
    expect(read(answer({ content: "See Oslo.", annotations }))["content"]).toEqual([
      {
        type: "text",
        text: "See Oslo.",
        citations: [
          {
            type: "web_search_result_location",
            url: "https://a.test",
            title: "A",
            encrypted_index: "",
            cited_text: "Oslo",
          },
        ],
      },
    ]);
  });

  test.each([
    ["chatcmpl-9aB_c-1", "msg_9aBc1"],
    ["resp_0f", "msg_0f"],
  ])("id %s becomes %s", (id, expected) => {
    expect(read(answer({ content: "a" }, "stop", { id }))["id"]).toBe(expected);
  });

  test("names the model that the gateway wants shown", () => {
    const result = PLAIN.response(answer({ content: "a" }), { ...replyContext, modelShown: "claude-x" }, []);
    expect(result.kind === "answer" && result.body["model"]).toBe("claude-x");
  });

  test("stop sequences that the gateway matches cut the text and the calls behind it", () => {
    const scanning = translate({ stop_sequences: ["END"] }, { model: "o3" });
    const body = message(scanning, answer({ content: "a END b", tool_calls: [call("{}")] }, "tool_calls"));
    expect(body["content"]).toEqual([{ type: "text", text: "a " }]);
    expect([body["stop_reason"], body["stop_sequence"]]).toEqual(["stop_sequence", "END"]);
  });

  test("#32 a repeated prefill is cut, one that is not repeated is not", () => {
    const messages = [
      { role: "user", content: "a" },
      { role: "assistant", content: "The sky" },
    ];
    const prefilled = translate({ messages });
    expect(message(prefilled, answer({ content: "The sky is blue" }))["content"]).toEqual([
      { type: "text", text: " is blue" },
    ]);
    expect(message(prefilled, answer({ content: " is blue" }))["content"]).toEqual([
      { type: "text", text: " is blue" },
    ]);
    expect(message(prefilled, answer({ content: "The" }))["content"]).toEqual([{ type: "text", text: "The" }]);
  });
});
