import { describe, expect, test } from "bun:test";
import type { FallbackReason, OutcomeClass } from "../../src/base/names.ts";
import {
  chatAnswer,
  chatEvents,
  chatHi,
  chatStream,
  messagesAnswer,
  messagesHi,
  openAiError,
  responsesAnswer,
} from "../support/answers.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, runUntil } from "../support/pipeline.ts";
import { json, sse, type Scripted, type UpstreamCall } from "../support/scripted-client.ts";

function modelOf(call: UpstreamCall): string {
  return (JSON.parse(call.body) as { model: string }).model;
}

const CLAUDE = "claude-sonnet-4-5";

/** A policy that sends everything to `model` and goes on along `chain`. */
function route(then: string): string {
  return `rules:\n  - name: all\n    then: { ${then} }\n`;
}

/** Config without retries, so that an attempt is a candidate. */
const ONCE = `
[retry]
max = 0
[timeout]
response = "1s"
`;

interface ClassRow {
  readonly name: OutcomeClass;
  readonly answer: Scripted;
  /** Word of `fallback_on`; null: never left. */
  readonly reason: FallbackReason | null;
  /** Left only for the other provider. */
  readonly otherProvider?: boolean;
  /** Status when it is delivered. */
  readonly status: number;
  /** `x-arouter-error` when it is delivered. */
  readonly error?: string;
}

const CLASSES: readonly ClassRow[] = [
  {
    name: "connect",
    answer: { fails: "ConnectionRefused" },
    reason: "error",
    status: 502,
    error: "upstream-unreachable",
  },
  { name: "timeout", answer: { hangs: true }, reason: "timeout", status: 504, error: "upstream-timeout" },
  { name: "server", answer: openAiError(500), reason: "error", status: 500 },
  { name: "server", answer: openAiError(408), reason: "error", status: 408 },
  { name: "server", answer: openAiError(503), reason: "overloaded", status: 503 },
  { name: "server", answer: openAiError(529), reason: "overloaded", status: 529 },
  { name: "rate", answer: openAiError(429, { code: "rate_limit_exceeded" }), reason: "rate_limit", status: 429 },
  {
    name: "quota",
    answer: openAiError(429, { code: "insufficient_quota" }),
    reason: "error",
    otherProvider: true,
    status: 429,
  },
  { name: "auth", answer: openAiError(401), reason: "error", otherProvider: true, status: 401 },
  { name: "auth", answer: openAiError(403), reason: "error", otherProvider: true, status: 403 },
  {
    name: "context",
    answer: openAiError(400, { code: "context_length_exceeded" }),
    reason: "context_length",
    status: 400,
  },
  { name: "context", answer: openAiError(413), reason: "context_length", status: 413 },
  { name: "no_model", answer: openAiError(404, { code: "model_not_found" }), reason: "error", status: 404 },
  {
    name: "no_model",
    answer: json("", 302, { location: "http://elsewhere" }),
    reason: "error",
    status: 502,
    error: "upstream-invalid",
  },
  { name: "policy", answer: openAiError(400, { code: "content_filter" }), reason: "refusal", status: 400 },
  { name: "client", answer: openAiError(400), reason: null, status: 400 },
  { name: "client", answer: openAiError(422), reason: null, status: 422 },
  { name: "broken", answer: json("not json"), reason: "error", status: 502, error: "upstream-invalid" },
  { name: "broken", answer: json({ hello: 1 }), reason: "error", status: 502, error: "upstream-invalid" },
  {
    name: "broken",
    answer: { body: ['{"id":'], end: "cut" },
    reason: "error",
    status: 502,
    error: "upstream-invalid",
  },
  { name: "server", answer: json({ error: { message: "x", type: "server_error" } }), reason: "error", status: 500 },
  {
    name: "rate",
    answer: json({ error: { message: "x", code: "rate_limit_exceeded" } }),
    reason: "rate_limit",
    status: 429,
  },
];

