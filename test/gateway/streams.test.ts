import { describe, expect, test } from "bun:test";
import {
  chatChunk,
  chatEvents,
  chatHi,
  chatStream,
  messagesEvent,
  messagesEvents,
  messagesHi,
} from "../support/answers.ts";
import { splitEvery } from "../support/chunks.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, exampleClock, type Opened, type Pipeline, runUntil } from "../support/pipeline.ts";
import { json, type Script, type ScriptedAnswer, sse } from "../support/scripted-client.ts";

const chatStreamHi = { ...chatHi, stream: true };
const messagesStreamHi = { ...messagesHi, stream: true };
const toClaude = { ...chatStreamHi, model: "claude-sonnet-4-5" };
const toGpt = { ...messagesStreamHi, model: "gpt-4.1" };

function bytesOf(events: readonly string[]): Uint8Array {
  return Buffer.from(events.join(""));
}

async function writesOf(opened: Opened, pipeline: Pipeline): Promise<readonly string[]> {
  const writes: string[] = [];
  for (let piece = await runUntil(opened.read(), pipeline.clock); piece !== null;) {
    writes.push(piece);
    piece = await runUntil(opened.read(), pipeline.clock);
  }
  return writes;
}

/** A gate that a test opens chunk by chunk. */
function createGate(): {
  readonly gate: (index: number) => Promise<void> | undefined;
  readonly open: (upTo: number) => void;
} {
  const waiting = new Map<number, () => void>();
  let opened = -1;
  return {
    gate: (index) => (index <= opened ? undefined : new Promise((resolve) => waiting.set(index, resolve))),
    open: (upTo) => {
      opened = Math.max(opened, upTo);
      for (const [index, resolve] of waiting) if (index <= opened) resolve();
    },
  };
}

