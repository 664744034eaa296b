import { describe, expect, test } from "bun:test";
import type { FormatName } from "../../src/base/names.ts";
import { FAULT_NAMES } from "../../src/simulator/faults.ts";
import { QUIRKS } from "../../src/simulator/quirks.ts";
import { createSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { createFakeClock, createSequence, type FakeClock, settle } from "../support/fake-clock.ts";
import { AT_REST, createPipeline, runUntil } from "../support/pipeline.ts";
import type { Scripted, UpstreamCall } from "../support/scripted-client.ts";

type Random = () => number;

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

/** Faults that say nothing in process or cost too much to be made hundreds of times. */
const LARGE: ReadonlySet<string> = new Set(["bomb", "huge-event"]);
const FAULTS = FAULT_NAMES.filter((name) => !LARGE.has(name));
const ERRORS = [
  "rate-limit",
  "quota",
  "overloaded",
  "server",
  "auth",
  "context",
  "no-model",
  "policy",
  "conflict",
  "slow-down",
];
const ANSWERS = [
  'text "fine"',
  "tools",
  "parallel 3",
  "refusal",
  "filter",
  "long 30",
  "unicode",
  "empty",
  "length",
  "invalid-json",
  "wrong-json",
];

/** Words for the simulator: mostly a good answer, at times odd, slow, refused or broken, for ever or for the first tries. */
function words(random: Random): string {
  const parts = [pick(ANSWERS, random)];
  if (random() < 0.3) parts.push(`quirk ${pick(Object.keys(QUIRKS), random)}`);
  if (random() < 0.3) parts.push(`bytes ${1 + Math.floor(random() * 40)}`);
  if (random() < 0.3) parts.push(`delay ${Math.floor(random() * 900)}`);
  if (random() < 0.2) parts.push(`slow ${Math.floor(random() * 4_000)}`);
  const times = random() < 0.5 ? ` times=${1 + Math.floor(random() * 2)}` : "";
  if (random() < 0.35) parts.push(`fault ${pick(FAULTS, random)}${times} after=${Math.floor(random() * 6)}`);
  else if (random() < 0.2) parts.push(`error ${pick(ERRORS, random)}${times}`);
  return parts.join("; ");
}

const POLICY = `
rules:
  - { name: healed, when: { header: { x-case: healed } }, then: { validate: [json], fallback_chain: [gpt-4.1-mini, claude-sonnet-4-5, gpt-5.6], fallback_on: [error, rate_limit, overloaded, timeout, context_length, validation, refusal] } }
  - { name: hedged, when: { header: { x-case: hedged } }, then: { hedge: { after: 300ms, model: claude-sonnet-4-5 } } }
  - { name: full, when: { header: { x-case: full } }, then: { validate: [complete], heal: { hold: full }, fallback_chain: [claude-sonnet-4-5] } }
  - { name: chained, when: { header: { x-case: chained } }, then: { fallback_chain: [gpt-5.6, claude-sonnet-4-5], retry: { max: 1 } } }
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
preflush_bytes = 100
`;

async function fromSimulator(simulator: Simulator, call: UpstreamCall): Promise<Scripted> {
  const request = new Request(call.url, {
    method: call.method,
    headers: { ...call.headers },
    body: call.body,
    signal: call.signal,
  });
  try {
    const response = await (call.url.includes("anthropic") ? simulator.anthropic(request) : simulator.openai(request));
    return { response };
  } catch {
    // What would have broken the connection before its answer.
    return { fails: "ECONNRESET" };
  }
}

function requestOf(format: FormatName, model: string, stream: boolean, prompt: string): unknown {
  const schema = { type: "object", properties: { city: { type: "string" } } };
  switch (format) {
    case "chat":
      return {
        model,
        stream,
        messages: [{ role: "user", content: prompt }],
        tools: [{ type: "function", function: { name: "weather", parameters: schema } }],
      };
    case "messages":
      return {
        model,
        stream,
        max_tokens: 500,
        messages: [{ role: "user", content: prompt }],
        tools: [{ name: "weather", input_schema: schema }],
      };
    case "responses":
      return {
        model,
        stream,
        input: prompt,
        tools: [{ type: "function", name: "weather", parameters: schema, strict: false }],
      };
  }
}

const TERMINAL: Readonly<Record<FormatName, RegExp>> = {
  chat: /data: ?\[DONE\]\s*$/,
  messages: /event: ?message_stop[\r\n]/,
  responses: /event: ?response\.(?:completed|incomplete)[\r\n]/,
};
const IN_BAND: Readonly<Record<FormatName, RegExp>> = {
  chat: /data: ?\{"error":/,
  messages: /event: ?error[\r\n]/,
  responses: /event: ?(?:error|response\.failed)[\r\n]|data: ?\{"error":/,
};

async function runOne(seed: number): Promise<void> {
  const random = createSequence(seed);
  const clock: FakeClock = createFakeClock({ random: createSequence(seed + 1) });
  const simulator = createSimulator({ clock });
  const pipeline = createPipeline({
    clock,
    config: CONFIG,
    policy: POLICY,
    upstream: (call) => fromSimulator(simulator, call),
  });
  const requests = Array.from({ length: 1 + Math.floor(random() * 5) }, async () => {
    const format = pick<FormatName>(["chat", "messages", "responses"], random);
    const model = pick(["gpt-4.1", "gpt-5.6", "claude-sonnet-4-5", "claude-opus-4-5"], random);
    const prompt = `Hello. [[sim: ${words(random)}]]`;
    const body = requestOf(format, model, random() < 0.6, prompt);
    const kind = pick(["none", "healed", "hedged", "full", "chained"], random);
    const started = pipeline.start(format, body, { headers: { "x-case": kind } });
    const leavesAtMs = random() < 0.15 ? Math.floor(random() * 6_000) : null;
    if (leavesAtMs !== null) clock.after(leavesAtMs, started.leave);
    const opened = await started.opened;
    let text = "";
    try {
      for (let piece = await opened.read(); piece !== null; piece = await opened.read()) text += piece;
    } catch {
      // A client that left is told nothing.
    }
    const isStream = (opened.headers["content-type"] ?? "").startsWith("text/event-stream");
    return { format, isStream, text, left: leavesAtMs !== null, prompt, model, kind };
  });
  const answers = await runUntil(Promise.all(requests), clock, 200);
  for (let turn = 0; turn < 4; turn += 1) await settle();

  expect(pipeline.events.filter(({ type }) => type === "defect")).toEqual([]);
  expect(pipeline.records).toHaveLength(requests.length);
  for (const record of pipeline.records) {
    expect(record.outcome).not.toBeNull();
    expect(record.error).not.toBe("internal");
    expect(record.attempts.filter(({ continues }) => !continues).length).toBeLessThanOrEqual(6);
    for (const attempt of record.attempts) expect(attempt.ms).not.toBeNull();
  }
  for (const { format, isStream, text, left, ...told } of answers) {
    if (left || !isStream) continue;
    const isWhole = TERMINAL[format].test(text);
    const isFailed = IN_BAND[format].test(text);
    // Whole or failed, never both, never neither.
    if (isWhole === isFailed)
      throw new Error(`${JSON.stringify({ format, isWhole, isFailed, ...told })}\n${text.slice(-600)}`);
  }
  const { timers: _timers, ...rest } = pipeline.residue();
  const { timers: _none, ...atRest } = AT_REST;
  expect(rest).toEqual(atRest);
  // What the simulator had armed runs out; nothing of the gateway may be among it.
  await clock.advance(300_000);
  expect(clock.pending()).toBe(0);
}

describe("against providers that are odd, slow and broken", () => {
  const seeds = Number(process.env["CHAOS_SEEDS"] ?? 60);
  test(`requests of all formats end once, whole or failed, and leave nothing behind (${seeds} random runs)`, async () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      try {
        await runOne(seed * 104_729);
      } catch (error) {
        throw new Error(`seed ${seed * 104_729}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }, 60_000);
});