const EVERY: readonly FallbackReason[] = [
  "error",
  "rate_limit",
  "overloaded",
  "timeout",
  "context_length",
  "validation",
  "refusal",
];

describe("a candidate that fails", () => {
  for (const [index, { name, answer, reason, otherProvider = false, status, error }] of CLASSES.entries()) {
    const label = `${name} (${"status" in answer ? answer.status : JSON.stringify(answer).slice(0, 24)}, row ${index})`;
    const others = EVERY.filter((each) => each !== reason);

    const walkWith = async (fallbackOn: readonly FallbackReason[], second: string) => {
      const pipeline = createPipeline({
        config: ONCE,
        policy: route(`model: gpt-4.1, fallback_chain: [${second}], fallback_on: [${fallbackOn.join(", ")}]`),
        upstream: (call) =>
          modelOf(call) === "gpt-4.1" ? answer : second === CLAUDE ? messagesAnswer("fine") : chatAnswer("fine"),
      });
      const answered = await pipeline.send("chat", chatHi);
      expect(pipeline.residue()).toEqual(AT_REST);
      return { pipeline, answered, models: pipeline.calls.map(modelOf) };
    };

    if (reason !== null) {
      test(`${label} goes to the other provider's model on "${reason}"`, async () => {
        const { models, answered, pipeline } = await walkWith([reason], CLAUDE);
        expect(models).toEqual(["gpt-4.1", CLAUDE]);
        expect(answered.status).toBe(200);
        expect(answered.headers).toMatchObject({
          "x-arouter-chain": `gpt-4.1=${name}, ${CLAUDE}=ok`,
          "x-arouter-fallback-reason": name,
          "x-arouter-model": CLAUDE,
          "x-arouter-provider": "anthropic",
          "x-arouter-upstream-format": "messages",
          "x-arouter-attempts": "2",
        });
        expect(answered.headers).not.toHaveProperty("x-arouter-error");
        expect(pipeline.records[0]?.fallbacks).toEqual([reason]);
      });

      test(`${label} ${otherProvider ? "does not go" : "goes"} to another model of the provider`, async () => {
        const { models, answered } = await walkWith([reason], "gpt-4o");
        expect(models).toEqual(otherProvider ? ["gpt-4.1"] : ["gpt-4.1", "gpt-4o"]);
        expect(answered.status).toBe(otherProvider ? status : 200);
        if (otherProvider) expect(answered.headers["x-arouter-chain"]).toBe(`gpt-4.1=${name}, gpt-4o=skipped`);
      });
    }

    test(`${label} is delivered when ${reason === null ? "everything" : "all but that"} may fall back`, async () => {
      const { models, answered } = await walkWith(others, CLAUDE);
      expect(models).toEqual(["gpt-4.1"]);
      expect(answered.status).toBe(status);
      expect(answered.headers["x-arouter-error"]).toBe(error as string);
      expect(answered.headers["x-arouter-chain"]).toBeUndefined();
    });
  }

  test("by default everything falls back but a refusal", async () => {
    for (const { name, answer, reason } of CLASSES) {
      const pipeline = createPipeline({
        config: ONCE,
        policy: route(`model: gpt-4.1, fallback_chain: [${CLAUDE}]`),
        upstream: (call) => (modelOf(call) === "gpt-4.1" ? answer : messagesAnswer("fine")),
      });
      await pipeline.send("chat", chatHi);
      expect([name, pipeline.calls.length]).toEqual([name, reason === null || reason === "refusal" ? 1 : 2]);
    }
  });
});