describe("a stream of the client's own format", () => {
  const odd = [
    ": comment\n\n",
    `data:  ${JSON.stringify({ id: "a", choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }], n: 1 }).replace('"n":1', '"n":12345678901234567890')}\n\n`,
    `id: 7\nretry: 10\ndata: {"choices":[{"index":0,"delta":{"content":"h\\u00e9é\u{1F600}"},\ndata: "finish_reason":null}], "obfuscation": "x"}\r\n\r\n`,
    "\n",
    `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\r`,
    `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n`,
    "data: [DONE]\n\n",
  ];
  const whole = bytesOf(odd);

  for (const size of [1, 2, 3, 7, 50, 1000]) {
    test(`comes out byte by byte as it went in, cut every ${size} bytes`, async () => {
      const pipeline = createPipeline({ upstream: () => sse(splitEvery(whole, size)) });
      const { text } = await pipeline.send("chat", chatStreamHi);
      expect(text).toBe(odd.join(""));
      expect(pipeline.records[0]).toMatchObject({ outcome: "complete", usage: { output: 2, source: "reported" } });
      expect(pipeline.residue()).toEqual(AT_REST);
    });
  }

  test("Messages too", async () => {
    const events = messagesEvents(["héllo", " wörld"]).join("").replaceAll('"}', '"   }');
    for (const size of [1, 5, 4096]) {
      const pipeline = createPipeline({ upstream: () => sse(splitEvery(Buffer.from(events), size)) });
      const { text } = await pipeline.send("messages", messagesStreamHi);
      expect(text).toBe(events);
    }
  });

  test("headers leave with the first content, not before", async () => {
    const { gate, open } = createGate();
    const pipeline = createPipeline({ upstream: () => chatStream(["one", "two"], { gate }) });
    const started = pipeline.start("chat", chatStreamHi);
    let isOpened = false;
    void started.opened.then(() => (isOpened = true));
    open(0);
    await pipeline.clock.advance(1000);
    expect(isOpened).toBe(false);
    open(1);
    const opened = await runUntil(started.opened, pipeline.clock);
    expect(await opened.read()).toBe(chatChunk({ role: "assistant", content: "" }));
    expect(await opened.read()).toBe(chatChunk({ content: "one" }));
    open(9);
    expect(await opened.rest()).toContain("[DONE]");
  });

  test("lacks nothing when upstream leaves out [DONE]: it is added", async () => {
    for (const tail of ["\n\n", "\n", ""]) {
      const events = [...chatEvents(["hi"]).slice(0, -2), chatChunk({}, "stop").trimEnd() + tail];
      const pipeline = createPipeline({ upstream: () => sse(events) });
      const { text } = await pipeline.send("chat", chatStreamHi);
      expect(text).toBe(`${chatEvents(["hi"]).slice(0, -1).join("")}data: [DONE]\n\n`);
      expect(pipeline.records[0]?.outcome).toBe("complete");
    }
  });

  test("with n answers is whole only when each has its end", async () => {
    const choice = (index: number, finish: string | null): string =>
      `data: ${JSON.stringify({ id: "c", choices: [{ index, delta: { content: "x" }, finish_reason: finish }] })}\n\n`;
    const half = [choice(0, null), choice(1, null), choice(0, "stop")];
    for (const [events, outcome] of [
      [half, "in_band_error"],
      [[...half, choice(1, "stop")], "complete"],
    ] as const) {
      const pipeline = createPipeline({ upstream: () => sse(events) });
      await pipeline.send("chat", { ...chatStreamHi, n: 2 });
      expect(pipeline.records[0]?.outcome).toBe(outcome);
    }
  });

  test("with stream_usage = request is asked for usage that the client does not get", async () => {
    const usage = `data: ${JSON.stringify({ id: "c", choices: [], usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } })}\n\n`;
    const events = chatEvents(["hi"]);
    for (const chunks of [
      [...events.slice(0, -1), usage, "data: [DONE]\n\n"],
      [...events.slice(0, -1), `${usage}data: [DONE]\n\n`],
    ]) {
      const pipeline = createPipeline({ config: '[router]\nstream_usage = "request"\n', upstream: () => sse(chunks) });
      const { text } = await pipeline.send("chat", chatStreamHi);
      expect(JSON.parse(pipeline.calls[0]?.body ?? "")).toMatchObject({ stream_options: { include_usage: true } });
      expect(text).toBe(events.join(""));
      expect(pipeline.records[0]).toMatchObject({
        outcome: "complete",
        usage: { input: 9, output: 4, source: "reported" },
      });
      expect(pipeline.residue()).toEqual(AT_REST);
    }
  });

  test("whose caller asked for usage gets it", async () => {
    const usage = `data: ${JSON.stringify({ id: "c", choices: [], usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 } })}\n\n`;
    const events = [...chatEvents(["hi"]).slice(0, -1), usage, "data: [DONE]\n\n"];
    const pipeline = createPipeline({ config: '[router]\nstream_usage = "request"\n', upstream: () => sse(events) });
    const { text } = await pipeline.send("chat", { ...chatStreamHi, stream_options: { include_usage: true } });
    expect(text).toBe(events.join(""));
  });

  test("without usage is estimated, and the bytes are left alone", async () => {
    const pipeline = createPipeline({ upstream: () => chatStream(["some", " words"]) });
    await pipeline.send("chat", chatStreamHi);
    expect(JSON.parse(pipeline.calls[0]?.body ?? "")).not.toHaveProperty("stream_options");
    expect(pipeline.records[0]?.usage).toMatchObject({ source: "estimated" });
    expect(pipeline.records[0]?.usage?.output).toBeGreaterThan(0);
  });

  test("shows the requested model where that is configured, and changes nothing else", async () => {
    const config = "[router]\necho_requested_model = true\n";
    const policy = "rules:\n  - name: all\n    then: { model: gpt-4o }\n";
    const events = chatEvents(["hi"]);
    const chat = createPipeline({ config, policy, upstream: () => sse(events) });
    const { text } = await chat.send("chat", { ...chatStreamHi, model: "my-model" });
    expect(text).toBe(events.join("").replaceAll('"model":"gpt-4.1"', '"model":"my-model"'));

    const messages = createPipeline({ config, upstream: () => sse(messagesEvents(["hi"])) });
    const shown = await messages.send("messages", { ...messagesStreamHi, model: "claude-opus-4-5" });
    expect(shown.text).toBe(messagesEvents(["hi"]).join("").replace("claude-sonnet-4-5", "claude-opus-4-5"));
  });
});

const CHAT_ERROR = 'data: {"error":{"message":"Boom","type":"server_error","param":null,"code":null}}\n\n';
const OVERLOADED = messagesEvent({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });

/** How a stream may go wrong after content has reached the client. */
interface Failure {
  readonly name: string;
  readonly format: "chat" | "messages";
  readonly body: unknown;
  readonly answer: ScriptedAnswer;
  /** What the client sees behind the content; a pattern or the exact text. */
  readonly sees: string | RegExp;
  readonly error: string | null;
}

const CHAT_CUT =
  /^data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"upstream_stream_interrupted"\}\}\n\n$/;
const MESSAGES_CUT =
  /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"upstream closed the stream early"\},"request_id":"[^"]+"\}\n\n$/;
const chatStart = chatEvents(["hi"]).slice(0, 2);
const messagesStart = messagesEvents(["hi"]).slice(0, 3);

