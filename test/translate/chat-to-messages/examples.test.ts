import { describe, expect, test } from "bun:test";
import { chatToMessages } from "../../../src/translate/chat-to-messages/index.ts";
import { ending, json, open, openTool, replyContext, stop, text, translateText } from "./support.ts";
import type { JsonObject } from "../../../src/base/json.ts";

const M = '"claude-sonnet-4-5-20250929"';
const S = '{"type":"object","properties":{"city":{"type":"string"}}}';
const F = '"type":"function","function":{"name":"weather"';
const request = (more: string): string =>
  `{"model":${M},"seed":7,"max_completion_tokens":1024,"parallel_tool_calls":false,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Paris or Oslo?"},` +
  ` {"role":"assistant","content":null,"tool_calls":[{"id":"toolu_01A",${F},"arguments":"{\\"city\\": \\"Paris\\"}"}}]},` +
  ` {"role":"tool","tool_call_id":"toolu_01A","content":"18 C"}],"tools":[{${F},"description":"Now","parameters":${S}}}]${more}}`;
const upstream = (more: string): string =>
  `{"model":${M},"max_tokens":1024,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Paris or Oslo?"}]},` +
  `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A","name":"weather","input":{"city":"Paris"}}]},` +
  `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A","content":"18 C"}]}],` +
  `"tools":[{"name":"weather","description":"Now","input_schema":${S}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}${more}}`;
const USAGE =
  '"usage":{"prompt_tokens":430,"completion_tokens":25,"total_tokens":455,"prompt_tokens_details":{"cached_tokens":400,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}';

describe("a Chat client's request for Claude with tools, buffered", () => {
  const translated = translateText(request(""));

  test("is sent to the byte, with the seed dropped", () => {
    expect(translated.body).toBe(upstream(""));
    expect(translated.dropped).toEqual(["seed"]);
    expect(translated.adapted).toEqual([]);
    expect(translated.upstreamStream).toBe(false);
  });

  test("is answered to the byte", () => {
    const answer = JSON.parse(
      `{"id":"msg_01X","type":"message","role":"assistant","model":${M},"content":[{"type":"text","text":"Now Oslo."},{"type":"tool_use","id":"toolu_01B","name":"weather","input":{"city":"Oslo"}}],` +
        '"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":30,"cache_creation_input_tokens":0,"cache_read_input_tokens":400,"output_tokens":25,"service_tier":"standard"}}',
    ) as JsonObject;
    const reply = translated.response(answer, replyContext, []);
    expect(JSON.stringify(reply.body)).toBe(
      `{"id":"chatcmpl-01X","object":"chat.completion","created":1766000000,"model":${M},"choices":[{"index":0,"message":{"role":"assistant","content":"Now Oslo.","refusal":null,"annotations":[],` +
        `"tool_calls":[{"id":"toolu_01B",${F},"arguments":"{\\"city\\":\\"Oslo\\"}"}}]},"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"tool_use"}],` +
        `${USAGE},"service_tier":"default","system_fingerprint":null}`,
    );
  });
});

const cached = { input_tokens: 30, cache_creation_input_tokens: 0, cache_read_input_tokens: 400 };
const EVENTS: readonly JsonObject[] = [
  {
    type: "message_start",
    message: {
      id: "msg_01X",
      type: "message",
      role: "assistant",
      model: "claude-sonnet-4-5-20250929",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...cached, output_tokens: 1 },
    },
  },
  open(0, { type: "text", text: "" }),
  { type: "ping" },
  text(0, "Now Oslo."),
  stop(0),
  openTool(1, "toolu_01B"),
  json(1, ""),
  json(1, '{"city": "Oslo"}'),
  stop(1),
  ...ending("tool_use", { ...cached, output_tokens: 25 }),
];

describe("the same, streamed", () => {
  const chunk = (rest: string, usage: string): string =>
    `data: {"id":"chatcmpl-01X","object":"chat.completion.chunk","created":1766000000,"model":${M},"system_fingerprint":null,"choices":[${rest}]${usage}}\n\n`;
  const expected = (withUsage: boolean): string[] => {
    const usage = withUsage ? ',"usage":null' : "";
    const part = (value: string): string =>
      chunk(`{"index":0,"delta":${value},"logprobs":null,"finish_reason":null}`, usage);
    return [
      part('{"role":"assistant","content":""}'),
      "",
      ": ping\n\n",
      part('{"content":"Now Oslo."}'),
      "",
      part(`{"tool_calls":[{"index":0,"id":"toolu_01B",${F},"arguments":""}}]}`),
      "",
      part('{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\": \\"Oslo\\"}"}}]}'),
      "",
      "",
      chunk(
        '{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"tool_use"}',
        usage,
      ),
    ];
  };

  test("is sent to the byte with stream last", () => {
    const translated = translateText(request(',"stream":true,"stream_options":{"include_usage":true}'));
    expect(translated.body).toBe(upstream(',"stream":true'));
    expect(translated.upstreamStream).toBe(true);
  });

  for (const withUsage of [true, false]) {
    test(`gives each frame with the event it belongs to, ${withUsage ? "with" : "without"} usage`, () => {
      const more = withUsage ? ',"stream":true,"stream_options":{"include_usage":true}' : ',"stream":true';
      const stream = translateText(request(more)).stream(replyContext);
      const out = EVENTS.map((event) =>
        stream
          .push(event, String(event["type"]))
          .map((frame) => frame.text)
          .join(""),
      );
      expect(out).toEqual(expected(withUsage));
      const end = stream.end().map((frame) => frame.text);
      expect(end).toEqual([...(withUsage ? [chunk("", `,${USAGE}`)] : []), "data: [DONE]\n\n"]);
    });
  }

  test("carries in each frame the JSON of its text", () => {
    const stream = translateText(request(',"stream":true,"stream_options":{"include_usage":true}')).stream(
      replyContext,
    );
    const frames = [...EVENTS.flatMap((event) => stream.push(event, "")), ...stream.end()];
    for (const frame of frames) {
      if (frame.json !== null) expect(`data: ${JSON.stringify(frame.json)}\n\n`).toBe(frame.text);
    }
  });
});

describe("errors across formats", () => {
  test("an overloaded Claude is a 503 to a Chat client", () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_3" };
    const translated = chatToMessages.error(
      { status: 529, headers: new Headers(), json: body, text: JSON.stringify(body) },
      502,
    );
    expect(translated).toEqual({
      status: 503,
      error: { message: "Overloaded", status: 503, type: "server_error", code: "overloaded", param: null },
      headers: {},
    });
  });
});