describe("the end of the chain", () => {
  test("the last attempt wins, also over an earlier one that looks better", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(`model: gpt-4.1, validate: [json], fallback_chain: [gpt-4o, gpt-4o-mini]`),
      upstream: (call) =>
        modelOf(call) === "gpt-4o-mini" ? openAiError(404, { message: "gone" }) : chatAnswer("no json"),
    });
    const { status, headers, text } = await pipeline.send("chat", chatHi);
    expect(status).toBe(404);
    expect(text).toContain('"gone"');
    expect(headers).toMatchObject({
      "x-arouter-chain": "gpt-4.1=invalid, gpt-4o=invalid, gpt-4o-mini=no_model",
      "x-arouter-heal": "exhausted",
      "x-arouter-model": "gpt-4o-mini",
      "x-arouter-attempts": "3",
    });
    expect(headers).not.toHaveProperty("x-arouter-error");
  });

  test("an invalid answer of the last candidate is delivered as it came", async () => {
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, validate: [json], fallback_chain: [gpt-4o]`),
      upstream: () => chatAnswer("still no json"),
    });
    const { status, headers, text } = await pipeline.send("chat", chatHi);
    expect([status, headers["x-arouter-heal"], headers["x-arouter-validation"]]).toEqual([200, "exhausted", "fail"]);
    expect(text).toContain("still no json");
    expect(pipeline.records[0]).toMatchObject({ outcome: "complete", heal: "exhausted", validation: "fail" });
  });

  test("an answer that cannot be judged after an invalid one is not called healed", async () => {
    const toolCall = {
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
          },
          finish_reason: "tool_calls",
        },
      ],
    };
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, validate: [json], fallback_chain: [gpt-4o]`),
      upstream: (call) => (modelOf(call) === "gpt-4.1" ? chatAnswer("no json") : chatAnswer("", "gpt-4o", toolCall)),
    });
    const { headers } = await pipeline.send("chat", chatHi);
    expect([headers["x-arouter-heal"], headers["x-arouter-validation"]]).toEqual(["exhausted", "skipped"]);
  });

  test("what was lost in translation is told of the answer delivered, not of one before it", async () => {
    const pipeline = createPipeline({
      policy: route(`model: ${CLAUDE}, fallback_chain: [gpt-4o]`),
      config: ONCE,
      upstream: (call) => (modelOf(call) === CLAUDE ? json({}, 500) : chatAnswer("fine")),
    });
    const { headers } = await pipeline.send("chat", { ...chatHi, seed: 7 });
    expect(headers["x-arouter-upstream-format"]).toBe("chat");
    expect(headers).not.toHaveProperty("x-arouter-dropped");
  });
});

