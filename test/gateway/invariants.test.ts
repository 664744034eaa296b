import { describe, expect, test } from "bun:test";
import type { FormatName } from "../../src/base/names.ts";
import {
  chatAnswer,
  chatEvents,
  chatHi,
  messagesAnswer,
  messagesEvent,
  messagesEvents,
  messagesHi,
  openAiError,
} from "../support/answers.ts";
import { createFakeClock, createSequence, type FakeClock, settle } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, runUntil } from "../support/pipeline.ts";
import { json, type Scripted, sse, type UpstreamCall } from "../support/scripted-client.ts";

type Random = () => number;

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

const POLICY = `
rules:
  - { name: healed, when: { header: { x-case: healed } }, then: { validate: [json], fallback_chain: [gpt-4o, claude-sonnet-4-5], fallback_on: [error, rate_limit, overloaded, timeout, context_length, validation, refusal] } }
  - { name: hedged, when: { header: { x-case: hedged } }, then: { hedge: { after: 300ms, model: claude-sonnet-4-5 }, validate: [json] } }
  - { name: full, when: { header: { x-case: full } }, then: { validate: [json], heal: { hold: full }, fallback_chain: [claude-sonnet-4-5] } }
  - { name: chained, when: { header: { x-case: chained } }, then: { fallback_chain: [gpt-4o, claude-sonnet-4-5], retry: { max: 1 } } }
`;

const CONFIG = `
[timeout]
total = "20s"
ttft = "3s"
response = "5s"
idle = "2s"
[stream]
keepalive = "1s"
commit_after = "4s"
[limits]
provider_in_flight = 4
queue_depth = 2
queue_timeout = "1s"
[breaker]
consecutive_failures = 4
open_base = "2s"
open_max = "4s"
[heal]
hold_time = "5s"
preflush_bytes = 60
`;

const ERRORS: readonly ((random: Random) => Scripted)[] = [
  () => ({ fails: "ConnectionRefused" }),
  () => ({ fails: "ECONNRESET" }),
  () => ({ hangs: true }),
  () => openAiError(500),
  () => openAiError(503),
  () => openAiError(400),
  () => openAiError(401),
  () => openAiError(404),
  () => openAiError(400, { code: "context_length_exceeded" }),
  (random) => openAiError(429, {}, { "retry-after": String(Math.floor(random() * 4)) }),
  () => json("<html>", 502),
  () => json("not json"),
  () => json({ error: { message: "x", type: "overloaded_error" } }),
  () => ({ body: ['{"a'], end: "cut" }),
  () => json("", 302),
];

/** A good answer, an error, or a stream that breaks somewhere, after some time. */
function misbehave(call: UpstreamCall, clock: FakeClock, random: Random): Promise<Scripted> | Scripted {
  const isMessages = call.url.endsWith("/messages");
  const isStream = /"stream":true/.test(call.body);
  const delayMs = random() < 0.5 ? 0 : Math.floor(random() * 6_000);
  const after = <Result>(result: Result): Promise<Result> | Result =>
    delayMs === 0 ? result : new Promise((resolve) => void clock.after(delayMs, () => resolve(result)));
  if (random() < 0.35) return after(pick(ERRORS, random)(random));
  const text = pick(["{}", '{"a":1}', "no json", "x".repeat(100), `"${"y".repeat(200)}"`], random);
  if (!isStream) return after(isMessages ? messagesAnswer(text) : chatAnswer(text));
  const pieces = text.match(/.{1,20}/g) ?? [];
  const events = [...(isMessages ? messagesEvents(pieces) : chatEvents(pieces))];
  const broken = random();
  let end: "close" | "cut" | "open" = pick(["close", "close", "cut", "open"], random);
  if (broken < 0.25) events.splice(Math.floor(random() * events.length));
  else if (broken < 0.35) {
    const error = isMessages
      ? messagesEvent({ type: "error", error: { type: "overloaded_error", message: "x" } })
      : 'data: {"error":{"message":"x","type":"server_error"}}\n\n';
    events.splice(Math.floor(random() * events.length), 0, error);
  } else if (broken < 0.42) events.splice(Math.floor(random() * events.length), 0, "data: oops\n\n");
  else end = "close";
  const pauseMs = random() < 0.3 ? Math.floor(random() * 2_500) : 0;
  const gate = (): Promise<void> | undefined =>
    pauseMs === 0 ? undefined : new Promise((resolve) => void clock.after(pauseMs, resolve));
  return after(sse(events, { end, gate }));
}

