import { describe, expect, test } from "bun:test";
import { RESPONSE_HEADERS } from "../../src/gateway/arouter-headers.ts";
import {
  chatAnswer,
  chatHi,
  chatStream,
  messagesAnswer,
  messagesEvents,
  messagesHi,
  openAiError,
} from "../support/answers.ts";
import { createPipeline, type PipelineOptions, type SendOptions } from "../support/pipeline.ts";
import { json, sse } from "../support/scripted-client.ts";

const ALWAYS = ["request-id", "rule", "policy", "attempts", "overhead-ms"] as const;
const PARSED = [...ALWAYS, "model-requested"] as const;
const ANSWERED = [...PARSED, "model", "provider", "upstream-format"] as const;
const BUFFERED = [...ANSWERED, "tokens-input", "tokens-output", "cost-usd", "saved-usd"] as const;
const STREAMED = [...ANSWERED, "tokens-input-estimate"] as const;

const POLICY = `
rules:
  - { name: blocked, when: { prompt_contains: block me }, then: { block: { message: "no" } } }
  - { name: racing, when: { prompt_contains: race me }, then: { hedge: { after: 1ms, model: gpt-4o } } }
  - { name: healing, when: { prompt_contains: heal me }, then: { model: gpt-4.1, validate: [json], fallback_chain: [gpt-4o] } }
`;

interface Row {
  readonly name: string;
  readonly body: unknown;
  readonly upstream: PipelineOptions["upstream"];
  readonly config?: string;
  readonly send?: SendOptions;
  readonly status: number;
  /** Every `x-arouter-*` header that leaves, without the prefix. */
  readonly names: readonly string[];
  readonly values?: Readonly<Record<string, string>>;
}

const say = (content: string) => ({ ...chatHi, messages: [{ role: "user", content }] });
const never: PipelineOptions["upstream"] = () => {
  throw new Error("nobody is to be asked");
};