describe("candidates that are skipped", () => {
  const image = {
    model: "gpt-4.1",
    messages: [
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }] },
    ],
  };

  test("a model that cannot see is skipped in the chain, at no cost", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-3.5-turbo, gpt-4o]`),
      upstream: (call) => (modelOf(call) === "gpt-4.1" ? openAiError(500) : chatAnswer("fine")),
    });
    const { headers } = await pipeline.send("chat", image);
    expect(pipeline.calls.map(modelOf)).toEqual(["gpt-4.1", "gpt-4o"]);
    expect(headers["x-arouter-chain"]).toBe("gpt-4.1=server, gpt-3.5-turbo=skipped, gpt-4o=ok");
    expect(headers["x-arouter-attempts"]).toBe("2");
  });

  test("as the rule's own model it is asked all the same", async () => {
    const pipeline = createPipeline({
      policy: route("model: gpt-3.5-turbo"),
      upstream: () => chatAnswer("I see nothing"),
    });
    await pipeline.send("chat", image);
    expect(pipeline.calls.map(modelOf)).toEqual(["gpt-3.5-turbo"]);
  });

  test("a lone model whose breaker is open is told as passed over", async () => {
    const pipeline = createPipeline({
      config: `${ONCE}[breaker]\nconsecutive_failures = 2\n`,
      upstream: () => openAiError(500),
    });
    for (let request = 0; request < 2; request += 1) await pipeline.send("chat", chatHi);
    const { status, headers } = await pipeline.send("chat", chatHi);
    expect([status, headers["x-arouter-error"], headers["x-arouter-chain"]]).toEqual([503, "circuit-open", undefined]);
    expect(pipeline.records[2]?.chain).toEqual([{ model: "gpt-4.1", result: "skipped" }]);
  });

  test("open breakers are gone round; when every candidate is shut the answer is 503 and says when", async () => {
    const config = `${ONCE}[breaker]\nconsecutive_failures = 2\nopen_base = "20s"\n`;
    let isDown = true;
    const clock = createFakeClock({ random: 0.5 });
    const pipeline = createPipeline({
      clock,
      config,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o]`),
      upstream: () => (isDown ? openAiError(500) : chatAnswer("fine")),
    });
    for (let request = 0; request < 2; request += 1) expect((await pipeline.send("chat", chatHi)).status).toBe(500);
    expect(pipeline.calls).toHaveLength(4);
    const { status, headers, text } = await pipeline.send("chat", chatHi);
    expect(pipeline.calls).toHaveLength(4);
    expect(status).toBe(503);
    expect(headers["x-arouter-error"]).toBe("circuit-open");
    expect(headers["x-arouter-attempts"]).toBe("0");
    expect(headers["x-arouter-chain"]).toBe("gpt-4.1=skipped, gpt-4o=skipped");
    const retryAfter = Number(headers["retry-after"]);
    expect(retryAfter).toBeGreaterThanOrEqual(16);
    expect(retryAfter).toBeLessThanOrEqual(24);
    expect(JSON.parse(text)).toMatchObject({ error: { type: "server_error", code: "upstream_unavailable" } });
    expect(headers).not.toHaveProperty("x-should-retry");
    isDown = false;
    await clock.advance(30_000);
    expect((await pipeline.send("chat", chatHi)).status).toBe(200);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("a shut throttle gate is gone round while another candidate remains", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o]`),
      upstream: (call) =>
        modelOf(call) === "gpt-4.1" ? openAiError(429, {}, { "retry-after": "30" }) : chatAnswer("fine"),
    });
    await pipeline.send("chat", chatHi);
    const { headers } = await pipeline.send("chat", chatHi);
    expect(pipeline.calls.map(modelOf)).toEqual(["gpt-4.1", "gpt-4o", "gpt-4o"]);
    expect(headers["x-arouter-chain"]).toBe("gpt-4.1=skipped, gpt-4o=ok");
    await pipeline.clock.advance(30_000);
    await pipeline.send("chat", chatHi);
    expect(pipeline.calls.map(modelOf).slice(3)).toEqual(["gpt-4.1", "gpt-4o"]);
  });

  test("a gated candidate is asked after all when nobody else can be", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-3.5-turbo]`),
      upstream: (_, index) => (index === 0 ? openAiError(429, {}, { "retry-after": "30" }) : chatAnswer("fine")),
    });
    await pipeline.send("chat", image);
    const { status, headers } = await pipeline.send("chat", image);
    expect(pipeline.calls.map(modelOf)).toEqual(["gpt-4.1", "gpt-4.1"]);
    expect([status, headers["x-arouter-chain"]]).toEqual([200, "gpt-3.5-turbo=skipped, gpt-4.1=ok"]);
  });

  test("a model without a provider's key is skipped in a chain, and a 404 alone", async () => {
    const pipeline = createPipeline({
      config: `${ONCE}[providers.openai]\nmodels = ["gpt-*"]\n`,
      policy: `rules:\n  - { name: chained, when: { model: gpt-4.1 }, then: { model: nobody-has-this, fallback_chain: [gpt-4o] } }\n`,
      upstream: () => chatAnswer("fine"),
    });
    expect((await pipeline.send("chat", chatHi)).headers["x-arouter-chain"]).toBe("nobody-has-this=skipped, gpt-4o=ok");
    const { status, headers, text } = await pipeline.send("chat", { ...chatHi, model: "llama" });
    expect([status, headers["x-arouter-error"]]).toEqual([404, "not-found"]);
    expect(JSON.parse(text)).toMatchObject({
      error: { type: "invalid_request_error", code: "model_not_found", param: "model" },
    });
  });
});