const AFTER_FLUSH: readonly Failure[] = [
  {
    name: "an error event, same format",
    format: "chat",
    body: chatStreamHi,
    answer: sse([...chatStart, CHAT_ERROR, "data: [DONE]\n\n"]),
    sees: CHAT_ERROR,
    error: null,
  },
  {
    name: "an error event, same format",
    format: "messages",
    body: messagesStreamHi,
    answer: sse([...messagesStart, OVERLOADED]),
    sees: OVERLOADED,
    error: null,
  },
  {
    name: "an error event, across formats",
    format: "chat",
    body: toClaude,
    answer: sse([...messagesStart, OVERLOADED]),
    sees: 'data: {"error":{"message":"Overloaded","type":"server_error","param":null,"code":"overloaded"}}\n\n',
    error: null,
  },
  {
    name: "an error event, across formats",
    format: "messages",
    body: toGpt,
    answer: sse([...chatStart, CHAT_ERROR]),
    sees: /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"Boom"\},"request_id":"[^"]+"\}\n\n$/,
    error: null,
  },
  {
    name: "a clean close without a terminal",
    format: "chat",
    body: chatStreamHi,
    answer: sse(chatStart),
    sees: CHAT_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "a clean close without a terminal",
    format: "messages",
    body: messagesStreamHi,
    answer: sse(messagesStart),
    sees: MESSAGES_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "a clean close without a terminal, across formats",
    format: "messages",
    body: toGpt,
    answer: sse(chatStart),
    sees: MESSAGES_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "a reset",
    format: "chat",
    body: chatStreamHi,
    answer: sse(chatStart, { end: "cut" }),
    sees: CHAT_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "half an event, then a close",
    format: "chat",
    body: chatStreamHi,
    answer: sse([...chatStart, 'data: {"choi']),
    sees: CHAT_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "data that is not JSON",
    format: "chat",
    body: chatStreamHi,
    answer: sse([...chatStart, "data: <html>\n\n", ...chatEvents([]).slice(1)]),
    sees: CHAT_CUT,
    error: "upstream-interrupted",
  },
  {
    name: "[DONE] without a finish reason",
    format: "chat",
    body: chatStreamHi,
    answer: sse([...chatStart, "data: [DONE]\n\n"]),
    sees: /data: \{"error"/,
    error: "upstream-interrupted",
  },
  {
    name: "silence",
    format: "chat",
    body: chatStreamHi,
    answer: sse(chatStart, { end: "open" }),
    sees: CHAT_CUT,
    error: "upstream-interrupted",
  },
];

