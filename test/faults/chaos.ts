/**
 * Random requests against random faults, each checked for what must hold of it, whatever happened on the way:
 * one outcome, in time, from one attempt, with its terminal.
 */
import type { RequestRecord } from "../../src/base/events.ts";
import { CLIENT_FORMATS, send, type Ask, type ClientFormat, type Ending, type Got } from "./client.ts";
import type { Stage } from "./stage.ts";

/** Short limits: what hangs is over in half a second. Breakers trip and recover often. */
export const CHAOS_CONFIG = `
[limits]
response_bytes = 1048576
event_bytes = 524288
provider_in_flight = 128
[timeout]
total = "3s"
ttft = "400ms"
response = "800ms"
idle = "300ms"
[retry]
base = "1ms"
cap = "10ms"
throttle_base = "1ms"
throttle_cap = "10ms"
retry_after_patience = "20ms"
retry_after_cap = "50ms"
[breaker]
consecutive_failures = 20
failure_rate = 0.9
open_base = "100ms"
open_max = "300ms"
[stream]
keepalive = "100ms"
commit_after = "350ms"
[hedge]
max_extra = 0.2
`;
const TOTAL_MS = 3000;

export interface ChaosReport {
  readonly requests: number;
  readonly endings: Readonly<Record<Ending, number>>;
  /** By class of the attempts that were made. */
  readonly classes: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** Resident memory in bytes, at each tenth of the run. */
  readonly memory: readonly number[];
}

export interface ChaosOptions {
  readonly stage: Stage;
  /** Ends at this many requests or after that long, whichever comes first. */
  readonly maxRequests: number;
  readonly maxMs: number;
  readonly clients: number;
  readonly seed: number;
}

type Random = () => number;

/** Mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

const MODELS = ["gpt-5.6", "gpt-4o-mini", "claude-sonnet-5-5", "claude-haiku-4-5"] as const;
const FAULTS = [
  "fault reset",
  "fault close",
  "fault reset-headers",
  "fault reset-middle",
  "fault close-middle",
  "fault hang",
  "fault stall",
  "fault stall-headers",
  "fault garbage",
  "fault truncated",
  "fault no-terminal",
  "fault bad-event",
  "fault error-event",
  "fault error-event rate-limit",
  "fault html",
  "fault wrong-type",
  "fault empty-body",
  "fault redirect",
  "error rate-limit",
  "error overloaded",
  "error server",
  "error timeout",
  "error quota",
  "error auth",
  "error context",
  "error no-model",
  "error policy",
  "status 529 retry-after=0",
  "status 429 retry-after-ms=5",
  "status 503 retry-after=date+1",
  "status 500 should-retry=false",
  "status 418",
  "slow 150",
  "slow 500",
  "delay 20",
  "bytes 7",
];
/** Dear ones, now and then. */
const RARE_FAULTS = ["fault bomb 4", "fault huge-event 1"];

interface Planned {
  readonly ask: Ask;
  /** What the delivered text may be, whole. */
  readonly texts: readonly string[];
  readonly leaveAfterMs: number | null;
}

function planRequest(random: Random, id: number): Planned {
  const format: ClientFormat = pick(random, CLIENT_FORMATS);
  // The Responses API is served by OpenAI alone.
  const models = format === "responses" ? MODELS.filter((model) => model.startsWith("gpt")) : MODELS;
  const model = pick(random, models);
  const chain = random() < 0.5 ? [pick(random, models), pick(random, models)] : [];
  const stream = random() < 0.6;
  // Each model says something else, so that a splice of two answers would show.
  const words = models.map((name) => `text "${textOf(name, id)}" model=${name}`);
  const faults: string[] = [];
  for (let chance = random(); chance < 0.4; chance = random()) {
    const fault = random() < 0.01 ? pick(random, RARE_FAULTS) : pick(random, FAULTS);
    const only = random() < 0.5 ? ` model=${pick(random, models)}` : "";
    const times = random() < 0.5 ? ` times=1 id=${id}` : "";
    faults.push(`${fault}${fault.startsWith("fault") ? ` after=${1 + Math.floor(random() * 6)}` : ""}${only}${times}`);
  }
  const headers: Record<string, string> = {};
  if (chain.length > 0) headers["x-arouter-fallback-chain"] = chain.join(",");
  if (random() < 0.3) headers["x-arouter-validate"] = pick(random, ["non_empty", "complete", "non_empty,no_refusal"]);
  if (random() < 0.2) headers["x-arouter-heal"] = pick(random, ["preflush", "full", "off"]);
  if (random() < 0.1) headers["x-arouter-hedge"] = "50ms";
  if (random() < 0.1) headers["x-arouter-timeout"] = pick(random, ["100ms", "700ms"]);
  if (random() < 0.3) headers["x-arouter-retry"] = String(Math.floor(random() * 4));
  return {
    ask: {
      format,
      model,
      stream,
      headers,
      prompt: `chaos ${id} [[sim: chunk 12; ${[...words, ...faults].join("; ")}]]`,
    },
    texts: models.map((name) => textOf(name, id)),
    leaveAfterMs: random() < 0.08 ? random() * 300 : null,
  };
}

function textOf(model: string, id: number): string {
  return `${model} answers ${id}: ${"all of this text has to come from one attempt alone, or else none. ".repeat(2)}end ${id}`;
}

