import { describe, expect, test } from "bun:test";
import type { RequestRecord } from "../../src/base/events.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, exampleClock, runUntil } from "../support/pipeline.ts";
import { json, sse } from "../support/scripted-client.ts";

const M = '"claude-sonnet-4-5-20250929"';
const S = '{"type":"object","properties":{"city":{"type":"string"}}}';
const F = '"type":"function","function":{"name":"weather"';
const U =
  '"usage":{"prompt_tokens":430,"completion_tokens":25,"total_tokens":455,"prompt_tokens_details":{"cached_tokens":400,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}';
const A = '"cache_creation_input_tokens":0,"cache_read_input_tokens"';
const Y = '"type":"message","role":"assistant"';
const R = '"stop_reason":null,"stop_sequence":null';

const chatRequest = (more: string): string =>
  `{"model":${M},"seed":7,"max_completion_tokens":1024,"parallel_tool_calls":false,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Paris or Oslo?"},
 {"role":"assistant","content":null,"tool_calls":[{"id":"toolu_01A",${F},"arguments":"{\\"city\\": \\"Paris\\"}"}}]},
 {"role":"tool","tool_call_id":"toolu_01A","content":"18 C"}],"tools":[{${F},"description":"Now","parameters":${S}}}]${more}}`;
const messagesRequest = (more: string): string =>
  `{"model":${M},"max_tokens":1024,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Paris or Oslo?"}]},` +
  `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A","name":"weather","input":{"city":"Paris"}}]},` +
  `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A","content":"18 C"}]}],` +
  `"tools":[{"name":"weather","description":"Now","input_schema":${S}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}${more}}`;

/** The `x-arouter-*` headers of an answer, without what differs from run to run. */
function arouterHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith("x-arouter-"));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice("x-arouter-".length), value]));
}

describe("an OpenAI client asks Claude, buffered, with tools", () => {
  const pipeline = createPipeline({
    upstream: () =>
      json(
        `{"id":"msg_01X",${Y},"model":${M},"content":[{"type":"text","text":"Now Oslo."},{"type":"tool_use","id":"toolu_01B","name":"weather","input":{"city":"Oslo"}}],
 "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":30,${A}:400,"output_tokens":25,"service_tier":"standard"}}`,
        200,
        { "request-id": "req_1", "set-cookie": "a=b", server: "cloudflare", "anthropic-organization-id": "org" },
      ),
  });
  const answered = pipeline.send("chat", chatRequest(""), {
    headers: { authorization: "Bearer sk-client", "user-agent": "OpenAI/Python 1.0", cookie: "c=d", "x-api-key": "k" },
  });

  test("the upstream gets the translated bytes and no header beyond those it needs", async () => {
    await answered;
    const [call] = pipeline.calls;
    expect(call?.url).toBe("https://api.anthropic.com/v1/messages");
    expect(call?.method).toBe("POST");
    expect(call?.body).toBe(messagesRequest(""));
    const { traceparent, ...headers } = call?.headers ?? {};
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(headers).toEqual({
      "x-api-key": "sk-ant-test-key",
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "arouter/test",
    });
  });

  test("the client gets the translated bytes", async () => {
    const { status, text } = await answered;
    expect(status).toBe(200);
    expect(text).toBe(
      `{"id":"chatcmpl-01X","object":"chat.completion","created":1766000000,"model":${M},"choices":[{"index":0,"message":{"role":"assistant","content":"Now Oslo.","refusal":null,"annotations":[],` +
        `"tool_calls":[{"id":"toolu_01B",${F},"arguments":"{\\"city\\":\\"Oslo\\"}"}}]},"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"tool_use"}],` +
        `${U},"service_tier":"default","system_fingerprint":null}`,
    );
  });

  test("the headers tell what was done, and nothing of the vendor's own leaks", async () => {
    const { headers } = await answered;
    const { "request-id": id, "overhead-ms": overhead, ...told } = arouterHeaders(headers);
    expect(id).toMatch(/^req_ar_/);
    expect(overhead).toMatch(/^\d+\.\d\d$/);
    expect(told).toEqual({
      rule: "none",
      policy: "none",
      "model-requested": "claude-sonnet-4-5-20250929",
      model: "claude-sonnet-4-5-20250929",
      provider: "anthropic",
      "upstream-format": "messages",
      attempts: "1",
      dropped: "seed",
      "tokens-input": "430",
      "tokens-output": "25",
      "cost-usd": "0.000585",
      "saved-usd": "0",
    });
    expect(Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("x-arouter-")))).toEqual({
      "content-type": "application/json",
      "request-id": "req_1",
      "x-request-id": "req_1",
    });
  });

  test("nothing is left behind", async () => {
    await answered;
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});

