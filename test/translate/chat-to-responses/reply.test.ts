import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { chatToResponses } from "../../../src/translate/chat-to-responses/index.ts";
import type { StreamFrame, Translated } from "../../../src/translate/translator.ts";
import { openAiChat } from "../../../src/wire/openai-chat/index.ts";
import { assertChatStream } from "../../support/stream-invariants.ts";
import { answer, eventsOf } from "../messages-to-responses/support.ts";
import { storyContext, translate } from "./support.ts";

const look = { type: "function", function: { name: "look" } };
const PLAIN = translate({ stream: true, tools: [look] });
const text = (value: string, annotations: readonly JsonObject[] = []): JsonObject => ({
  type: "message",
  content: [{ type: "output_text", text: value, annotations }],
});
const call = (args: string, id = "c1"): JsonObject => ({
  type: "function_call",
  call_id: id,
  name: "look",
  arguments: args,
});
const reasoning = (summary: string): JsonObject => ({
  type: "reasoning",
  id: "rs_1",
  summary: summary === "" ? [] : [{ type: "summary_text", text: summary }],
  encrypted_content: "sealed",
});
const functionCall = (args: string, id = "c1"): JsonObject => ({
  id,
  type: "function",
  function: { name: "look", arguments: args },
});

function stream(translated: Translated, events: readonly JsonObject[]): readonly StreamFrame[] {
  const translator = translated.stream(storyContext);
  const frames: StreamFrame[] = [];
  for (const event of events) {
    if (translator.done) break;
    frames.push(...translator.push(event, ""));
  }
  return [...frames, ...translator.end()];
}

interface Row {
  readonly what: string;
  readonly reply: JsonObject;
  /** Fields of the message; undefined: absent. */
  readonly message: Readonly<Record<string, Json | undefined>>;
  readonly finish: string;
  readonly native: string;
}

const ROWS: readonly Row[] = [
  {
    what: "text",
    reply: answer([text("Hello.")]),
    message: { content: "Hello.", refusal: null, tool_calls: undefined, reasoning_details: undefined },
    finish: "stop",
    native: "completed",
  },
  { what: "nothing", reply: answer([]), message: { content: "" }, finish: "stop", native: "completed" },
  {
    what: "several messages, parted by an empty line",
    reply: answer([text("I look."), text(""), text("Done.")]),
    message: { content: "I look.\n\nDone." },
    finish: "stop",
    native: "completed",
  },
  {
    what: "parallel calls",
    reply: answer([call('{"a":1}'), call("", "c2")]),
    message: { tool_calls: [functionCall('{"a":1}'), functionCall("{}", "c2")] },
    finish: "tool_calls",
    native: "completed",
  },
  {
    what: "a custom tool's call",
    reply: answer([{ type: "custom_tool_call", call_id: "c1", name: "say", input: 'a "b"' }]),
    message: { tool_calls: [{ id: "c1", type: "custom", custom: { name: "say", input: 'a "b"' } }] },
    finish: "tool_calls",
    native: "completed",
  },
  {
    what: "a cut answer",
    reply: answer([text("half"), call('{"a')], {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    }),
    message: { content: "half" },
    finish: "length",
    native: "max_output_tokens",
  },
  {
    what: "a filtered answer",
    reply: answer([text("half")], { status: "incomplete", incomplete_details: { reason: "content_filter" } }),
    message: { content: "half" },
    finish: "content_filter",
    native: "content_filter",
  },
  {
    what: "a refusal",
    reply: answer([{ type: "message", content: [{ type: "refusal", refusal: "I can't." }] }]),
    message: { refusal: "I can't." },
    finish: "stop",
    native: "completed",
  },
  {
    what: "a summary",
    reply: answer([reasoning("a"), text("x"), reasoning("b"), call("{}")]),
    message: { reasoning_content: "a\n\nb", content: "x" },
    finish: "tool_calls",
    native: "completed",
  },
];

