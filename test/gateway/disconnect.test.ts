import { describe, expect, test } from "bun:test";
import { chatAnswer, chatEvents, chatHi, chatStream, messagesEvents, openAiError } from "../support/answers.ts";
import { createFakeClock, settle } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, type PipelineOptions, type Started } from "../support/pipeline.ts";
import { type Script, sse } from "../support/scripted-client.ts";

const streaming = { ...chatHi, stream: true };

/** A phase of a request in which its client may leave. */
interface Phase {
  readonly name: string;
  readonly body: unknown;
  readonly options: Omit<PipelineOptions, "upstream" | "clock">;
  readonly upstream: (wait: (ms: number) => Promise<void>) => Script;
  /** Fake time until the client leaves. */
  readonly leaveAfterMs: number;
  /** Calls that were made when it leaves. */
  readonly calls: number;
  /** Reads this many writes first. */
  readonly reads?: number;
}

const PHASES: readonly Phase[] = [
  {
    name: "waiting for headers, buffered",
    body: chatHi,
    options: {},
    upstream: () => () => ({ hangs: true }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "waiting for headers, streamed",
    body: streaming,
    options: {},
    upstream: () => () => ({ hangs: true }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "waiting for headers, after an early commit",
    body: streaming,
    options: { config: '[stream]\ncommit_after = "1s"\nkeepalive = "500ms"\n' },
    upstream: () => () => ({ hangs: true }),
    leaveAfterMs: 3_000,
    calls: 1,
    reads: 1,
  },
  {
    name: "waiting for first content",
    body: streaming,
    options: {},
    upstream: () => () => sse(chatEvents([]).slice(0, 1), { end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "reading a buffered answer",
    body: chatHi,
    options: {},
    upstream: () => () => ({ body: ['{"id":'], end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "in the middle of a stream",
    body: streaming,
    options: {},
    upstream: () => () => sse(chatEvents(["one"]).slice(0, 2), { end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
    reads: 2,
  },
  {
    name: "in the middle of a translated stream",
    body: { ...streaming, model: "claude-sonnet-4-5" },
    options: {},
    upstream: () => () => sse(messagesEvents(["one"]).slice(0, 3), { end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
    reads: 2,
  },
  {
    name: "while the stream is held",
    body: streaming,
    options: { policy: "rules:\n  - name: all\n    then: { validate: [json] }\n" },
    upstream: () => () => sse(chatEvents(["[1,"]).slice(0, 2), { end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "while a stream is gathered",
    body: { ...chatHi, model: "claude-sonnet-4-5", max_tokens: 60_000 },
    options: {},
    upstream: () => () => sse(messagesEvents(["one"]).slice(0, 3), { end: "open" }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "during a backoff",
    body: chatHi,
    options: {},
    upstream: () => () => openAiError(500),
    leaveAfterMs: 20,
    calls: 1,
  },
  {
    name: "during a Retry-After",
    body: chatHi,
    options: {},
    upstream: () => () => openAiError(429, {}, { "retry-after": "20" }),
    leaveAfterMs: 100,
    calls: 1,
  },
  {
    name: "at the second candidate",
    body: chatHi,
    options: {
      config: "[retry]\nmax = 0\n",
      policy: "rules:\n  - name: all\n    then: { fallback_chain: [gpt-4o] }\n",
    },
    upstream: () => (_, index) => (index === 0 ? openAiError(500) : { hangs: true }),
    leaveAfterMs: 100,
    calls: 2,
  },
  {
    name: "while two legs race",
    body: chatHi,
    options: { policy: "rules:\n  - name: all\n    then: { hedge: { after: 50ms } }\n" },
    upstream: () => () => ({ hangs: true }),
    leaveAfterMs: 100,
    calls: 2,
  },
  {
    name: "before a hedge's delay is over",
    body: chatHi,
    options: { policy: "rules:\n  - name: all\n    then: { hedge: { after: 5s } }\n" },
    upstream: () => () => ({ hangs: true }),
    leaveAfterMs: 100,
    calls: 1,
  },
];

async function leave(started: Started, reads: number | undefined): Promise<void> {
  if (reads === undefined) {
    started.leave();
    return;
  }
  const opened = await started.opened;
  for (let read = 0; read < reads; read += 1) await opened.read();
  await settle();
  await opened.leave();
}

describe("a client that leaves", () => {
  for (const { name, body, options, upstream, leaveAfterMs, calls, reads } of PHASES) {
    test(`${name}: every call is aborted, nothing is left behind, no call follows`, async () => {
      const clock = createFakeClock({ random: 0.9 });
      const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
      const pipeline = createPipeline({ ...options, clock, upstream: upstream(wait) });
      const started = pipeline.start("chat", body);
      await clock.advance(leaveAfterMs);
      expect(pipeline.calls).toHaveLength(calls);
      expect(pipeline.records).toHaveLength(0);
      await leave(started, reads);
      for (let turn = 0; turn < 5; turn += 1) await settle();
      expect(pipeline.residue()).toEqual(AT_REST);
      await clock.advance(200_000);
      expect(pipeline.calls).toHaveLength(calls);
      expect(pipeline.records).toHaveLength(1);
      expect(pipeline.records[0]).toMatchObject({ outcome: "client_gone", status: 499, error: "client-closed" });
      const failed = pipeline.records[0]?.attempts.filter((attempt) => attempt.class !== "aborted") ?? [];
      expect(failed.every((attempt) => attempt.status !== null && attempt.status >= 400)).toBe(true);
    });
  }

  test("does no harm to the breakers", async () => {
    const pipeline = createPipeline({
      config: "[breaker]\nconsecutive_failures = 2\nmin_requests = 2\n",
      upstream: () => ({ hangs: true }),
    });
    for (let request = 0; request < 10; request += 1) {
      const started = pipeline.start("chat", chatHi);
      await pipeline.clock.advance(10);
      started.leave();
      await started.opened;
    }
    expect(pipeline.events.filter(({ type }) => type === "breaker-changed")).toEqual([]);
    expect(pipeline.snapshot.state.breakers.viewProvider("openai").kind).toBe("closed");
  });

  test("gives a half-open breaker's probe slot back", async () => {
    let mode: "down" | "hangs" | "fine" = "down";
    const pipeline = createPipeline({
      config: '[retry]\nmax = 0\n[breaker]\nconsecutive_failures = 1\nopen_base = "5s"\n',
      upstream: () => (mode === "down" ? openAiError(500) : mode === "hangs" ? { hangs: true } : chatAnswer("fine")),
    });
    await pipeline.send("chat", chatHi);
    await pipeline.clock.advance(10_000);
    mode = "hangs";
    const probe = pipeline.start("chat", chatHi);
    await pipeline.clock.advance(10);
    expect((await pipeline.send("chat", chatHi)).headers["x-arouter-error"]).toBe("circuit-open");
    probe.leave();
    await probe.opened;
    mode = "fine";
    expect((await pipeline.send("chat", chatHi)).status).toBe(200);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("while waiting in a provider's line leaves the line", async () => {
    const pipeline = createPipeline({
      config: "[limits]\nprovider_in_flight = 1\n",
      upstream: () => ({ hangs: true }),
    });
    const first = pipeline.start("chat", chatHi);
    await pipeline.clock.advance(10);
    const second = pipeline.start("chat", chatHi);
    await pipeline.clock.advance(10);
    second.leave();
    await second.opened;
    expect(pipeline.calls).toHaveLength(1);
    first.leave();
    await first.opened;
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("just as its answer is ready opens no body", async () => {
    const pipeline = createPipeline({ upstream: () => chatStream(["one", "two"]) });
    const started = pipeline.start("chat", streaming);
    while ((pipeline.calls[0]?.pulled ?? 0) < 2) await Promise.resolve();
    started.leave();
    const { status } = await started.opened;
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect([status, pipeline.records[0]?.outcome]).toEqual([499, "client_gone"]);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("keeps what its part of a stream has used, as partial", async () => {
    const pipeline = createPipeline({
      upstream: () => sse(chatEvents(["one two three"]).slice(0, 2), { end: "open" }),
    });
    const opened = await pipeline.open("chat", streaming);
    await opened.read();
    await opened.read();
    await opened.leave();
    await settle();
    expect(pipeline.records[0]?.usage).toMatchObject({ source: "estimated" });
    expect(pipeline.records[0]?.costUsd).toBeGreaterThan(0);
  });
});

describe("permits", () => {
  test("a provider at its limit is gone round, and waited for when nobody else is left", async () => {
    const pipeline = createPipeline({
      config: '[limits]\nprovider_in_flight = 1\nqueue_timeout = "2s"\n',
      policy:
        "rules:\n  - { name: chained, when: { model: gpt-4.1 }, then: { fallback_chain: [claude-sonnet-4-5] } }\n",
      upstream: (call) =>
        call.url.includes("anthropic")
          ? sse(messagesEvents(["hello"]))
          : sse(chatEvents(["one"]).slice(0, 2), { end: "open" }),
    });
    const holder = await pipeline.open("chat", streaming);
    const gone = await pipeline.send("chat", streaming);
    expect(gone.headers["x-arouter-chain"]).toBe("gpt-4.1=skipped, claude-sonnet-4-5=ok");
    const refused = await pipeline.send("chat", { ...streaming, model: "gpt-4o" });
    expect([refused.status, refused.headers["x-arouter-error"], refused.headers["retry-after"]]).toEqual([
      503,
      "overloaded",
      "1",
    ]);
    expect(refused.headers["x-arouter-attempts"]).toBe("0");
    const waiting = pipeline.start("chat", { ...streaming, model: "gpt-4o" });
    await pipeline.clock.advance(500);
    await holder.leave();
    const served = await waiting.opened;
    expect(served.status).toBe(200);
    await served.leave();
    await settle();
    expect(pipeline.residue()).toEqual(AT_REST);
  });
});