/** What is wrong with an answer; null when nothing is. */
function judge({ ask, texts, leaveAfterMs }: Planned, got: Got): string | null {
  const totalMs = Number.parseInt(ask.headers?.["x-arouter-timeout"] ?? String(TOTAL_MS), 10);
  switch (got.ending) {
    case "cut":
      return `cut: ${got.detail}`;
    case "complete":
      if (!texts.includes(got.text)) return `a complete answer is no attempt's text: ${JSON.stringify(got.text)}`;
      break;
    case "in-band-error":
      if (!texts.some((text) => text.startsWith(got.text))) return `a broken answer is no attempt's text: ${got.text}`;
      break;
    case "error":
      // A buffered answer, and one not yet flushed, has the whole time for its headers and a second more.
      if (got.ms > totalMs + 1000 + SLACK_MS) return `its deadline of ${totalMs} ms passed: ${got.ms} ms`;
      break;
    case "left":
      if (leaveAfterMs === null) return "the client is said to have left";
      break;
  }
  return got.headers.get("x-arouter-request-id") === null && got.ending !== "left" ? "no request id" : null;
}

/** The machine that runs this is busy: so much may pass before a timer is run. */
const SLACK_MS = 1500;

const OUTCOMES: Readonly<Record<Exclude<Ending, "cut">, readonly string[]>> = {
  complete: ["complete"],
  error: ["upstream_error", "gateway_error"],
  "in-band-error": ["in_band_error"],
  // It may have had all of it, or its error, when it left.
  left: ["client_gone", "complete", "upstream_error", "gateway_error", "in_band_error"],
};

export async function runChaos({ stage, maxRequests, maxMs, clients, seed }: ChaosOptions): Promise<ChaosReport> {
  const random = createRandom(seed);
  const endings: Record<Ending, number> = { complete: 0, error: 0, "in-band-error": 0, cut: 0, left: 0 };
  const classes: Record<string, number> = {};
  const violations: string[] = [];
  const memory: number[] = [];
  const startedMs = performance.now();
  const seen = new Map<string, { planned: Planned; got: Got }>();
  let requests = 0;
  let finished = 0;

  /** Compares what clients saw with what the gateway recorded, then forgets both. */
  const reconcile = (): void => {
    const counts = new Map<string, RequestRecord[]>();
    for (const record of stage.records) counts.set(record.id, [...(counts.get(record.id) ?? []), record]);
    finished += counts.size;
    for (const [id, records] of counts) {
      const [record] = records;
      if (records.length !== 1 || record === undefined) violations.push(`${id} has ${records.length} outcomes`);
      else if (record.attempts.filter(({ continues }) => !continues).length > 6)
        violations.push(`${id}: too many attempts`);
      for (const attempt of record?.attempts ?? []) classes[attempt.class] = (classes[attempt.class] ?? 0) + 1;
      const pair = seen.get(id);
      if (pair === undefined || record === undefined) continue;
      const { ending } = pair.got;
      if (ending !== "cut" && !OUTCOMES[ending].includes(record.outcome ?? "")) {
        violations.push(`${id}: the client saw ${ending}, the record says ${record.outcome}`);
      }
    }
    seen.clear();
    stage.forget();
  };

  const client = async (untilRequests: number, untilMs: number): Promise<void> => {
    while (requests < untilRequests && performance.now() - startedMs < untilMs) {
      requests += 1;
      const planned = planRequest(random, requests);
      const abort = new AbortController();
      const timer = planned.leaveAfterMs === null ? null : setTimeout(() => abort.abort(), planned.leaveAfterMs);
      const hung = Promise.withResolvers<null>();
      const watch = setTimeout(() => hung.resolve(null), HANG_MS);
      const got = await Promise.race([send(stage.url, { ...planned.ask, signal: abort.signal }), hung.promise]);
      clearTimeout(watch);
      if (timer !== null) clearTimeout(timer);
      if (got === null) {
        violations.push(`hangs: ${JSON.stringify(planned.ask)}`);
        continue;
      }
      endings[got.ending] += 1;
      const wrong = judge(planned, got);
      if (wrong !== null) violations.push(`${wrong} · ${JSON.stringify(planned.ask)}`);
      const id = got.headers.get("x-arouter-request-id");
      if (id !== null) seen.set(id, { planned, got });
    }
  };

  // In rounds: between them everything has to come to rest, and memory is looked at.
  for (let round = 1; round <= ROUNDS; round += 1) {
    const untilRequests = Math.floor((maxRequests * round) / ROUNDS);
    const untilMs = (maxMs * round) / ROUNDS;
    await Promise.all(Array.from({ length: clients }, () => client(untilRequests, untilMs)));
    const left = await stage.settle(5000);
    if (Object.values(left).some((count) => count !== 0)) violations.push(`not at rest: ${JSON.stringify(left)}`);
    reconcile();
    Bun.gc(true);
    memory.push(process.memoryUsage.rss());
  }
  if (finished > requests) violations.push(`${requests} requests have ${finished} records`);
  return { requests, endings, classes, violations, memory };
}

const ROUNDS = 10;

/** Nothing takes this long: no time limit of the gateway is above the total. */
const HANG_MS = 15_000;