const P = `{"id":"chatcmpl-01X","object":"chat.completion.chunk","created":1766000000,"model":${M},"system_fingerprint":null,"choices":[`;
const CLAUDE_EVENTS: readonly (readonly [name: string, data: string])[] = [
  [
    "message_start",
    `{"type":"message_start","message":{"id":"msg_01X",${Y},"model":${M},"content":[],${R},"usage":{"input_tokens":30,${A}:400,"output_tokens":1}}}`,
  ],
  ["content_block_start", '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'],
  ["ping", '{"type": "ping"}'],
  [
    "content_block_delta",
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Now Oslo."}  }',
  ],
  ["content_block_stop", '{"type":"content_block_stop","index":0}'],
  [
    "content_block_start",
    '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_01B","name":"weather","input":{}}}',
  ],
  [
    "content_block_delta",
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}',
  ],
  [
    "content_block_delta",
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\": \\"Oslo\\"}"}}',
  ],
  ["content_block_stop", '{"type":"content_block_stop","index":1}'],
  [
    "message_delta",
    `{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":30,${A}:400,"output_tokens":25}}`,
  ],
  ["message_stop", '{"type":"message_stop"}'],
];

/** Frames 1 to 8 of the example; without usage asked for, no `usage` key and no 7. */
function chatFrames(usage: boolean): readonly string[] {
  const end = usage ? ',"usage":null}' : "}";
  const n = `,"logprobs":null,"finish_reason":null}]${end}`;
  const frames = [
    `data: ${P}{"index":0,"delta":{"role":"assistant","content":""}${n}\n\n`,
    ": ping\n\n",
    `data: ${P}{"index":0,"delta":{"content":"Now Oslo."}${n}\n\n`,
    `data: ${P}{"index":0,"delta":{"tool_calls":[{"index":0,"id":"toolu_01B",${F},"arguments":""}}]}${n}\n\n`,
    `data: ${P}{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\": \\"Oslo\\"}"}}]}${n}\n\n`,
    `data: ${P}{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"tool_use"}]${end}\n\n`,
    `data: ${P}],${U}}\n\n`,
    "data: [DONE]\n\n",
  ];
  return usage ? frames : frames.filter((_, index) => index !== 6);
}