describe("answers", () => {
  for (const { what, reply, message, finish, native } of ROWS) {
    test(`${what}, whole`, () => {
      const result = PLAIN.response(reply, storyContext, []);
      if (result.kind !== "answer") throw new Error("not an answer");
      const [choice] = result.body["choices"] as readonly JsonObject[];
      expect(choice).toMatchObject({ finish_reason: finish, native_finish_reason: native });
      const told = choice?.["message"] as JsonObject;
      for (const [key, value] of Object.entries(message)) expect(told[key]).toEqual(value as Json);
    });

    test.each([1, 4, 1000])(`${what}, streamed in pieces of %d`, (size) => {
      const frames = stream(PLAIN, eventsOf(reply, size));
      assertChatStream(frames, { usage: false });
      const gatherer = openAiChat.openGatherer();
      for (const { json } of frames) if (json !== null) gatherer.read(json, "");
      const [choice] = gatherer.reply()["choices"] as readonly JsonObject[];
      expect(choice?.["finish_reason"]).toBe(finish);
      const told = choice?.["message"] as JsonObject;
      for (const [key, value] of Object.entries(message)) {
        if (value !== null && value !== undefined) expect(told[key]).toEqual(value);
      }
    });
  }

  test("reasoning is given back whole and once, with its places", () => {
    const frames = stream(PLAIN, eventsOf(answer([reasoning("a"), text("x"), reasoning(""), call("{}")])));
    const details = frames.filter(({ text: frame }) => frame.includes('"reasoning_details"'));
    expect(details).toHaveLength(1);
    expect(details[0]?.json).toMatchObject({
      choices: [
        {
          delta: {
            reasoning_details: [
              { text: "a", format: "openai-responses-v1", index: 0, block: 0 },
              { text: "", index: 1, block: 2 },
            ],
          },
        },
      ],
    });
  });

  test("callers of functions get one function_call", () => {
    const legacy = translate({ functions: [{ name: "look" }], stream: true });
    const reply = answer([call("{}"), call("{}", "c2")]);
    expect(legacy.response(reply, storyContext, [])).toMatchObject({
      body: {
        choices: [{ finish_reason: "function_call", message: { function_call: { name: "look", arguments: "{}" } } }],
      },
    });
    const frames = stream(legacy, eventsOf(reply));
    expect(frames.filter(({ text: frame }) => frame.includes('"name":"look"'))).toHaveLength(1);
    expect(frames.at(-2)?.text).toContain('"finish_reason":"function_call"');
  });

  test("annotations are placed in the whole content", () => {
    const cited = text("See it.", [
      { type: "url_citation", url: "https://a.b", title: "A", start_index: 0, end_index: 3 },
    ]);
    const annotations = [
      { type: "url_citation", url_citation: { url: "https://a.b", title: "A", start_index: 7, end_index: 10 } },
    ];
    const reply = answer([text("First"), cited]);
    expect(PLAIN.response(reply, storyContext, [])).toMatchObject({
      body: { choices: [{ message: { content: "First\n\nSee it.", annotations } }] },
    });
    expect(stream(PLAIN, eventsOf(reply)).at(-2)?.json).toMatchObject({ choices: [{ delta: { annotations } }] });
  });

  test("a stop sequence ends the text, and calls behind it are not shown", () => {
    const stopping = translate({ stop: ["STOP"], stream: true, stream_options: { include_usage: true } });
    const reply = answer([text("one STOP two"), call("{}")]);
    expect(stopping.response(reply, storyContext, [])).toMatchObject({
      body: {
        choices: [{ finish_reason: "stop", native_finish_reason: "stop_sequence", message: { content: "one " } }],
      },
    });
    const frames = stream(stopping, eventsOf(reply, 2));
    const gatherer = openAiChat.openGatherer();
    for (const { json } of frames) if (json !== null) gatherer.read(json, "");
    expect(gatherer.reply()).toMatchObject({ choices: [{ finish_reason: "stop", message: { content: "one " } }] });
  });

  test("usage has Chat's names, and comes as a chunk only when asked for", () => {
    const usage = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 15 },
    };
    const counts = {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 60 },
      completion_tokens_details: { reasoning_tokens: 15 },
    };
    const reply = answer([text("x")], { usage });
    expect(PLAIN.response(reply, storyContext, [])).toMatchObject({ body: { usage: counts } });
    const asked = translate({ stream: true, stream_options: { include_usage: true } });
    const frames = stream(asked, eventsOf(reply));
    assertChatStream(frames, { usage: true });
    expect(frames.at(-2)?.json).toMatchObject({ choices: [], usage: counts });
  });
});

describe("errors", () => {
  const told = (status: number, error: JsonObject, auth: 401 | 502 = 502) =>
    chatToResponses.error({ status, headers: new Headers(), json: { error }, text: "" }, auth);

  test("keep OpenAI's words, without the name of a field that the client did not send", () => {
    const error = { message: "no", type: "invalid_request_error", code: "unsupported_value", param: "input[0]" };
    expect(told(400, error)).toEqual({ status: 400, error: { ...error, status: 400, param: null }, headers: {} });
  });

  test("of the gateway's key are not the client's", () => {
    const error = { message: "bad key", type: "invalid_request_error", code: "invalid_api_key", param: null };
    expect(told(401, error)).toMatchObject({
      status: 502,
      error: { type: "server_error", code: "upstream_auth_error" },
      headers: { "x-should-retry": "false" },
    });
    expect(told(401, error, 401)).toMatchObject({ status: 401, error: { code: "invalid_api_key" } });
  });

  test("of a spent quota are not tried again, and rate limits keep their names", () => {
    expect(told(429, { message: "spent", code: "insufficient_quota" })).toMatchObject({
      status: 429,
      headers: { "x-should-retry": "false" },
    });
    const headers = new Headers({ "x-ratelimit-reset-tokens": "6ms", server: "x" });
    expect(chatToResponses.headers(headers, 0)).toEqual({ "x-ratelimit-reset-tokens": "6ms" });
  });

  test("that are no JSON are summarised", () => {
    const error = chatToResponses.error({ status: 503, headers: new Headers(), json: null, text: "<html>" }, 502);
    expect(error.error).toMatchObject({ message: "upstream answered 503: <html>", type: "server_error" });
  });
});