const ROWS: readonly Row[] = [
  {
    name: "a buffered answer",
    body: chatHi,
    upstream: () => chatAnswer("hi"),
    status: 200,
    names: BUFFERED,
    values: { attempts: "1", rule: "none" },
  },
  {
    name: "a translated one",
    body: { ...chatHi, model: "claude-sonnet-4-5", seed: 1 },
    upstream: () => messagesAnswer("hi"),
    status: 200,
    names: [...BUFFERED, "dropped"],
  },
  {
    name: "one without usage",
    body: chatHi,
    upstream: () => chatAnswer("hi", "gpt-4.1", { usage: null }),
    status: 200,
    names: [...BUFFERED, "usage"],
    values: { usage: "estimated", "tokens-output": "1" },
  },
  {
    name: "an unpriced model",
    body: { ...chatHi, model: "my-own-model" },
    upstream: () => chatAnswer("hi"),
    status: 200,
    names: [...ANSWERED, "tokens-input", "tokens-output"],
  },
  {
    name: "a stream",
    body: { ...chatHi, stream: true },
    upstream: () => chatStream(["hi"]),
    status: 200,
    names: STREAMED,
  },
  {
    name: "an upstream error",
    body: chatHi,
    config: "[retry]\nmax = 0\n",
    upstream: () => openAiError(500),
    status: 500,
    names: ANSWERED,
  },
  {
    name: "an upstream error for a stream",
    body: { ...chatHi, stream: true },
    upstream: () => openAiError(400),
    status: 400,
    names: ANSWERED,
  },
  {
    name: "no answer",
    body: chatHi,
    config: "[retry]\nmax = 0\n",
    upstream: () => ({ fails: "ConnectionRefused" }),
    status: 502,
    names: [...ANSWERED, "error"],
    values: { error: "upstream-unreachable" },
  },
  { name: "not JSON", body: "{", upstream: never, status: 400, names: [...ALWAYS, "error"], values: { attempts: "0" } },
  {
    name: "a bad header",
    body: chatHi,
    send: { headers: { "x-arouter-retry": "x" } },
    upstream: never,
    status: 400,
    names: [...ALWAYS, "error"],
  },
  {
    name: "a block",
    body: say("block me"),
    upstream: never,
    status: 403,
    names: [...PARSED, "error"],
    values: { rule: "blocked", error: "blocked" },
  },
  {
    name: "a dry run",
    body: chatHi,
    send: { headers: { "x-arouter-dry-run": "1" } },
    upstream: never,
    status: 200,
    names: PARSED,
  },
  {
    name: "explain",
    body: chatHi,
    send: { headers: { "x-arouter-explain": "1" } },
    upstream: () => chatAnswer("hi"),
    status: 200,
    names: [...BUFFERED, "trace"],
  },
  {
    name: "a client's request id",
    body: chatHi,
    send: { headers: { "x-request-id": "mine" } },
    upstream: () => chatAnswer("hi"),
    status: 200,
    names: [...BUFFERED, "client-request-id"],
    values: { "client-request-id": "mine" },
  },
  {
    name: "a validated answer",
    body: say("heal me"),
    upstream: () => chatAnswer("{}"),
    status: 200,
    names: [...BUFFERED, "validation"],
    values: { validation: "pass" },
  },
  {
    name: "a healed answer",
    body: say("heal me"),
    upstream: (_, index) => chatAnswer(index === 0 ? "no" : "{}"),
    status: 200,
    names: [...BUFFERED, "validation", "heal", "chain", "fallback-reason"],
    values: {
      heal: "healed",
      validation: "pass",
      chain: "gpt-4.1=invalid, gpt-4o=ok",
      "fallback-reason": "invalid",
      attempts: "2",
    },
  },
  {
    name: "a healed answer after a broken one",
    body: say("heal me"),
    config: "[retry]\nmax = 0\n",
    upstream: (_, index) => (index === 0 ? json("cut") : chatAnswer("{}")),
    status: 200,
    names: [...BUFFERED, "validation", "heal", "chain", "fallback-reason"],
    values: { heal: "healed", chain: "gpt-4.1=broken, gpt-4o=ok" },
  },
  {
    name: "an answer that nothing could heal",
    body: say("heal me"),
    upstream: () => chatAnswer("no"),
    status: 200,
    names: [...BUFFERED, "validation", "heal", "chain", "fallback-reason"],
    values: { heal: "exhausted", validation: "fail", chain: "gpt-4.1=invalid, gpt-4o=invalid", attempts: "2" },
  },
  {
    name: "a healed stream",
    body: { ...say("heal me"), stream: true },
    upstream: (_, index) => chatStream([index === 0 ? "no" : "{}"]),
    status: 200,
    names: [...STREAMED, "validation", "heal", "chain", "fallback-reason"],
    values: { heal: "healed", validation: "pass", model: "gpt-4o", attempts: "2" },
  },
  {
    name: "a retried answer",
    body: chatHi,
    config: '[retry]\nbase = "1ms"\n',
    upstream: (_, index) => (index === 0 ? openAiError(500) : chatAnswer("hi")),
    status: 200,
    names: BUFFERED,
    values: { attempts: "2" },
  },
  {
    name: "a hedge that won",
    body: say("race me"),
    upstream: (_, index) => (index === 0 ? { hangs: true } : chatAnswer("hi")),
    status: 200,
    names: [...BUFFERED, "hedge"],
    values: { hedge: "hedge", attempts: "2", model: "gpt-4o" },
  },
  {
    name: "a hedged stream",
    body: { ...say("race me"), stream: true },
    upstream: (_, index) => (index === 0 ? { hangs: true } : chatStream(["hi"])),
    status: 200,
    names: [...STREAMED, "hedge"],
    values: { hedge: "hedge", attempts: "2", model: "gpt-4o" },
  },
  {
    name: "a translated stream that lost something",
    body: { ...chatHi, model: "claude-sonnet-4-5", seed: 1, stream: true, verbosity: "low" },
    upstream: () => sse(messagesEvents(["hi"])),
    status: 200,
    names: [...STREAMED, "dropped", "adapted"],
    values: { dropped: "seed" },
  },
  {
    name: "a stream that breaks off",
    body: { ...chatHi, stream: true },
    config: "[retry]\nmax = 0\n",
    upstream: () => chatStream(["hi"], { end: "cut" }),
    status: 200,
    names: STREAMED,
  },
  {
    name: "a time limit",
    body: chatHi,
    send: { headers: { "x-arouter-timeout": "50ms" } },
    upstream: () => ({ hangs: true }),
    status: 504,
    names: [...ANSWERED, "error", "cost-usd"],
    values: { error: "deadline" },
  },
  {
    name: "a model that nobody serves",
    body: { ...chatHi, model: "llama" },
    config: '[providers.openai]\nmodels = ["gpt-*"]\n',
    upstream: never,
    status: 404,
    names: [...PARSED, "error"],
    values: { error: "not-found", attempts: "0" },
  },
  {
    name: "a translation that would change the meaning",
    body: { ...chatHi, model: "claude-sonnet-4-5", seed: 1 },
    send: { headers: { "x-arouter-strict": "1" } },
    upstream: never,
    status: 400,
    names: [...PARSED, "error"],
    values: { error: "unsupported-translation", attempts: "0" },
  },
  {
    name: "an overflowing stream",
    body: { ...say("heal me"), stream: true },
    upstream: () =>
      sse([
        ...Array.from(
          { length: 20 },
          () => `data: {"choices":[{"index":0,"delta":{"content":"${"1".repeat(1000)}"},"finish_reason":null}]}\n\n`,
        ),
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
      ]),
    status: 200,
    names: [...STREAMED, "validation", "heal"],
    values: { heal: "overflow", validation: "skipped" },
  },
];