describe("an OpenAI client asks Claude, streamed, with tools", () => {
  const upstream = CLAUDE_EVENTS.map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`);

  for (const usage of [true, false]) {
    test(`gives whole frames in each write, ${usage ? "with usage" : "without usage"}`, async () => {
      const pipeline = createPipeline({ upstream: () => sse(upstream, { headers: { "request-id": "req_2" } }) });
      const asked = usage ? ',"stream":true,"stream_options":{"include_usage":true}' : ',"stream":true';
      const opened = await pipeline.open("chat", chatRequest(asked));
      expect(pipeline.calls[0]?.body).toBe(messagesRequest(',"stream":true'));
      expect(pipeline.calls[0]?.pulled).toBe(2);
      const writes: string[] = [];
      for (let piece = await opened.read(); piece !== null; piece = await opened.read()) writes.push(piece);
      expect(writes.join("")).toBe(chatFrames(usage).join(""));
      // Those of one event of the upstream leave together, and none is split.
      for (const write of writes) expect(write).toEndWith("\n\n");
      expect(writes.length).toBeGreaterThan(chatFrames(usage).length / 2);
      expect(opened.headers).toMatchObject({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-request-id": "req_2",
        "request-id": "req_2",
        "x-arouter-dropped": "seed",
      });
      expect(Object.keys(opened.headers)).not.toContain("x-arouter-cost-usd");
      expect(opened.headers["x-arouter-tokens-input-estimate"]).toMatch(/^\d+$/);
      expect(pipeline.records[0]).toMatchObject({ outcome: "complete", costUsd: 0.000585, savedUsd: 0 });
      expect(pipeline.residue()).toEqual(AT_REST);
    });
  }
});

describe("an Anthropic client asks GPT, streamed, with parallel calls", () => {
  const chunk = (inner: string): string =>
    `data: {"id":"chatcmpl-AbC1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-2025-04-14",${inner}}\n\n`;
  const delta = (inner: string, finish = "null"): string =>
    chunk(`"choices":[{"index":0,"delta":${inner},"finish_reason":${finish}}],"usage":null`);
  const call = (index: number, id: string): string =>
    delta(`{"tool_calls":[{"index":${index},"id":"${id}",${F},"arguments":""}}]}`);
  const args = (index: number, city: string): string =>
    delta(`{"tool_calls":[{"index":${index},"function":{"arguments":"{\\"city\\":\\"${city}\\"}"}}]}`);
  const upstream = [
    delta('{"role":"assistant","content":null}'),
    call(0, "call_a"),
    args(0, "Paris"),
    call(1, "call_b"),
    args(1, "Oslo"),
    delta("{}", '"tool_calls"'),
    chunk('"choices":[],"usage":{"prompt_tokens":60,"completion_tokens":34,"total_tokens":94}'),
    "data: [DONE]\n\n",
  ];

  const block = (index: number, id: string, city: string): readonly string[] => [
    `{"type":"content_block_start","index":${index},"content_block":{"type":"tool_use","id":"${id}","name":"weather","input":{}}}`,
    `{"type":"content_block_delta","index":${index},"delta":{"type":"input_json_delta","partial_json":"{\\"city\\":\\"${city}\\"}"}}`,
    `{"type":"content_block_stop","index":${index}}`,
  ];
  const expected = [
    `{"type":"message_start","message":{"id":"msg_AbC1",${Y},"model":"gpt-4.1-2025-04-14","content":[],${R},"usage":{"input_tokens":0,${A}:0,"output_tokens":0}}}`,
    '{"type":"ping"}',
    ...block(0, "call_a", "Paris"),
    ...block(1, "call_b", "Oslo"),
    `{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":60,${A}:0,"output_tokens":34,"output_tokens_details":{"thinking_tokens":0}}}`,
    '{"type":"message_stop"}',
  ].map((data) => `event: ${/"type":"([a-z_]+)"/.exec(data)?.[1]}\ndata: ${data}\n\n`);

  test("both ways to the byte", async () => {
    const pipeline = createPipeline({ upstream: () => sse(upstream, { headers: { "x-request-id": "req_5" } }) });
    const answered = await pipeline.send(
      "messages",
      `{"model":"gpt-4.1","max_tokens":512,"stream":true,"top_k":5,"system":"Be brief.","messages":[{"role":"user","content":"Paris and Oslo?"}],"tools":[{"name":"weather","input_schema":${S}}],"tool_choice":{"type":"any"}}`,
      { headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "context-1m-2025-08-07" } },
    );
    expect(pipeline.calls[0]?.url).toBe("https://api.openai.com/v1/chat/completions");
    expect(pipeline.calls[0]?.headers).not.toHaveProperty("anthropic-version");
    expect(pipeline.calls[0]?.headers).not.toHaveProperty("anthropic-beta");
    expect(pipeline.calls[0]?.headers).toMatchObject({ authorization: "Bearer sk-openai-test-key" });
    expect(pipeline.calls[0]?.body).toBe(
      `{"model":"gpt-4.1","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Paris and Oslo?"}],"max_completion_tokens":512,` +
        `"tools":[{${F},"parameters":${S}}}],"tool_choice":"required","stream":true,"stream_options":{"include_usage":true}}`,
    );
    expect(answered.text).toBe(expected.join(""));
    expect(answered.headers).toMatchObject({
      "x-arouter-dropped": "top_k",
      "request-id": "req_5",
      "x-request-id": "req_5",
    });
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});

describe("a healed stream", () => {
  const policy = `
rules:
  - name: extract
    when: { response_format_type: json_schema }
    then: { model: gpt-4o-mini, validate: [json_schema], fallback_chain: [gpt-4.1] }
`;
  const request = {
    model: "gpt-4.1",
    messages: [{ role: "user", content: "How old is Ann, who is 36?" }],
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "age",
        strict: true,
        schema: {
          type: "object",
          properties: { age: { type: "integer" } },
          required: ["age"],
          additionalProperties: false,
        },
      },
    },
    stream: true,
  };
  const chunks = (model: string, pieces: readonly string[]): readonly string[] => [
    `data: {"id":"chatcmpl-${model}","object":"chat.completion.chunk","created":1,"model":"${model}-dated","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`,
    ...pieces.map(
      (piece) =>
        `data: {"id":"chatcmpl-${model}","object":"chat.completion.chunk","created":1,"model":"${model}-dated","choices":[{"index":0,"delta":{"content":${JSON.stringify(piece)}},"finish_reason":null}],"obfuscation":"xyz"}\n\n`,
    ),
    `data: {"id":"chatcmpl-${model}","object":"chat.completion.chunk","created":1,"model":"${model}-dated","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`,
    "data: [DONE]\n\n",
  ];
  const good = chunks("gpt-4.1", ['{"age', '":', "36}"]);

  test("nothing of the rejected answer reaches the client, every byte of the good one does", async () => {
    const pipeline = createPipeline({
      policy,
      upstream: (_, index) =>
        index === 0
          ? sse(chunks("gpt-4o-mini", ['{"age', '":"', "36", '"}']), { headers: { "x-request-id": "req_bad" } })
          : sse(good, { headers: { "x-request-id": "req_good", "openai-version": "2020-10-01" } }),
    });
    const { status, headers, text } = await pipeline.send("chat", request);
    expect(status).toBe(200);
    expect(text).toBe(good.join(""));
    const { "request-id": id, "overhead-ms": overhead, policy: hash, ...told } = arouterHeaders(headers);
    expect([id, overhead, hash]).toEqual([
      expect.any(String),
      expect.any(String),
      expect.stringMatching(/^[0-9a-f]{12}$/),
    ]);
    expect(told).toEqual({
      rule: "extract",
      "model-requested": "gpt-4.1",
      model: "gpt-4.1",
      provider: "openai",
      "upstream-format": "chat",
      attempts: "2",
      heal: "healed",
      validation: "pass",
      chain: "gpt-4o-mini=invalid, gpt-4.1=ok",
      "fallback-reason": "invalid",
      "tokens-input-estimate": expect.stringMatching(/^\d+$/),
    });
    expect(headers).toMatchObject({
      "x-request-id": "req_good",
      "request-id": "req_good",
      "openai-version": "2020-10-01",
    });
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("the rejected answer is dropped at the byte that made it hopeless", async () => {
    const pipeline = createPipeline({
      policy,
      upstream: (_, index) => (index === 0 ? sse(chunks("gpt-4o-mini", ['{"age":', '"', "36", '"', "}"])) : sse(good)),
    });
    await pipeline.send("chat", request);
    // The role chunk, the first seven bytes of content, and the quote that no integer begins with.
    expect(pipeline.calls[0]?.pulled).toBe(3);
    expect(pipeline.calls[0]?.signal.aborted).toBe(true);
    const [record] = pipeline.records as [RequestRecord];
    expect(record.attempts.map((attempt) => attempt.class)).toEqual(["invalid", "ok"]);
    expect(record.attempts[0]?.usage?.source).toBe("estimated");
    expect(record.savedUsd).toBeLessThan(0);
  });
});

