import { describe, expect, test } from "bun:test";
import { messagesToChat } from "../../../src/translate/messages-to-chat/index.ts";
import { formatByName } from "../../../src/wire/formats.ts";
import { assertMessagesStream } from "../../support/stream-invariants.ts";
import { chunk, replyContext, translateText } from "./support.ts";

const S = '{"type":"object","properties":{"city":{"type":"string"}}}';
const REQUEST =
  '{"model":"gpt-4.1","max_tokens":512,"stream":true,"top_k":5,"system":"Be brief.",' +
  `"messages":[{"role":"user","content":"Paris and Oslo?"}],"tools":[{"name":"weather","input_schema":${S}}],"tool_choice":{"type":"any"}}`;

function call(index: number, id: string): ReturnType<typeof chunk> {
  return chunk({ tool_calls: [{ index, id, type: "function", function: { name: "weather", arguments: "" } }] });
}

function fragment(index: number, text: string): ReturnType<typeof chunk> {
  return chunk({ tool_calls: [{ index, function: { arguments: text } }] });
}

function event(type: string, rest: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${rest}}\n\n`;
}

const A = '"cache_creation_input_tokens":0,"cache_read_input_tokens":0';
const OUT = [
  event(
    "message_start",
    `,"message":{"id":"msg_AbC1","type":"message","role":"assistant","model":"gpt-4.1-2025-04-14","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,${A},"output_tokens":0}}`,
  ),
  event("ping", ""),
  event(
    "content_block_start",
    ',"index":0,"content_block":{"type":"tool_use","id":"call_a","name":"weather","input":{}}',
  ),
  event(
    "content_block_delta",
    ',"index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\":\\"Paris\\"}"}',
  ),
  event("content_block_stop", ',"index":0'),
  event(
    "content_block_start",
    ',"index":1,"content_block":{"type":"tool_use","id":"call_b","name":"weather","input":{}}',
  ),
  event(
    "content_block_delta",
    ',"index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\":\\"Oslo\\"}"}',
  ),
  event("content_block_stop", ',"index":1'),
  event(
    "message_delta",
    `,"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":60,${A},"output_tokens":34,"output_tokens_details":{"thinking_tokens":0}}`,
  ),
  event("message_stop", ""),
];

describe("an Anthropic client's request for gpt-4.1, streamed, parallel calls", () => {
  test("is sent to the byte, with top_k dropped", () => {
    const translated = translateText(REQUEST);
    expect(translated.body).toBe(
      '{"model":"gpt-4.1","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Paris and Oslo?"}],' +
        `"max_completion_tokens":512,"tools":[{"type":"function","function":{"name":"weather","parameters":${S}}}],` +
        '"tool_choice":"required","stream":true,"stream_options":{"include_usage":true}}',
    );
    expect(translated.dropped).toEqual(["top_k"]);
    expect(translated.adapted).toEqual([]);
    expect(translated.upstreamStream).toBe(true);
  });

  test("is answered to the byte, each frame with the chunk that gives it", () => {
    const translator = translateText(REQUEST).stream(replyContext);
    const usage = {
      id: "chatcmpl-AbC1",
      choices: [],
      usage: { prompt_tokens: 60, completion_tokens: 34, total_tokens: 94 },
    };
    const steps = [
      chunk({ role: "assistant", content: null }),
      call(0, "call_a"),
      fragment(0, '{"city":"Paris"}'),
      call(1, "call_b"),
      fragment(1, '{"city":"Oslo"}'),
      chunk({}, "tool_calls"),
      usage,
    ].map((json) => translator.push(json, "").map((frame) => frame.text));
    const end = translator.end().map((frame) => frame.text);
    expect([...steps, end].map((texts) => texts.length)).toEqual([2, 1, 1, 2, 1, 1, 0, 2]);
    expect([...steps.flat(), ...end]).toEqual(OUT);
    assertMessagesStream([...steps.flat(), ...end].map((text) => ({ text })));
  });
});

test("OpenAI's 429 reaches Anthropic clients in their envelope, its rate limits in their names", () => {
  const text = '{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}';
  const headers = new Headers({
    "retry-after-ms": "1200",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1.2s",
  });
  const error = messagesToChat.error({ status: 429, headers, json: JSON.parse(text) as never, text }, 502);
  expect(error.status).toBe(429);
  expect(formatByName("messages").renderError(error.error, "req_4")).toBe(
    '{"type":"error","error":{"type":"rate_limit_error","message":"Rate limit reached"},"request_id":"req_4"}',
  );
  expect(messagesToChat.headers(headers, Date.UTC(2026, 10, 22, 12))).toEqual({
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:02Z",
  });
});
