import { describe, expect, test } from "bun:test";
import type { GatewayEvent, RequestRecord } from "../../src/base/events.ts";
import type { Finished } from "../../src/observe/otlp-encode.ts";
import type { OtlpResult } from "../../src/observe/otlp-transport.ts";
import { createTraces } from "../../src/observe/traces.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { attemptOf, recordOf } from "./support.ts";

const context = {
  scheme: "http",
  listen: null,
  providers: { openai: { host: "o", port: 1 }, anthropic: { host: "a", port: 2 } },
  content: false,
};

function open(
  options: {
    readonly queueSize?: number;
    readonly content?: boolean;
    readonly answer?: (attempt: number, signal: AbortSignal) => Promise<OtlpResult>;
  } = {},
) {
  const clock = createFakeClock();
  const events: GatewayEvent[] = [];
  const batches: (readonly Finished[])[] = [];
  let attempts = 0;
  let opened = 0;
  let closed = 0;
  const traces = createTraces({
    clock,
    emit: (event) => void events.push(event),
    endpoint: "http://unused:4318",
    protocol: "auto",
    headers: {},
    serviceName: "test",
    version: "1",
    queueSize: options.queueSize ?? 2048,
    context: { ...context, content: options.content ?? false },
    redact: (text) => text.replaceAll("s3cret", "[redacted]"),
    open: async () => {
      opened += 1;
      return {
        encode: (batch) => {
          batches.push(batch);
          return new Uint8Array([batch.length]);
        },
        transport: {
          send: (_, signal) => options.answer?.((attempts += 1), signal) ?? Promise.resolve({ kind: "ok" }),
          close: () => void (closed += 1),
        },
      };
    },
  });
  const finish = (parts: Partial<RequestRecord> = {}): RequestRecord => {
    const base = recordOf();
    const record = recordOf({ attempts: [], trace: { ...base.trace, sampled: true }, ...parts });
    traces.observe({ type: "exchange-finished", record });
    return record;
  };
  const dropped = (): number =>
    events.reduce((sum, event) => sum + (event.type === "telemetry-dropped" ? event.count : 0), 0);
  return {
    clock,
    traces,
    batches,
    events,
    finish,
    dropped,
    opened: () => opened,
    closed: () => closed,
    attempts: () => attempts,
  };
}