describe("the x-arouter headers of", () => {
  test("all outcomes below are the documented ones", () => {
    const told = new Set(ROWS.flatMap(({ names }) => names));
    expect([...told].sort()).toEqual(Object.keys(RESPONSE_HEADERS).sort());
  });

  for (const { name, body, upstream, config, send, status, names, values } of ROWS) {
    test(name, async () => {
      const pipeline = createPipeline({ policy: POLICY, upstream, ...(config === undefined ? {} : { config }) });
      const answered = await pipeline.send("chat", body, send);
      const told = Object.fromEntries(
        Object.entries(answered.headers).flatMap(([key, value]) =>
          key.startsWith("x-arouter-") ? [[key.slice("x-arouter-".length), value]] : [],
        ),
      );
      expect(answered.status).toBe(status);
      expect(Object.keys(told).sort()).toEqual([...names].sort());
      expect(told).toMatchObject({ ...values });
      expect(told["policy"]).toMatch(/^[0-9a-f]{12}$/);
      for (const value of Object.values(told)) expect(value).toMatch(/^[\x20-\x7e]*$/);
      expect(answered.headers["x-request-id"]).toBe(answered.headers["request-id"] as string);
    });
  }
});

describe("x-should-retry", () => {
  const rows: readonly (readonly [
    name: string,
    upstream: PipelineOptions["upstream"],
    config: string,
    value: string | undefined,
  ])[] = [
    ["is false after two failed attempts of a 5xx", () => openAiError(500), '[retry]\nbase = "1ms"\n', "false"],
    [
      "is false after two failures to connect",
      () => ({ fails: "ConnectionRefused" }),
      '[retry]\nbase = "1ms"\n',
      "false",
    ],
    ["is not added after one", () => openAiError(500), "[retry]\nmax = 0\n", undefined],
    [
      "is false after one where the budget refuses the next",
      () => openAiError(500),
      "[retry]\nbudget_ratio = 0\nbudget_min_per_second = 0\n",
      "false",
    ],
    ["is not added to a 503", () => openAiError(503), '[retry]\nthrottle_base = "1ms"\n', undefined],
    ["is not added to a 429", () => openAiError(429), '[retry]\nthrottle_base = "1ms"\n', undefined],
    [
      "is the upstream's own where it sent one",
      () => openAiError(500, {}, { "x-should-retry": "true" }),
      '[retry]\nbase = "1ms"\n',
      "true",
    ],
    [
      "is not added where that is off",
      () => openAiError(500),
      '[retry]\nbase = "1ms"\nsignal_client = false\n',
      undefined,
    ],
  ];
  for (const [name, upstream, config, value] of rows) {
    test(name, async () => {
      const { headers } = await createPipeline({ config, upstream }).send("chat", chatHi);
      expect(headers["x-should-retry"]).toBe(value as string);
    });
  }
});