describe("a stream that fails after the client has seen content", () => {
  for (const { name, format, body, answer, sees, error } of AFTER_FLUSH) {
    test(`${name} (${format}): one error in band, no ending, no other model`, async () => {
      const pipeline = createPipeline({
        config: '[timeout]\nidle = "2s"\n[stream]\nkeepalive = "0s"\n',
        policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-4o] }\n",
        upstream: () => answer,
      });
      const opened = await pipeline.open(format, body);
      expect(opened.status).toBe(200);
      const writes = await writesOf(opened, pipeline);
      const last = writes.at(-1) ?? "";
      if (typeof sees === "string") expect(last).toBe(sees);
      else expect(last).toMatch(sees);
      expect(writes.slice(0, -1).join("")).toContain("hi");
      expect(writes.filter((write) => write.includes('"error"'))).toHaveLength(1);
      expect(writes.join("")).not.toContain("message_stop");
      expect(writes.join("")).not.toContain('"finish_reason":"stop"');
      if (name !== "[DONE] without a finish reason") expect(writes.join("")).not.toContain("[DONE]");
      expect(pipeline.calls).toHaveLength(1);
      expect(pipeline.records[0]).toMatchObject({ outcome: "in_band_error", status: 200, error });
      expect(pipeline.records[0]?.attempts[0]?.class).toBe("stalled");
      expect(pipeline.residue()).toEqual(AT_REST);
    });
  }

  test("counts against the breaker", async () => {
    const pipeline = createPipeline({
      config: "[breaker]\nmin_requests = 4\n",
      upstream: () => sse(chatStart),
    });
    for (let request = 0; request < 4; request += 1) await pipeline.send("chat", chatStreamHi);
    expect((await pipeline.send("chat", chatStreamHi)).headers["x-arouter-error"]).toBe("circuit-open");
  });

  test("stream_total ends it", async () => {
    const { clock } = { clock: exampleClock() };
    const events = [...chatStart, ...Array.from({ length: 200 }, () => ": still here\n\n")];
    const pipeline = createPipeline({
      clock,
      config: '[timeout]\nstream_total = "3s"\nidle = "2s"\n',
      upstream: () =>
        sse(events, {
          end: "open",
          gate: (index) => (index < 2 ? undefined : new Promise((resolve) => void clock.after(100, resolve))),
        }),
    });
    const opened = await pipeline.open("chat", chatStreamHi);
    const writes = await writesOf(opened, pipeline);
    expect(writes.at(-1)).toMatch(CHAT_CUT);
    expect(pipeline.records[0]?.ms).toBeGreaterThanOrEqual(2900);
    expect(pipeline.records[0]?.ms).toBeLessThan(3500);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("a reset after every finish reason is no failure", async () => {
    const pipeline = createPipeline({ upstream: () => sse(chatEvents(["hi"]).slice(0, -1), { end: "cut" }) });
    const { text } = await pipeline.send("chat", chatStreamHi);
    expect(text).toBe(chatEvents(["hi"]).join(""));
    expect(pipeline.records[0]?.outcome).toBe("complete");
  });

  test("an upstream that stays open after [DONE] does not keep the client waiting", async () => {
    const pipeline = createPipeline({ upstream: () => chatStream(["hi"], { end: "open" }) });
    const { text } = await pipeline.send("chat", chatStreamHi);
    expect(text).toBe(chatEvents(["hi"]).join(""));
    expect(pipeline.records[0]?.outcome).toBe("complete");
    expect(pipeline.records[0]?.ms).toBeLessThan(2000);
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});

describe("a stream that fails before the client has seen content", () => {
  const ONCE = '[retry]\nmax = 0\n[timeout]\nttft = "2s"\nidle = "1s"\n';
  const role = chatChunk({ role: "assistant", content: "" });
  const rows: readonly (readonly [
    name: string,
    answer: ScriptedAnswer,
    status: number,
    error: string | undefined,
    outcomeClass: string,
  ])[] = [
    ["an error event", sse([CHAT_ERROR]), 500, undefined, "server"],
    ["an error event behind the role", sse([role, CHAT_ERROR]), 500, undefined, "server"],
    [
      "a rate limit as an event",
      sse(['data: {"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}\n\n']),
      429,
      undefined,
      "rate",
    ],
    ["a clean close", sse([role]), 502, "upstream-invalid", "broken"],
    ["an empty stream", sse([]), 502, "upstream-invalid", "broken"],
    ["a reset", sse([role], { end: "cut" }), 502, "upstream-invalid", "broken"],
    ["data that is not JSON", sse([role, "data: oops\n\n"]), 502, "upstream-invalid", "broken"],
    ["silence", sse([role], { end: "open" }), 504, "upstream-timeout", "timeout"],
    [
      "pings for ever",
      sse([role, ...Array.from({ length: 400 }, () => ": ping\n\n")], { end: "open" }),
      504,
      "upstream-timeout",
      "timeout",
    ],
  ];
  for (const [name, answer, status, error, outcomeClass] of rows) {
    test(`${name}: a true status, ${status}`, async () => {
      const pipeline = createPipeline({ config: ONCE, upstream: () => answer });
      const answered = await pipeline.send("chat", chatStreamHi);
      expect([answered.status, answered.headers["x-arouter-error"]]).toEqual([status, error]);
      expect(answered.headers["content-type"]).toBe("application/json");
      expect(JSON.parse(answered.text)).toHaveProperty("error.message");
      expect(pipeline.records[0]?.attempts[0]?.class).toBe(outcomeClass as "server");
      expect(pipeline.residue()).toEqual(AT_REST);
    });

    test(`${name}: the next model answers instead`, async () => {
      const pipeline = createPipeline({
        config: ONCE,
        policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-4o] }\n",
        upstream: (_, index) => (index === 0 ? answer : chatStream(["fine"])),
      });
      const { status: fine, text } = await pipeline.send("chat", chatStreamHi);
      expect([fine, text]).toEqual([200, chatEvents(["fine"]).join("")]);
    });
  }

  test("what breaks is tried again on the same model first", async () => {
    const pipeline = createPipeline({
      config: '[retry]\nbase = "1ms"\n',
      upstream: (_, index) => (index === 0 ? sse([role]) : chatStream(["fine"])),
    });
    const { status, headers } = await pipeline.send("chat", chatStreamHi);
    expect([status, headers["x-arouter-attempts"]]).toEqual([200, "2"]);
  });

  test("an event over limits.event_bytes breaks the answer", async () => {
    const pipeline = createPipeline({
      config: `${ONCE}[limits]\nevent_bytes = 1024\n`,
      upstream: () => sse([role, chatChunk({ content: "x".repeat(2000) })]),
    });
    expect((await pipeline.send("chat", chatStreamHi)).status).toBe(502);
  });

  test("a whole JSON answer to a stream request is given as it is", async () => {
    const body =
      '{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}';
    const pipeline = createPipeline({ upstream: () => json(body) });
    const { text, headers } = await pipeline.send("chat", chatStreamHi);
    expect([text, headers["content-type"]]).toEqual([body, "application/json"]);
  });
});