describe("createTraces", () => {
  test("sends what waited a second, in one batch", async () => {
    const { clock, batches, finish } = open();
    finish();
    finish();
    await clock.advance(999);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches.map((batch) => batch.length)).toEqual([2]);
  });

  test("sends a full batch at once, and what came meanwhile behind it", async () => {
    const { clock, batches, finish } = open();
    for (let index = 0; index < 300; index += 1) finish({ attempts: [attemptOf()] });
    await clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([256, 44]);
  });

  test("leaves out requests that are not sampled, and loads nothing for them", async () => {
    const { clock, traces, opened } = open();
    traces.observe({ type: "exchange-finished", record: recordOf() });
    await clock.advance(5000);
    expect(opened()).toBe(0);
  });

  test("drops and counts what does not fit into the queue", async () => {
    const { clock, batches, finish, dropped } = open({ queueSize: 5 });
    for (let index = 0; index < 4; index += 1) finish({ attempts: [attemptOf()] });
    expect(dropped()).toBe(4);
    await clock.advance(1000);
    expect(batches.map((batch) => batch.length)).toEqual([2]);
  });

  test("lets go of bodies that no span shows, and keeps those that one does", async () => {
    const bodies = { requestBytes: new Uint8Array(10), answer: "said" };
    const none = { requestBytes: null, answer: null };
    for (const content of [false, true]) {
      const { clock, batches, finish } = open({ content });
      finish(bodies);
      await clock.advance(1000);
      expect(batches[0]?.[0]?.record).toMatchObject(content ? bodies : none);
    }
    const { clock, batches, finish } = open({ content: true });
    finish({ ...bodies, requestBytes: new Uint8Array(1024 * 1024 + 1) });
    await clock.advance(1000);
    expect(batches[0]?.[0]?.record).toMatchObject({ requestBytes: null, answer: "said" });
  });

  test("drops and counts what would make the bodies that wait too large, until they are sent", async () => {
    const mebibyte = 1024 * 1024;
    const answered = Promise.withResolvers<OtlpResult>();
    const { clock, batches, finish, dropped, events } = open({ content: true, answer: () => answered.promise });
    const bodies = { requestBytes: new Uint8Array(mebibyte), answer: "x".repeat(8 * mebibyte) };
    for (let index = 0; index < 3; index += 1) finish(bodies);
    expect(dropped()).toBe(0);
    finish(bodies);
    finish({ requestBytes: new Uint8Array(mebibyte) });
    expect(dropped()).toBe(1);
    expect(events.at(-1)).toMatchObject({ reason: "the bodies that wait are too large (telemetry.capture_content)" });
    await clock.advance(1000);
    // Those that are being sent still take their room.
    finish(bodies);
    expect(dropped()).toBe(2);
    answered.resolve({ kind: "ok" });
    await clock.advance(0);
    finish(bodies);
    await clock.advance(1000);
    expect(dropped()).toBe(2);
    expect(batches.map((batch) => batch.length)).toEqual([4, 1]);
  });

  test("counts the spans that a collector refuses out of a batch, and no more than it had", async () => {
    let rejected = 1;
    const { clock, finish, dropped, attempts } = open({
      answer: async () => ({ kind: "partly", rejected, reason: "some" }),
    });
    finish({ attempts: [attemptOf()] });
    await clock.advance(1000);
    expect([attempts(), dropped()]).toEqual([1, 1]);
    rejected = 1e6;
    finish({ attempts: [attemptOf()] });
    await clock.advance(1000);
    expect([attempts(), dropped()]).toEqual([2, 3]);
  });

  test("tries again while the collector asks for it, and gives a batch up after ten seconds", async () => {
    const { clock, finish, dropped, attempts, events } = open({
      answer: async () => ({ kind: "again", reason: "the connection failed (s3cret)" }),
    });
    finish();
    await clock.advance(5000);
    expect(attempts()).toBeGreaterThan(2);
    expect(dropped()).toBe(0);
    await clock.advance(7000);
    expect(dropped()).toBe(1);
    expect(events.at(-1)).toMatchObject({ type: "telemetry-dropped", reason: "the connection failed ([redacted])" });
    const before = attempts();
    await clock.advance(60_000);
    expect(attempts()).toBe(before);
    expect(clock.pending()).toBe(0);
  });

  test("delivers after a failure that passes", async () => {
    const { clock, finish, dropped, attempts } = open({
      answer: async (attempt) => (attempt < 3 ? { kind: "again", reason: "busy" } : { kind: "ok" }),
    });
    finish();
    await clock.advance(4000);
    expect(attempts()).toBe(3);
    expect(dropped()).toBe(0);
  });

  test("does not send again what was refused", async () => {
    const { clock, finish, dropped, attempts } = open({ answer: async () => ({ kind: "refused", reason: "400" }) });
    finish({ attempts: [attemptOf(), attemptOf()] });
    await clock.advance(20_000);
    expect(attempts()).toBe(1);
    expect(dropped()).toBe(3);
  });

  test("keeps memory bounded while a send hangs", async () => {
    const { clock, finish, dropped } = open({ queueSize: 10, answer: () => new Promise(() => undefined) });
    finish();
    await clock.advance(1000);
    for (let index = 0; index < 25; index += 1) finish();
    expect(dropped()).toBe(15);
  });

  test("sends what is left at shutdown, and lets go of its connection", async () => {
    const { traces, batches, finish, closed, clock } = open();
    finish();
    const closing = traces.close?.();
    await clock.advance(0);
    await closing;
    expect(batches.map((batch) => batch.length)).toEqual([1]);
    expect(closed()).toBe(1);
    expect(clock.pending()).toBe(0);
  });

  test("does not wait at shutdown for a collector that hangs", async () => {
    const hang = (_: number, signal: AbortSignal): Promise<OtlpResult> =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ kind: "again", reason: "the collector took too long" })),
      );
    const { traces, finish, dropped, clock } = open({ answer: hang });
    finish();
    let isClosed = false;
    const closing = traces.close?.().then(() => (isClosed = true));
    await clock.advance(1499);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(dropped()).toBe(1);
    expect(clock.pending()).toBe(0);
  });

  test("ends a send that was under way when the shutdown came", async () => {
    const hang = (_: number, signal: AbortSignal): Promise<OtlpResult> =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve({ kind: "again", reason: "slow" })));
    const { traces, finish, dropped, clock } = open({ answer: hang });
    finish();
    await clock.advance(1000);
    let isClosed = false;
    const closing = traces.close?.().then(() => (isClosed = true));
    await clock.advance(1500);
    expect(isClosed).toBe(true);
    await closing;
    expect(dropped()).toBe(1);
  });

  test("tells of retries, hedges and rejected answers as events of the server span", async () => {
    const { clock, traces, batches, finish } = open();
    const record = recordOf({ trace: { ...recordOf().trace, sampled: true } });
    traces.observe({ type: "retry-scheduled", record, provider: "openai", class: "server", waitMs: 212.4 });
    traces.observe({ type: "hedge-launched", record, provider: "openai", afterMs: 800 });
    traces.observe({ type: "hedge-finished", record, provider: "openai", result: "hedge" });
    traces.observe({ type: "candidate-rejected", record, model: "m", class: "invalid", reason: "secret at /name" });
    traces.observe({ type: "exchange-finished", record });
    finish();
    await clock.advance(1000);
    const [first, second] = batches[0] ?? [];
    expect(first?.notes.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["arouter.retry", { "arouter.provider": "openai", "error.type": "server", "arouter.wait_ms": 212 }],
      ["arouter.hedge.launched", { "arouter.provider": "openai", "arouter.after_ms": 800 }],
      ["arouter.hedge.finished", { "arouter.provider": "openai", "arouter.hedge": "hedge" }],
      ["arouter.candidate.rejected", { "gen_ai.request.model": "m", "error.type": "invalid" }],
    ]);
    expect(second?.notes).toEqual([]);
  });
});