describe("headers that travel", () => {
  const client = {
    authorization: "Bearer client",
    "x-api-key": "client",
    "openai-organization": "org",
    "openai-beta": "assistants=v2",
    "anthropic-version": "2099-01-01",
    "anthropic-beta": "b1, b2,b1",
    "anthropic-workspace-id": "ws",
    "idempotency-key": "once",
    cookie: "c",
    origin: "http://localhost",
    "x-forwarded-for": "1.2.3.4",
    "x-stainless-lang": "js",
    "user-agent": "sdk",
    "accept-encoding": "gzip, br",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=1",
    baggage: "k=v",
    "x-unknown": "1",
    "x-arouter-retry": "1",
    "x-arouter-tags": "team=web",
    "x-arouter-timeout": "9s",
  };
  const COMMON = ["accept", "accept-encoding", "baggage", "content-type", "traceparent", "tracestate", "user-agent"];

  test("to OpenAI in its own format", async () => {
    const pipeline = createPipeline({ upstream: () => chatAnswer("hi") });
    await pipeline.send("chat", chatHi, { headers: client });
    const headers = pipeline.calls[0]?.headers ?? {};
    expect(Object.keys(headers).sort()).toEqual(
      [...COMMON, "authorization", "idempotency-key", "openai-beta", "openai-organization"].sort(),
    );
    expect(headers).toMatchObject({
      authorization: "Bearer sk-openai-test-key",
      "user-agent": "arouter/test",
      "accept-encoding": "identity",
    });
    expect(headers["traceparent"]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
  });

  test("to Anthropic in its own format", async () => {
    const pipeline = createPipeline({ upstream: () => messagesAnswer("hi") });
    await pipeline.send("messages", messagesHi, { headers: client });
    const headers = pipeline.calls[0]?.headers ?? {};
    expect(Object.keys(headers).sort()).toEqual(
      [
        ...COMMON,
        "anthropic-beta",
        "anthropic-version",
        "anthropic-workspace-id",
        "idempotency-key",
        "x-api-key",
      ].sort(),
    );
    expect(headers).toMatchObject({
      "x-api-key": "sk-ant-test-key",
      "anthropic-version": "2099-01-01",
      "anthropic-beta": "b1,b2",
    });
  });

  test("across formats: trace context alone", async () => {
    const pipeline = createPipeline({ upstream: () => messagesAnswer("hi") });
    await pipeline.send("chat", { ...chatHi, model: "claude-sonnet-4-5" }, { headers: client });
    const headers = pipeline.calls[0]?.headers ?? {};
    expect(Object.keys(headers).sort()).toEqual([...COMMON, "anthropic-version", "x-api-key"].sort());
    expect(headers["anthropic-version"]).toBe("2023-06-01");
  });

  test("an idempotency key goes on every try of unchanged bytes, and with nothing else", async () => {
    const pipeline = createPipeline({
      config: '[retry]\nbase = "1ms"\nmax = 1\n',
      policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-4o] }\n",
      upstream: () => openAiError(500),
    });
    await pipeline.send("chat", chatHi, { headers: { "idempotency-key": "once" } });
    expect(pipeline.calls.map((call) => call.headers["idempotency-key"] ?? null)).toEqual(["once", "once", null, null]);
  });

  test("betas are filtered as configured", async () => {
    const pipeline = createPipeline({
      config: '[providers.anthropic]\nbetas_allow = ["b*"]\nbetas_deny = ["b2"]\n',
      upstream: () => messagesAnswer("hi"),
    });
    await pipeline.send("messages", messagesHi, { headers: { "anthropic-beta": "a1,b1,b2" } });
    expect(pipeline.calls[0]?.headers["anthropic-beta"]).toBe("b1");
    await pipeline.send("messages", messagesHi, { headers: { "anthropic-beta": "a1" } });
    expect(pipeline.calls[1]?.headers).not.toHaveProperty("anthropic-beta");
  });

  test("back: the vendor's own in the same format, an allow-list in both", async () => {
    const vendor = {
      "x-request-id": "up",
      "x-ratelimit-remaining-requests": "5",
      "openai-processing-ms": "7",
      "openai-version": "2020",
      "set-cookie": "x=y",
      server: "cloudflare",
      "cf-ray": "1",
      "alt-svc": "h3",
      "strict-transport-security": "x",
      "content-encoding": "identity",
      "access-control-allow-origin": "*",
    };
    const same = await createPipeline({ upstream: () => ({ ...chatAnswer("hi"), headers: vendor }) }).send(
      "chat",
      chatHi,
    );
    expect(
      Object.keys(same.headers)
        .filter((name) => !name.startsWith("x-arouter-"))
        .sort(),
    ).toEqual(
      [
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "x-ratelimit-remaining-requests",
        "x-request-id",
      ].sort(),
    );
    const across = await createPipeline({ upstream: () => ({ ...chatAnswer("hi"), headers: vendor }) }).send(
      "messages",
      { ...messagesHi, model: "gpt-4.1" },
    );
    expect(
      Object.keys(across.headers)
        .filter((name) => !name.startsWith("x-arouter-"))
        .sort(),
    ).toEqual(["anthropic-ratelimit-requests-remaining", "content-type", "request-id", "x-request-id"].sort());
  });
});

describe("an outage", () => {
  test("costs a provider at most a fifth more, and three a second", async () => {
    const pipeline = createPipeline({
      config: "[breaker]\nconsecutive_failures = 1000\nmin_requests = 100000\n",
      upstream: () => openAiError(500),
    });
    const requests = 200;
    const startMs = pipeline.clock.nowMs();
    for (let request = 0; request < requests; request += 1) await pipeline.send("chat", chatHi);
    const seconds = (pipeline.clock.nowMs() - startMs) / 1000;
    expect(pipeline.calls.length).toBeGreaterThan(requests);
    expect(pipeline.calls.length).toBeLessThanOrEqual(requests * 1.2 + 3 * (seconds + 1));
  });
});