describe("errors across formats, after every retry", () => {
  test("Anthropic's 529 is a retryable 503 to an OpenAI client", async () => {
    const pipeline = createPipeline({
      upstream: () =>
        json('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_3"}', 529, {
          "request-id": "req_3",
          "x-should-retry": "true",
        }),
    });
    const { status, headers, text } = await pipeline.send("chat", chatRequest(""));
    expect(status).toBe(503);
    expect(text).toBe('{"error":{"message":"Overloaded","type":"server_error","param":null,"code":"overloaded"}}');
    expect(headers).toMatchObject({
      "x-request-id": "req_3",
      "request-id": "req_3",
      "x-should-retry": "true",
      "x-arouter-attempts": "3",
    });
    expect(headers).not.toHaveProperty("x-arouter-error");
    expect(pipeline.records[0]).toMatchObject({ outcome: "upstream_error", status: 503, error: null });
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("OpenAI's 429 with its limits is an Anthropic 429, after waiting twice as long as it asked", async () => {
    const clock = exampleClock();
    const sentAt: number[] = [];
    const pipeline = createPipeline({
      clock,
      upstream: () => {
        sentAt.push(clock.nowMs());
        return json(
          '{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
          429,
          {
            "x-request-id": "req_4",
            "retry-after-ms": "1200",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1.2s",
          },
        );
      },
    });
    const { status, headers, text } = await pipeline.send("messages", {
      model: "gpt-4.1",
      max_tokens: 10,
      messages: [{ role: "user", content: "hi" }],
    });
    expect(status).toBe(429);
    expect(text).toBe(
      '{"type":"error","error":{"type":"rate_limit_error","message":"Rate limit reached"},"request_id":"req_4"}',
    );
    expect(sentAt).toHaveLength(3);
    for (const [index, at] of sentAt.slice(1).entries()) {
      const waited = at - (sentAt[index] ?? 0);
      expect(waited).toBeGreaterThanOrEqual(1200);
      expect(waited).toBeLessThanOrEqual(1330);
    }
    const lastMs = clock.wallMs() - (clock.nowMs() - (sentAt[2] ?? 0));
    expect(headers).toMatchObject({
      "request-id": "req_4",
      "x-request-id": "req_4",
      "retry-after-ms": "1200",
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": new Date(Math.ceil((lastMs + 1200) / 1000) * 1000)
        .toISOString()
        .replace(".000Z", "Z"),
    });
    expect(headers).not.toHaveProperty("x-should-retry");
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("a client that leaves during the wait ends it", async () => {
    const clock = createFakeClock({ random: 0.5 });
    const pipeline = createPipeline({ clock, upstream: () => json({ error: { message: "x" } }, 500) });
    const started = pipeline.start("chat", { model: "gpt-4.1", messages: [{ role: "user", content: "hi" }] });
    while (pipeline.events.every(({ type }) => type !== "retry-scheduled")) await clock.advance(0);
    started.leave();
    await runUntil(started.opened, pipeline.clock);
    expect(pipeline.calls).toHaveLength(1);
    expect(pipeline.records[0]).toMatchObject({ outcome: "client_gone", status: 499 });
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});
