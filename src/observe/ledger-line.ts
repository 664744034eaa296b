/** A line of the ledger, written from a record. */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
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
    "What the policy's conditions saw; `tested` holds the outcomes of those on texts and names, which are not kept. null when nothing was decided.",
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

const timeText = createTimeText();

/** The line for `record`, without its end. Dollars are plain decimals of at most 12 places, times have one or two. */
export function renderLedgerLine(record: RequestRecord, options: { readonly keepBody: boolean }): string {
  let attempts = "";
  for (const attempt of record.attempts) {
    if (!attempt.continues) attempts += attempts === "" ? renderAttempt(attempt) : `,${renderAttempt(attempt)}`;
  }
  let line =
    `{"v":${LEDGER_VERSION},"time":"${timeText(record.wallMs)}","id":${text(record.id)},` +
    `"trace":${text(record.trace.traceId)},"format":${text(record.format)},"stream":${record.stream},` +
    `"rule":${text(record.rule)},"policy":${text(record.policy)},"outcome":${text(record.outcome)},` +
    `"status":${record.status},"error":${text(record.error)},"facts":${JSON.stringify(record.facts)},` +
    `"decision":${JSON.stringify(record.decision)},"overrides":${list(record.overrides)},` +
    `"model":${text(record.model)},"provider":${text(record.provider)},"heal":${text(record.heal)},` +
    `"validation":${text(record.validation)},"attempts":[${attempts}],"cost_usd":${dollars(record.costUsd)},` +
    `"saved_usd":${dollars(record.savedUsd)},"overhead_ms":${rounded(record.overheadMs, 100)},` +
    `"ttft_ms":${rounded(record.ttftMs, 10)},"ms":${rounded(record.ms, 10)},"dropped":${list(record.dropped)},` +
    `"adapted":${list(record.adapted)},"tags":${JSON.stringify(allTags(record))}`;
  if (record.facts === null) line += `,"route":${text(record.route)},"key":${text(record.key)}`;
  if (options.keepBody && record.requestBytes !== null) {
    line += `,"request":${text(Buffer.from(record.requestBytes).toString("utf8"))}`;
  }
  return `${line}}`;
}

function allTags({ callerTags, tags }: RequestRecord): Readonly<Record<string, string>> {
  return Object.keys(callerTags).length === 0 ? tags : { ...callerTags, ...tags };
}

function renderAttempt(attempt: AttemptRecord): string {
  const { serviceTier } = attempt;
  const isStandard = serviceTier === null || serviceTier === "default" || serviceTier === "standard";
  return (
    `{"model":${text(attempt.model)},"provider":${text(attempt.provider)},"leg":${text(attempt.leg)},` +
    `"class":${text(attempt.class)},"status":${attempt.status},"ttft_ms":${rounded(attempt.ttftMs, 10)},` +
    `"ms":${rounded(attempt.ms, 10)},"usage":${attempt.usage === null ? "null" : renderUsage(attempt.usage)},` +
    `"cost_usd":${dollars(attempt.costUsd)}${isStandard ? "" : `,"service_tier":${text(serviceTier)}`}}`
  );
}

function renderUsage(usage: Usage): string {
  const long = usage.cacheWriteLong === 0 ? "" : `"cache_write_long":${usage.cacheWriteLong},`;
  return (
    `{"input":${usage.input},"cache_read":${usage.cacheRead},"cache_write":${usage.cacheWrite},${long}` +
    `"output":${usage.output},"reasoning":${usage.reasoning},"source":"${usage.source}"}`
  );
}

/** Texts that are the same in JSON: names, ids, words. */
const PLAIN = /^[\w./:-]*$/;

function text(value: string | null): string {
  if (value === null) return "null";
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}

function list(values: readonly string[]): string {
  return values.length === 0 ? "[]" : JSON.stringify(values);
}

function dollars(value: number | null): string {
  return value === null ? "null" : renderUsd(value);
}

function rounded(value: number | null, per: number): number | null {
  return value === null ? null : Math.round(value * per) / per;
}