describe("attempts", () => {
  test("are bounded over the whole chain, and one is left for each candidate to come", async () => {
    const pipeline = createPipeline({
      config: `[retry]\nmax = 5\nbase = "1ms"\n[limits]\nmax_attempts = 6\n[breaker]\nconsecutive_failures = 100\n`,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o, gpt-4o-mini]`),
      upstream: () => openAiError(500),
    });
    const { headers } = await pipeline.send("chat", chatHi);
    expect(pipeline.calls).toHaveLength(6);
    expect(pipeline.calls.map(modelOf).slice(-2)).toEqual(["gpt-4o", "gpt-4o-mini"]);
    expect(headers["x-arouter-attempts"]).toBe("6");
    expect(headers["x-should-retry"]).toBe("false");
  });

  test("a stored answer is not asked for twice, unless nothing can have arrived", async () => {
    for (const [answer, calls] of [
      [openAiError(500), 1],
      [{ fails: "ConnectionRefused" } as const, 3],
      [{ fails: "ECONNRESET" } as const, 1],
    ] as const) {
      const pipeline = createPipeline({ config: '[retry]\nbase = "1ms"\n', upstream: () => answer });
      await pipeline.send("chat", { ...chatHi, store: true });
      expect(pipeline.calls).toHaveLength(calls);
    }
  });

  test("a stored answer does not fall back either", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o]`),
      upstream: () => openAiError(500),
    });
    await pipeline.send("chat", { ...chatHi, store: true });
    expect(pipeline.calls).toHaveLength(1);
  });

  test("a stale connection is tried again once, at once", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      upstream: (_, index) => (index === 0 ? { fails: "ECONNRESET" } : chatAnswer("fine")),
    });
    const started = pipeline.start("chat", chatHi);
    const { status } = await runUntil(started.opened, pipeline.clock);
    expect([status, pipeline.calls.length]).toEqual([200, 2]);
  });

  test("the deadline ends them with 504", async () => {
    const pipeline = createPipeline({ config: '[timeout]\ntotal = "2s"\n', upstream: () => ({ hangs: true }) });
    const { status, headers, text } = await pipeline.send("chat", chatHi);
    expect([status, headers["x-arouter-error"]]).toEqual([504, "deadline"]);
    expect(JSON.parse(text)).toMatchObject({ error: { type: "server_error", code: "deadline_exceeded" } });
    expect(pipeline.calls[0]?.signal.aborted).toBe(true);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("a caller may lower time limits, not raise them", async () => {
    for (const [headers, ms] of [
      [{ "x-arouter-timeout": "500ms" }, 500],
      [{ "x-arouter-timeout": "10m" }, 5000],
      // A second more than the SDK waits, so that its own timeout is what its caller sees.
      [{ "x-stainless-timeout": "1" }, 2000],
    ] as const) {
      const pipeline = createPipeline({ config: '[timeout]\ntotal = "5s"\n', upstream: () => ({ hangs: true }) });
      await pipeline.send("chat", chatHi, { headers });
      expect(Math.round(pipeline.records[0]?.ms ?? 0)).toBe(ms);
    }
  });

  test.each([
    ["first content", "ttft-timeout", (): Scripted => ({ hangs: true })],
    ["the next chunk", "idle-timeout", (): Scripted => sse(chatEvents(["hi"]).slice(0, 2), { end: "open" })],
  ] as const)("a caller may lower the time to %s, not raise it", async (_, name, upstream) => {
    for (const [asked, ms] of [
      ["500ms", 500],
      ["1m", 2000],
    ] as const) {
      const config = '[retry]\nmax = 0\n[timeout]\nttft = "2s"\nidle = "2s"\n[stream]\nkeepalive = "0s"\n';
      const pipeline = createPipeline({ config, upstream });
      await pipeline.send("chat", { ...chatHi, stream: true }, { headers: { [`x-arouter-${name}`]: asked } });
      expect(Math.round(pipeline.records[0]?.ms ?? 0)).toBe(ms);
    }
  });
});

