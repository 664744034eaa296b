/** A line of the ledger, written from a record. */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import type { Usage } from "../base/usage.ts";
import { renderUsd } from "../catalog/price.ts";
import { createTimeText } from "./time-text.ts";

/** Meaning of the fields; a reader knows by it what it can read. */
export const LEDGER_VERSION = 1;

/** A field and what it holds, for the docs. In the order of the line. */
export const LEDGER_FIELDS: Readonly<Record<string, string>> = {
  v: "1: the meaning of the fields. Fields may be added within it, none changes its meaning.",
  time: "Arrival, RFC 3339 in UTC.",
  id: "`x-arouter-request-id`.",
  trace: "W3C trace id.",
  format: "`chat`, `messages` or `responses`; null for a route that is passed on unread.",
  stream: "Whether the client asked for a stream.",
  rule: "The rule that matched; null for none.",
  policy: "First 12 hex digits of the policy's SHA-256; null without one.",
  outcome: "`complete`, `upstream_error`, `gateway_error`, `in_band_error` or `client_gone`.",
  status: "HTTP status delivered; 499 when the client left.",
  error: "Kind of the gateway's own error; null for none.",
  facts:
    "What the policy's conditions saw; `tested` holds the outcomes of those on texts and names, which are not kept; of many, those that held by name, `others` by hash. null when nothing was decided.",
  decision: "What was decided, in the words of a rule's `then`.",
  overrides: "Names of the `x-arouter-*` request headers in force.",
  model: "The model whose answer was delivered.",
  provider: "Its provider.",
  heal: "`healed`, `exhausted`, `overflow` or null.",
  validation: "`pass`, `fail`, `skipped` or null.",
  attempts:
    "Each with `model`, `provider`, `leg`, `class`, `status`, `ttft_ms`, `ms`, `usage` (`input` without cache, `output` with `reasoning`; `cache_write_long` only when there is one) and `cost_usd`; `service_tier` only when it is not the standard one.",
  cost_usd: "US dollars of all attempts; null when one is unpriced or nothing was used.",
  saved_usd: "US dollars saved against the model asked for, negative for a loss; null when unknown.",
  overhead_ms: "The gateway's own time until the headers left.",
  ttft_ms: "Arrival to the first content handed to the client.",
  ms: "Arrival to the end.",
  dropped: "JSON paths that a translation could not carry.",
  adapted: "What it carried differently.",
  tags: "Tags of the rule and of the caller; the rule's win.",
  route: "The route, where it is not one that is decided on.",
  key: "Name of the caller's key, where nothing was decided; else it is in `facts`.",
  request: "The client's body as text, only with `ledger.requests`.",
};

declare global {
  interface JSON {
    /** What `stringify` writes as `text`, which is the JSON of a number. @see https://tc39.es/proposal-json-parse-with-source/ (read 2026-11-24) */
    readonly rawJSON: (text: string) => unknown;
  }
}

const timeText = createTimeText();

/** The line for `record`, without its end. Dollars are plain decimals of at most 12 places, times have one or two. */
export function renderLedgerLine(record: RequestRecord, { keepBody }: { readonly keepBody: boolean }): string {
  // One object at a time: a text for each field, put together, would take twice as long.
  const start = JSON.stringify({
    v: LEDGER_VERSION,
    time: timeText(record.wallMs),
    id: record.id,
    trace: record.trace.traceId,
    format: record.format,
    stream: record.stream,
    rule: record.rule,
    policy: record.policy,
    outcome: record.outcome,
    status: record.status,
    error: record.error,
  });
  const rest = JSON.stringify({
    decision: record.decision,
    overrides: record.overrides,
    model: record.model,
    provider: record.provider,
    heal: record.heal,
    validation: record.validation,
    attempts: attemptsJson(record.attempts),
    cost_usd: dollars(record.costUsd),
    saved_usd: dollars(record.savedUsd),
    overhead_ms: rounded(record.overheadMs, 100),
    ttft_ms: rounded(record.ttftMs, 10),
    ms: rounded(record.ms, 10),
    dropped: record.dropped,
    adapted: record.adapted,
    tags: allTags(record),
  });
  const { facts } = record;
  const line = `${start.slice(0, -1)},"facts":${facts === null ? "null" : renderFacts(facts)},${rest.slice(1, -1)}`;
  const own = facts === null ? `,"route":${text(record.route)},"key":${text(record.key)}` : "";
  if (!keepBody || record.requestBytes === null) return `${line}${own}}`;
  return `${line}${own},"request":${text(Buffer.from(record.requestBytes).toString("utf8"))}}`;
}

function allTags({ callerTags, tags }: RequestRecord): Readonly<Record<string, string>> {
  return Object.keys(callerTags).length === 0 ? tags : { ...callerTags, ...tags };
}

/** Objects that many requests share, as JSON: the policy has one for each combination of outcomes. */
const shared = new WeakMap<object, string>();

/** Names of conditions hold quotes, which makes them slow to render: `tested` is rendered once. */
function renderFacts(facts: JsonObject): string {
  const { tested, ...others } = facts;
  if (!isObject(tested)) return JSON.stringify(facts);
  let known = shared.get(tested);
  if (known === undefined) {
    known = JSON.stringify(tested);
    shared.set(tested, known);
  }
  return `${JSON.stringify(others).slice(0, -1)},"tested":${known}}`;
}

function attemptsJson(attempts: readonly AttemptRecord[]): readonly object[] {
  const [first] = attempts;
  if (first !== undefined && attempts.length === 1 && !first.continues) return [attemptJson(first)];
  return attempts.filter(({ continues }) => !continues).map(attemptJson);
}

function attemptJson(attempt: AttemptRecord): object {
  const { serviceTier } = attempt;
  const isStandard = serviceTier === null || serviceTier === "default" || serviceTier === "standard";
  const json = {
    model: attempt.model,
    provider: attempt.provider,
    leg: attempt.leg,
    class: attempt.class,
    status: attempt.status,
    ttft_ms: rounded(attempt.ttftMs, 10),
    ms: rounded(attempt.ms, 10),
    usage: attempt.usage === null ? null : usageJson(attempt.usage),
    cost_usd: dollars(attempt.costUsd),
  };
  return isStandard ? json : { ...json, service_tier: serviceTier };
}

function usageJson({ input, cacheRead, cacheWrite, cacheWriteLong, output, reasoning, source }: Usage): object {
  return cacheWriteLong === 0
    ? { input, cache_read: cacheRead, cache_write: cacheWrite, output, reasoning, source }
    : {
        input,
        cache_read: cacheRead,
        cache_write: cacheWrite,
        cache_write_long: cacheWriteLong,
        output,
        reasoning,
        source,
      };
}

function text(value: string | null): string {
  return JSON.stringify(value);
}

const PICO = 1e12;

/** A number where JSON writes it as {@link renderUsd} does, which is nearly always; else what stands for its text. */
function dollars(value: number | null): unknown {
  if (value === null || value === 0) return value;
  const size = Math.abs(value);
  const isShort = size >= 1e-6 && size < 1000 && Math.round(value * PICO) / PICO === value;
  return isShort ? value : JSON.rawJSON(renderUsd(value));
}

function rounded(value: number | null, per: number): number | null {
  return value === null ? null : Math.round(value * per) / per;
}