const isWhole = (format: FormatName, text: string): boolean =>
  format === "chat"
    ? text.endsWith("data: [DONE]\n\n") && /"finish_reason":"\w+"/.test(text)
    : text.includes("event: message_stop\n");

/** One request of a random kind, whose client may leave; checked against the invariants of docs/resilience.md. */
async function runOne(seed: number): Promise<void> {
  const random = createSequence(seed);
  const clock = createFakeClock({ random: createSequence(seed + 1) });
  const pipeline = createPipeline({
    clock,
    config: CONFIG,
    policy: POLICY,
    upstream: (call) => misbehave(call, clock, random),
  });
  const requests = Array.from({ length: 1 + Math.floor(random() * 7) }, async () => {
    const format: FormatName = random() < 0.6 ? "chat" : "messages";
    const stream = random() < 0.6;
    const model = pick(["gpt-4.1", "claude-sonnet-4-5"], random);
    const base = format === "chat" ? chatHi : messagesHi;
    const kind = pick(["none", "healed", "hedged", "full", "chained"], random);
    const started = pipeline.start(format, { ...base, model, stream }, { headers: { "x-case": kind } });
    const leavesAtMs = random() < 0.2 ? Math.floor(random() * 8_000) : null;
    if (leavesAtMs !== null) clock.after(leavesAtMs, started.leave);
    const opened = await started.opened;
    const isStream = (opened.headers["content-type"] ?? "").startsWith("text/event-stream");
    let text = "";
    try {
      for (;;) {
        const piece = await opened.read();
        if (piece === null) break;
        text += piece;
      }
    } catch {
      // A client that left is told nothing.
    }
    return { format, isStream, status: opened.status, text, left: leavesAtMs !== null };
  });
  const answers = await runUntil(Promise.all(requests), clock, 200);
  for (let turn = 0; turn < 4; turn += 1) await settle();

  expect(pipeline.records).toHaveLength(requests.length);
  for (const record of pipeline.records) {
    expect(record.outcome).not.toBeNull();
    expect(record.attempts.filter(({ continues }) => !continues).length).toBeLessThanOrEqual(6);
    expect(record.ms ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(record.ttftMs === null ? 21_000 : 60_000);
    for (const attempt of record.attempts) expect(attempt.ms).not.toBeNull();
  }
  for (const { format, isStream, status, text, left } of answers) {
    if (left) continue;
    if (!isStream) {
      // An upstream's page of HTML is delivered as it came.
      if (text !== "<html>") expect(() => JSON.parse(text)).not.toThrow();
      continue;
    }
    expect(status).toBe(200);
    const errors = text.split("\n\n").filter((event) => /data: \{("type":"error",)?"error":/.test(event)).length;
    // Whole, or with one error as the last event: never neither, never both.
    expect([isWhole(format, text), errors]).toEqual(errors === 0 ? [true, 0] : [false, 1]);
  }
  const { timers, ...rest } = pipeline.residue();
  const { timers: _, ...atRest } = AT_REST;
  expect(rest).toEqual(atRest);
  // What the script itself had armed runs out; nothing of the gateway may be among it.
  await clock.advance(120_000);
  expect([timers >= 0, clock.pending()]).toEqual([true, 0]);
  expect(pipeline.events.filter(({ type }) => type === "defect")).toEqual([]);
}

describe("whatever the upstreams and the clients do", () => {
  const seeds = Number(process.env["INVARIANT_SEEDS"] ?? 150);
  test(`every request ends once, within its deadline, and leaves nothing behind (${seeds} random runs)`, async () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      try {
        await runOne(seed * 7919);
      } catch (error) {
        throw new Error(`seed ${seed * 7919}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }, 60_000);
});