describe("a silent stream", () => {
  const config = '[stream]\nkeepalive = "15s"\ncommit_after = "45s"\n';

  test("gets a ping after each keepalive, once it flows", async () => {
    const { gate, open } = createGate();
    const pipeline = createPipeline({ config, upstream: () => chatStream(["one", "two"], { gate }) });
    open(1);
    const opened = await pipeline.open("chat", chatStreamHi);
    await opened.read();
    await opened.read();
    const before = pipeline.clock.nowMs();
    expect(await runUntil(opened.read(), pipeline.clock)).toBe(": ping\n\n");
    expect(pipeline.clock.nowMs() - before).toBeCloseTo(15_000, -2);
    expect(await runUntil(opened.read(), pipeline.clock)).toBe(": ping\n\n");
    open(9);
    expect(await runUntil(opened.read(), pipeline.clock)).toBe(chatChunk({ content: "two" }));
    await opened.rest();
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("commits its status with the first ping, and may still be healed", async () => {
    const clock = exampleClock();
    const after = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
    const pipeline = createPipeline({
      clock,
      config: `${config}[retry]\nmax = 0\n`,
      policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-4o] }\n",
      upstream: async (_, index) => {
        await after(index === 0 ? 50_000 : 20_000);
        return index === 0 ? json({ error: { message: "no" } }, 500) : chatStream(["fine"]);
      },
    });
    const opened = await pipeline.open("chat", chatStreamHi);
    expect(clock.nowMs()).toBeCloseTo(1_000 + 45_000, -2);
    expect(opened.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "x-arouter-rule": "all",
    });
    const writes = await writesOf(opened, pipeline);
    expect(writes[0]).toBe(": ping\n\n");
    expect(writes.filter((write) => write !== ": ping\n\n").join("")).toBe(chatEvents(["fine"]).join(""));
    const [record] = pipeline.records;
    expect(record).toMatchObject({ outcome: "complete", model: "gpt-4o" });
    expect(record?.ttftMs).toBeGreaterThan(69_000);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  const late: readonly (readonly [name: string, answer: Script, sees: RegExp, error: string | null])[] = [
    [
      "an upstream error",
      () => json({ error: { message: "Boom", type: "server_error", code: null, param: null } }, 500),
      /"message":"Boom"/,
      null,
    ],
    ["no answer", () => ({ fails: "ConnectionRefused" }), /"code":"upstream_unreachable"/, "upstream-unreachable"],
    ["the request's deadline", () => ({ hangs: true }), /"code":"deadline_exceeded"/, "deadline"],
  ];
  for (const [name, answer, sees, error] of late) {
    test(`committed, then ${name}: told in band`, async () => {
      const clock = exampleClock();
      const pipeline = createPipeline({
        clock,
        config: `${config}[retry]\nmax = 0\n[timeout]\ntotal = "60s"\n`,
        upstream: async (call, index) => {
          await new Promise<void>((resolve) => void clock.after(50_000, resolve));
          return answer(call, index);
        },
      });
      const opened = await pipeline.open("chat", chatStreamHi);
      expect(opened.status).toBe(200);
      const writes = await writesOf(opened, pipeline);
      expect(writes.at(-1)).toMatch(sees);
      expect(writes.join("")).not.toContain("[DONE]");
      expect(pipeline.records[0]).toMatchObject({ outcome: "in_band_error", error });
      expect(pipeline.records[0]?.ms).toBeLessThan(61_000);
      expect(pipeline.residue()).toEqual(AT_REST);
    });
  }

  test("the deadline is over once content flows", async () => {
    const clock = exampleClock();
    const pipeline = createPipeline({
      clock,
      config: '[timeout]\ntotal = "10s"\n[stream]\nkeepalive = "0s"\n',
      upstream: () =>
        chatStream(["one", "two"], {
          gate: (index) => (index < 2 ? undefined : new Promise((resolve) => void clock.after(8_000, resolve))),
        }),
    });
    const { text } = await pipeline.send("chat", chatStreamHi);
    expect(text).toContain("[DONE]");
    expect(clock.nowMs()).toBeGreaterThan(20_000);
  });

  test("Messages clients get their own kind of ping", async () => {
    const { gate, open } = createGate();
    const pipeline = createPipeline({ config, upstream: () => sse(messagesEvents(["one"]), { gate }) });
    open(1);
    const opened = await pipeline.open("messages", messagesStreamHi);
    await opened.read();
    await opened.read();
    expect(await runUntil(opened.read(), pipeline.clock)).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    await opened.leave();
  });
});

describe("a held stream", () => {
  const policy = (heal: string, chain = "[gpt-4o]"): string =>
    `rules:\n  - name: all\n    then: { validate: [json], fallback_chain: ${chain}, heal: { ${heal} } }\n`;
  const text = (bytes: number): readonly string[] => [`"${"x".repeat(bytes - 2)}`, '"'];

  test("holds 8,192 bytes of content exactly, and not one more, however they come", async () => {
    for (const [bytes, heal] of [
      [8192, undefined],
      [8193, "overflow"],
    ] as const) {
      for (const cut of [1, 1000, 100_000]) {
        const events = chatEvents(text(bytes));
        const pipeline = createPipeline({
          policy: policy("hold: preflush"),
          upstream: () => sse(splitEvery(bytesOf(events), cut === 1 ? 97 : cut)),
        });
        const answered = await pipeline.send("chat", chatStreamHi);
        expect([bytes, answered.headers["x-arouter-heal"]]).toEqual([bytes, heal as string]);
        expect(answered.headers["x-arouter-validation"]).toBe(heal === undefined ? "pass" : "skipped");
        expect(answered.text).toBe(events.join(""));
      }
    }
  });

  test("counts UTF-8 bytes, and a rule's own limit", async () => {
    for (const [content, heal] of [
      ['"éé"', undefined],
      ['"ééé"', "overflow"],
    ] as const) {
      const pipeline = createPipeline({
        policy: policy("hold: preflush, preflush_bytes: 6"),
        upstream: () => chatStream([content]),
      });
      expect((await pipeline.send("chat", chatStreamHi)).headers["x-arouter-heal"]).toBe(heal as string);
    }
  });

  test("raw bytes are bounded too", async () => {
    const padded = [chatChunk({ content: "1" }, null, { padding: "p".repeat(3000) }), ...chatEvents([]).slice(1)];
    const pipeline = createPipeline({
      config: "[heal]\nraw_bytes = 2000\n",
      policy: policy("hold: preflush"),
      upstream: () => sse(padded),
    });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect([answered.headers["x-arouter-heal"], answered.text]).toEqual(["overflow", padded.join("")]);
  });

  test("is let go after hold_time", async () => {
    const clock = exampleClock();
    const pipeline = createPipeline({
      clock,
      config: '[heal]\nhold_time = "1s"\n[stream]\nkeepalive = "0s"\n',
      policy: policy("hold: preflush"),
      upstream: () =>
        chatStream(["[1", "]"], {
          gate: (index) => (index < 2 ? undefined : new Promise((resolve) => void clock.after(5_000, resolve))),
        }),
    });
    const opened = await pipeline.open("chat", chatStreamHi);
    expect(opened.headers["x-arouter-heal"]).toBe("overflow");
    expect(clock.nowMs()).toBeLessThan(2_200);
    expect((await writesOf(opened, pipeline)).join("")).toBe(chatEvents(["[1", "]"]).join(""));
  });

  test("full holds more than preflush would", async () => {
    const pipeline = createPipeline({
      policy: policy("hold: full"),
      upstream: (_, index) => (index === 0 ? chatStream(["not json ", "x".repeat(20_000)]) : chatStream(["[]"])),
    });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect([answered.headers["x-arouter-heal"], answered.text]).toEqual(["healed", chatEvents(["[]"]).join("")]);
  });

  test("full holds as long as it takes, whatever hold_time says", async () => {
    const clock = exampleClock();
    const pipeline = createPipeline({
      clock,
      config: '[heal]\nhold_time = "1s"\n[stream]\nkeepalive = "0s"\ncommit_after = "0s"\n',
      policy: policy("hold: full"),
      upstream: () =>
        chatStream(["[1", "]"], { gate: () => new Promise((resolve) => void clock.after(3_000, resolve)) }),
    });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect(answered.headers["x-arouter-validation"]).toBe("pass");
    expect(answered.headers).not.toHaveProperty("x-arouter-heal");
    expect(answered.text).toBe(chatEvents(["[1", "]"]).join(""));
  });

  test("full is bounded by limits.response_bytes", async () => {
    const pipeline = createPipeline({
      config: "[limits]\nresponse_bytes = 5000\n[retry]\nmax = 0\n",
      policy: policy("hold: full", "[]"),
      upstream: () => chatStream([`"${"x".repeat(9_000)}`, '"']),
    });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect([answered.status, answered.headers["x-arouter-error"]]).toEqual([502, "upstream-invalid"]);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("off judges nothing and holds nothing", async () => {
    const pipeline = createPipeline({ policy: policy("hold: off"), upstream: () => chatStream(["no json"]) });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect(answered.headers["x-arouter-validation"]).toBe("skipped");
    expect(answered.headers).not.toHaveProperty("x-arouter-heal");
    expect(answered.text).toBe(chatEvents(["no json"]).join(""));
  });

  test("the last candidate's invalid answer goes out as it came, pings included", async () => {
    const events = [...chatEvents(["no", " json"]).slice(0, 2), ": ping\n\n", ...chatEvents(["no", " json"]).slice(2)];
    const pipeline = createPipeline({ policy: policy("hold: preflush", "[]"), upstream: () => sse(events) });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect(answered.headers).toMatchObject({ "x-arouter-heal": "exhausted", "x-arouter-validation": "fail" });
    expect(answered.text).toBe(events.join(""));
  });

  test("that breaks is tried again, and nothing of it is seen", async () => {
    for (const [answer, heal] of [
      [sse(chatEvents(["[1,", "2"]).slice(0, 2), { end: "cut" }), "healed"],
      [sse(chatEvents(["[1,"]).slice(0, 2)), "healed"],
      // An error that the upstream tells is no broken answer.
      [sse([...chatEvents(["[1,"]).slice(0, 2), CHAT_ERROR]), undefined],
    ] as const) {
      const pipeline = createPipeline({
        config: '[retry]\nbase = "1ms"\n',
        policy: policy("hold: preflush", "[]"),
        upstream: (_, index) => (index === 0 ? answer : chatStream(["[3]"])),
      });
      const answered = await pipeline.send("chat", chatStreamHi);
      expect([answered.status, answered.text]).toEqual([200, chatEvents(["[3]"]).join("")]);
      expect(answered.headers["x-arouter-heal"]).toBe(heal as string);
      expect(pipeline.records[0]?.attempts.map(({ model }) => model)).toEqual(["gpt-4.1", "gpt-4.1"]);
      expect(pipeline.residue()).toEqual(AT_REST);
    }
  });

  test("that breaks with no try left is a true error", async () => {
    const pipeline = createPipeline({
      config: "[retry]\nmax = 0\n",
      policy: policy("hold: preflush", "[]"),
      upstream: () =>
        sse([
          ...chatEvents(["[1,"]).slice(0, 2),
          'data: {"error":{"message":"Over","type":"overloaded_error","code":null,"param":null}}\n\n',
        ]),
    });
    const answered = await pipeline.send("chat", chatStreamHi);
    expect([answered.status, JSON.parse(answered.text)]).toEqual([
      529,
      { error: { message: "Over", type: "overloaded_error", code: null, param: null } },
    ]);
  });

  test("given up halfway is never passed off as whole when the next candidate cannot be asked", async () => {
    const pipeline = createPipeline({
      // The second candidate finds no permit: its provider's only one is taken by a stream that stays open.
      config: "[providers.anthropic.limits]\nprovider_in_flight = 1\n[limits]\nqueue_depth = 0\n",
      policy: `rules:\n  - { name: held, when: { provider: openai }, then: { validate: [json], fallback_chain: [claude-sonnet-4-5] } }\n`,
      upstream: (call) =>
        call.url.includes("anthropic")
          ? sse(messagesEvents(["x"]).slice(0, 3), { end: "open" })
          : chatStream(["no json", " at", " all"]),
    });
    const taken = await pipeline.open("messages", messagesStreamHi);
    const answered = await pipeline.send("chat", chatStreamHi);
    expect(answered.status).toBe(503);
    expect(answered.headers["x-arouter-error"]).toBe("overloaded");
    expect(answered.text).not.toContain("no json");
    await taken.leave();
    await settle();
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("judges the translation, not the original", async () => {
    const pipeline = createPipeline({
      policy: "rules:\n  - name: all\n    then: { validate: [json], fallback_chain: [gpt-4o] }\n",
      upstream: (call) => (call.url.includes("anthropic") ? sse(messagesEvents(["{", "oops"])) : chatStream(["{}"])),
    });
    const answered = await pipeline.send("chat", toClaude);
    expect(answered.headers["x-arouter-chain"]).toBe("claude-sonnet-4-5=invalid, gpt-4o=ok");
    expect(answered.text).toBe(chatEvents(["{}"]).join(""));
  });
});

describe("back-pressure", () => {
  test("upstream is read no further than the client reads", async () => {
    const events = chatEvents(Array.from({ length: 500 }, (_, index) => `piece ${index}`));
    const pipeline = createPipeline({ config: '[timeout]\nclient_write = "60s"\n', upstream: () => sse(events) });
    const opened = await pipeline.open("chat", chatStreamHi);
    await opened.read();
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(pipeline.calls[0]?.pulled).toBeLessThanOrEqual(4);
    for (let read = 0; read < 100; read += 1) await opened.read();
    expect(pipeline.calls[0]?.pulled).toBeLessThanOrEqual(104);
    expect((await opened.rest()).endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("a client that accepts nothing for client_write is given up", async () => {
    const events = chatEvents(Array.from({ length: 50 }, () => "x"));
    const pipeline = createPipeline({ config: '[timeout]\nclient_write = "60s"\n', upstream: () => sse(events) });
    const opened = await pipeline.open("chat", chatStreamHi);
    await opened.read();
    await pipeline.clock.advance(59_000);
    expect(pipeline.records).toHaveLength(0);
    await pipeline.clock.advance(2_000);
    expect(pipeline.records[0]).toMatchObject({ outcome: "client_gone", status: 499 });
    expect(pipeline.calls[0]?.signal.aborted).toBe(true);
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});

describe("a stream gathered for a buffered client", () => {
  // Claude is asked to stream where a buffered answer could take too long.
  const long = { ...chatHi, model: "claude-sonnet-4-5", max_tokens: 60_000 };
  const gathered = (
    config: string,
    gate: (index: number, clock: ReturnType<typeof createFakeClock>) => Promise<void> | undefined,
    events = messagesEvents(["one", " two"]),
  ) => {
    const clock = createFakeClock({ random: 0 });
    const pipeline = createPipeline({
      clock,
      config: `[retry]\nmax = 0\n${config}`,
      upstream: () => sse(events, { gate: (index) => gate(index, clock) }),
    });
    return { clock, pipeline };
  };
  const sleepOn = (clock: ReturnType<typeof createFakeClock>, ms: number) =>
    new Promise<void>((resolve) => void clock.after(ms, resolve));

  test("is one whole answer", async () => {
    const { pipeline } = gathered("", () => undefined);
    const { status, text } = await pipeline.send("chat", long);
    expect(JSON.parse(pipeline.calls[0]?.body ?? "")).toMatchObject({ stream: true });
    expect([
      status,
      (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content,
    ]).toEqual([200, "one two"]);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("may take longer in all than its first content may", async () => {
    const { pipeline } = gathered('[timeout]\nttft = "2s"\nidle = "5s"\n', (index, clock) =>
      index < 3 ? undefined : sleepOn(clock, 3_000),
    );
    expect((await pipeline.send("chat", long)).status).toBe(200);
  });

  test("ends when the first content does not come in time", async () => {
    const { pipeline } = gathered('[timeout]\nttft = "2s"\n', (index, clock) =>
      index < 1 ? undefined : sleepOn(clock, 10_000),
    );
    const { status, headers } = await pipeline.send("chat", long);
    expect([status, headers["x-arouter-error"]]).toEqual([504, "upstream-timeout"]);
    expect(pipeline.records[0]?.attempts[0]).toMatchObject({ class: "timeout" });
    expect(pipeline.records[0]?.ms).toBeLessThan(2_100);
    expect(pipeline.clock.pending()).toBeLessThanOrEqual(1);
  });

  test("ends when the whole does not", async () => {
    const { pipeline } = gathered('[timeout]\nresponse = "4s"\n', (index, clock) =>
      index < 3 ? undefined : sleepOn(clock, 3_000),
    );
    expect((await pipeline.send("chat", long)).status).toBe(504);
  });

  test("that breaks halfway is a broken answer", async () => {
    const { pipeline } = gathered("", () => undefined, messagesEvents(["one"]).slice(0, 3));
    const { status, headers } = await pipeline.send("chat", long);
    expect([status, headers["x-arouter-error"]]).toEqual([502, "upstream-invalid"]);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("with an error event halfway is that error", async () => {
    const { pipeline } = gathered("", () => undefined, [...messagesEvents(["one"]).slice(0, 3), OVERLOADED]);
    const { status } = await pipeline.send("chat", long);
    expect(status).toBe(503);
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});

describe("a secret of ours in an error event", () => {
  const told =
    'data: {"error":{"message":"bad key sk-openai-test-key","type":"server_error","param":null,"code":null}}\n\n';
  for (const [name, format, body, events] of [
    ["before content", "chat", chatStreamHi, [told]],
    ["behind content", "chat", chatStreamHi, [...chatStart, told]],
    ["behind content, across formats", "messages", toGpt, [...chatStart, told]],
  ] as const) {
    test(`${name} does not reach the client`, async () => {
      const pipeline = createPipeline({ config: "[retry]\nmax = 0\n", upstream: () => sse(events) });
      const { text } = await pipeline.send(format, body);
      expect(text).toContain("bad key [redacted]");
      expect(text).not.toContain("sk-openai");
      expect(JSON.stringify(pipeline.records)).not.toContain("sk-openai");
    });
  }
});