describe("what a rule does to the request", () => {
  test("params are set, capped and dropped, and nothing else of the bytes changes", async () => {
    const pipeline = createPipeline({
      policy: route(
        `model: gpt-4o, params: { set: { temperature: 0.2, user: "team-a" }, cap: { max_tokens: 100 }, drop: [seed] }`,
      ),
      upstream: () => chatAnswer("fine"),
    });
    await pipeline.send(
      "chat",
      '{ "model" : "gpt-4.1", "max_tokens": 12345678901234567890, "seed": 1, "temperature": 1.0,\n "messages": [ {"role":"user","content":"\\u00e9"} ] }',
    );
    expect(pipeline.calls[0]?.body).toBe(
      '{ "model" : "gpt-4o", "max_tokens": 100, "temperature": 0.2,\n "messages": [ {"role":"user","content":"\\u00e9"} ],"user":"team-a" }',
    );
  });

  test("feedback tells the next model what was wrong, the first nothing", async () => {
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, validate: [json], fallback_chain: [gpt-4o], heal: { feedback: errors }`),
      upstream: (call) => (modelOf(call) === "gpt-4.1" ? chatAnswer("SECRET ANSWER") : chatAnswer("{}")),
    });
    const { headers } = await pipeline.send("chat", chatHi);
    expect(headers["x-arouter-heal"]).toBe("healed");
    const [first, second] = pipeline.calls.map(
      (call) => JSON.parse(call.body) as { messages: { role: string; content: string }[] },
    );
    expect(first?.messages).toHaveLength(1);
    expect(second?.messages).toHaveLength(2);
    expect(second?.messages[1]?.role).toBe("user");
    expect(Buffer.byteLength(second?.messages[1]?.content ?? "")).toBeLessThanOrEqual(4096);
    expect(second?.messages[1]?.content).not.toContain("SECRET");
  });

  test.each([
    ["a text", "Give \u00e9."],
    ["items", [{ role: "user", content: "Give \u00e9." }]],
  ])("feedback reaches a Responses model whose input was %s", async (_what, input) => {
    const pipeline = createPipeline({
      policy: route(`model: gpt-5.4, validate: [json], fallback_chain: [gpt-5.5], heal: { feedback: errors }`),
      upstream: (call) => responsesAnswer(modelOf(call) === "gpt-5.4" ? "no JSON" : "{}"),
    });
    const { headers } = await pipeline.send("responses", { model: "gpt-5.4", input });
    expect(headers["x-arouter-heal"]).toBe("healed");
    const [first, second] = pipeline.calls.map((call) => (JSON.parse(call.body) as { input: unknown }).input);
    expect(first).toEqual(input);
    expect(second).toEqual([
      { role: "user", content: "Give \u00e9." },
      { role: "user", content: expect.stringContaining("rejected by an automatic check") },
    ]);
  });

  test("a chain entry's own params and timeout count for it alone", async () => {
    const pipeline = createPipeline({
      config: ONCE,
      policy: route(
        `model: gpt-4.1, fallback_chain: [{ model: gpt-4o, params: { set: { temperature: 0 } }, timeout: { response: 300ms } }]`,
      ),
      upstream: () => ({ hangs: true }),
    });
    const { status } = await pipeline.send("chat", chatHi);
    expect(status).toBe(504);
    expect(pipeline.calls.map((call) => JSON.parse(call.body) as unknown)).toEqual([
      chatHi,
      { ...chatHi, model: "gpt-4o", temperature: 0 },
    ]);
    expect(pipeline.records[0]?.attempts.map(({ ms }) => ms)).toEqual([1000, 300]);
  });

  test("a block answers in the caller's shape and asks nobody", async () => {
    const policy = `rules:\n  - name: no_secrets\n    when: { prompt_contains: secret }\n    then: { block: { status: 451, message: "not here" } }\n`;
    for (const [format, body] of [
      ["chat", { ...chatHi, messages: [{ role: "user", content: "a secret" }] }],
      ["messages", { model: CLAUDE, max_tokens: 5, messages: [{ role: "user", content: "a secret" }] }],
    ] as const) {
      const pipeline = createPipeline({ policy, upstream: () => chatAnswer("no") });
      const { status, headers, text } = await pipeline.send(format, body);
      expect(status).toBe(451);
      expect(headers).toMatchObject({
        "x-arouter-error": "blocked",
        "x-arouter-rule": "no_secrets",
        "x-arouter-attempts": "0",
      });
      expect(text).toContain("not here");
      expect(JSON.parse(text)).toMatchObject(
        format === "chat"
          ? { error: { code: "blocked_by_policy" } }
          : { type: "error", error: { message: "not here" } },
      );
      expect(pipeline.calls).toHaveLength(0);
    }
  });
});

describe("what a caller's headers do", () => {
  const policy = route(`model: gpt-4o, fallback_chain: [gpt-4o-mini], validate: [json]`);

  test("model, chain and validators are overridden; the headers go no further", async () => {
    const pipeline = createPipeline({ policy, upstream: () => chatAnswer("no json") });
    const { headers } = await pipeline.send("chat", chatHi, {
      headers: {
        "x-arouter-model": "gpt-4.1",
        "x-arouter-fallback-chain": "",
        "x-arouter-validate": "none",
        "x-arouter-tags": "a=b",
      },
    });
    expect(pipeline.calls.map(modelOf)).toEqual(["gpt-4.1"]);
    expect(Object.keys(pipeline.calls[0]?.headers ?? {}).filter((name) => name.startsWith("x-"))).toEqual([]);
    expect(headers).not.toHaveProperty("x-arouter-heal");
    expect(pipeline.records[0]).toMatchObject({ callerTags: { a: "b" }, tags: {} });
  });

  test("a dry run tells the decision and asks nobody", async () => {
    const pipeline = createPipeline({ policy, upstream: () => chatAnswer("no") });
    const { status, text, headers } = await pipeline.send("chat", chatHi, { headers: { "x-arouter-dry-run": "1" } });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      rule: "all",
      model: "gpt-4o",
      validate: ["json"],
      fallback_chain: ["gpt-4o-mini"],
    });
    expect(headers["x-arouter-rule"]).toBe("all");
    expect(pipeline.calls).toHaveLength(0);
  });

  test("explain adds the decision, bounded", async () => {
    const pipeline = createPipeline({ policy, upstream: () => chatAnswer("{}") });
    const { headers } = await pipeline.send("chat", chatHi, { headers: { "x-arouter-explain": "1" } });
    expect(JSON.parse(headers["x-arouter-trace"] ?? "")).toMatchObject({ rule: "all", model: "gpt-4o" });
    expect((headers["x-arouter-trace"] ?? "").length).toBeLessThanOrEqual(4096);
  });

  test("strict refuses a translation that would lose something, and names it", async () => {
    const pipeline = createPipeline({ upstream: () => messagesAnswer("fine") });
    const { status, headers, text } = await pipeline.send(
      "chat",
      { ...chatHi, model: CLAUDE, seed: 1 },
      { headers: { "x-arouter-strict": "1" } },
    );
    expect([status, headers["x-arouter-error"]]).toEqual([400, "unsupported-translation"]);
    expect(JSON.parse(text)).toMatchObject({ error: { param: "seed" } });
    expect(pipeline.calls).toHaveLength(0);
  });

  const bad: readonly (readonly [headers: Record<string, string>, status: number, name: string])[] = [
    [{ "x-arouter-retry": "9" }, 400, "x-arouter-retry"],
    [{ "x-arouter-modle": "gpt-4o" }, 400, "x-arouter-modle"],
    [{ "x-arouter-model": "no spaces" }, 400, "x-arouter-model"],
    [{ "x-arouter-rule": "al" }, 400, "x-arouter-rule"],
  ];
  for (const [headers, status, name] of bad) {
    test(`${JSON.stringify(headers)} is a ${status} that names the header`, async () => {
      const pipeline = createPipeline({ policy, upstream: () => chatAnswer("no") });
      const answered = await pipeline.send("chat", chatHi, { headers });
      expect(answered.status).toBe(status);
      expect(answered.text).toContain(name);
      expect(answered.headers["x-arouter-policy"]).toMatch(/^[0-9a-f]{12}$/);
    });
  }

  test("an override that is not allowed is a 403", async () => {
    const pipeline = createPipeline({
      config: '[router]\noverrides = ["tags"]\n',
      policy,
      upstream: () => chatAnswer("no"),
    });
    const answered = await pipeline.send("chat", chatHi, { headers: { "x-arouter-model": "gpt-4.1" } });
    expect([answered.status, answered.headers["x-arouter-error"]]).toEqual([403, "forbidden"]);
  });
});

describe("a refusal", () => {
  const refusing = chatAnswer("", "gpt-4.1", {
    choices: [
      { index: 0, message: { role: "assistant", content: null, refusal: "I will not." }, finish_reason: "stop" },
    ],
  });

  test("is an answer unless somebody asked otherwise", async () => {
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o]`),
      upstream: () => refusing,
    });
    expect((await pipeline.send("chat", chatHi)).status).toBe(200);
    expect(pipeline.calls).toHaveLength(1);
  });

  test("goes to the next model when fallback_on says so, and the record tells", async () => {
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o], fallback_on: [refusal]`),
      upstream: (call) => (modelOf(call) === "gpt-4.1" ? refusing : chatAnswer("fine")),
    });
    const { headers } = await pipeline.send("chat", chatHi);
    expect(headers["x-arouter-chain"]).toBe("gpt-4.1=policy, gpt-4o=ok");
    expect(pipeline.records[0]?.attempts.map((attempt) => attempt.class)).toEqual(["policy", "ok"]);
  });

  test("in a stream too, while it is held", async () => {
    const refusal = `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "gpt-4.1", choices: [{ index: 0, delta: { role: "assistant", refusal: "No." }, finish_reason: null }] })}\n\ndata: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "gpt-4.1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;
    const pipeline = createPipeline({
      policy: route(`model: gpt-4.1, fallback_chain: [gpt-4o], fallback_on: [refusal], heal: { hold: preflush }`),
      upstream: (call) =>
        modelOf(call) === "gpt-4.1"
          ? { headers: { "content-type": "text/event-stream" }, body: refusal }
          : chatStream(["fine"]),
    });
    const { headers, text } = await pipeline.send("chat", { ...chatHi, stream: true });
    expect(headers["x-arouter-chain"]).toBe("gpt-4.1=policy, gpt-4o=ok");
    expect(text).not.toContain("No.");
    expect(text).toContain("fine");
  });
});

describe("a secret of ours in an upstream's error", () => {
  for (const [format, body, upstream] of [
    ["chat", chatHi, "the same format"],
    ["messages", { ...messagesHi, model: "gpt-4.1" }, "another format"],
  ] as const) {
    test(`does not reach the client in ${upstream}, nor the record`, async () => {
      const pipeline = createPipeline({
        upstream: () => openAiError(401, { message: "Incorrect API key provided: sk-openai-test-key." }),
      });
      const { text, status } = await pipeline.send(format, body);
      expect(status).toBe(format === "chat" ? 401 : 502);
      expect(text).not.toContain("sk-openai-test-key");
      expect(text).toContain("[redacted]");
      expect(JSON.stringify(pipeline.events)).not.toContain("sk-openai-test-key");
    });
  }
});
