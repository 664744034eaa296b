/** A line of the ledger, written from a record. */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import { isObject, isString, type JsonObject } from "../base/json.ts";
import type { Usage } from "../base/usage.ts";
import { renderUsd } from "../catalog/price.ts";
import { createLineBytes, type LineBytes } from "./line-bytes.ts";

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
    "What the policy's conditions saw; `tested` holds the outcomes of those on texts and names, which are not kept; of many, those that held, and `tested_ids` has a hash of each. null when nothing was decided.",
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
  overhead_ms: "The gateway's own time until its answer's headers were ready.",
  ttft_ms: "Arrival to the first content handed to the client.",
  ms: "Arrival to the end.",
  dropped: "JSON paths that a translation could not carry.",
  adapted: "What it carried differently.",
  tags: "Tags of the rule and of the caller; the rule's win.",
  route: "The route, where it is not one that is decided on.",
  key: "Name of the caller's key, where nothing was decided; else it is in `facts`.",
  request: "The client's body as text, only with `ledger.requests`.",
};

/** Writes the line for `record`, without its end; tells its length before the client's body and the brace. Dollars are plain decimals of at most 12 places, times have one or two. */
export function writeLedgerLine(
  line: LineBytes,
  record: RequestRecord,
  { keepBody }: { readonly keepBody: boolean },
): number {
  const { facts } = record;
  line.plain(`{"v":${LEDGER_VERSION},"time":"`);
  line.time(record.wallMs);
  line.plain('","id":');
  line.text(record.id);
  line.plain(',"trace":');
  line.text(record.trace.traceId);
  line.plain(',"format":');
  line.text(record.format);
  line.plain(',"stream":');
  line.flag(record.stream);
  line.plain(',"rule":');
  line.text(record.rule);
  line.plain(',"policy":');
  line.text(record.policy);
  line.plain(',"outcome":');
  line.text(record.outcome);
  line.plain(',"status":');
  line.number(record.status);
  line.plain(',"error":');
  line.text(record.error);
  line.plain(',"facts":');
  if (facts === null) line.plain("null");
  else writeFacts(line, facts);
  line.plain(',"decision":');
  if (record.decision === null) line.plain("null");
  else line.raw(sharedJson(record.decision));
  line.plain(',"overrides":');
  line.texts(record.overrides);
  line.plain(',"model":');
  line.text(record.model);
  line.plain(',"provider":');
  line.text(record.provider);
  line.plain(',"heal":');
  line.text(record.heal);
  line.plain(',"validation":');
  line.text(record.validation);
  line.plain(',"attempts":');
  writeAttempts(line, record.attempts);
  line.plain(',"cost_usd":');
  writeDollars(line, record.costUsd);
  line.plain(',"saved_usd":');
  writeDollars(line, record.savedUsd);
  line.plain(',"overhead_ms":');
  line.number(rounded(record.overheadMs, 100));
  line.plain(',"ttft_ms":');
  line.number(rounded(record.ttftMs, 10));
  line.plain(',"ms":');
  line.number(rounded(record.ms, 10));
  line.plain(',"dropped":');
  line.texts(record.dropped);
  line.plain(',"adapted":');
  line.texts(record.adapted);
  line.plain(',"tags":');
  line.json(allTags(record));
  if (facts === null) {
    line.plain(',"route":');
    line.text(record.route);
    line.plain(',"key":');
    line.text(record.key);
  }
  const { length } = line;
  if (keepBody && record.requestBytes !== null) {
    line.plain(',"request":');
    line.text(Buffer.from(record.requestBytes).toString("utf8"));
  }
  line.plain("}");
  return length;
}

/** The line for `record` as a text, as {@link writeLedgerLine} writes it. */
export function renderLedgerLine(record: RequestRecord, options: { readonly keepBody: boolean }): string {
  const line = createLineBytes();
  writeLedgerLine(line, record, options);
  return line.toText();
}

function allTags({ callerTags, tags }: RequestRecord): Readonly<Record<string, string>> {
  return Object.keys(callerTags).length === 0 ? tags : { ...callerTags, ...tags };
}

const UTF8 = new TextEncoder();
/** Objects that many requests share, as JSON: the policy has one for each combination of outcomes, and one for each decision. */
const shared = new WeakMap<object, Uint8Array>();
/** The last that were not known: what is among them is shared, what is not may be of one request. */
const seen: object[] = [];
const MAX_SEEN = 32;
let nextSeen = 0;

function sharedJson(value: JsonObject): Uint8Array {
  const known = shared.get(value);
  if (known !== undefined) return known;
  const json = UTF8.encode(JSON.stringify(value));
  if (seen.includes(value)) {
    shared.set(value, json);
  } else {
    seen[nextSeen] = value;
    nextSeen = (nextSeen + 1) % MAX_SEEN;
  }
  return json;
}

/** The last `tested_ids`, which all requests under a policy share, as JSON. */
let lastIds = "";
let lastIdsJson: Uint8Array = UTF8.encode('""');

function idsJson(ids: string): Uint8Array {
  if (ids !== lastIds) {
    lastIds = ids;
    lastIdsJson = UTF8.encode(JSON.stringify(ids));
  }
  return lastIdsJson;
}

/** `tested` and its ids last: names of conditions hold quotes, which makes them slow to render, so they are rendered once. */
function writeFacts(line: LineBytes, facts: JsonObject): void {
  const tested = facts["tested"];
  if (!isObject(tested)) {
    line.json(facts);
    return;
  }
  line.plain("{");
  for (const name in facts) {
    const value = facts[name];
    if (value === undefined || name === "tested" || name === "tested_ids") continue;
    line.text(name);
    line.plain(":");
    line.json(value);
    line.plain(",");
  }
  line.plain('"tested":');
  line.raw(sharedJson(tested));
  const ids = facts["tested_ids"];
  if (isString(ids)) {
    line.plain(',"tested_ids":');
    line.raw(idsJson(ids));
  }
  line.plain("}");
}

function writeAttempts(line: LineBytes, attempts: readonly AttemptRecord[]): void {
  line.plain("[");
  let isFirst = true;
  for (const attempt of attempts) {
    if (attempt.continues) continue;
    if (!isFirst) line.plain(",");
    isFirst = false;
    writeAttempt(line, attempt);
  }
  line.plain("]");
}

function writeAttempt(line: LineBytes, attempt: AttemptRecord): void {
  const { serviceTier, usage } = attempt;
  line.plain('{"model":');
  line.text(attempt.model);
  line.plain(',"provider":');
  line.text(attempt.provider);
  line.plain(',"leg":');
  line.text(attempt.leg);
  line.plain(',"class":');
  line.text(attempt.class);
  line.plain(',"status":');
  line.number(attempt.status);
  line.plain(',"ttft_ms":');
  line.number(rounded(attempt.ttftMs, 10));
  line.plain(',"ms":');
  line.number(rounded(attempt.ms, 10));
  line.plain(',"usage":');
  if (usage === null) line.plain("null");
  else writeUsage(line, usage);
  line.plain(',"cost_usd":');
  writeDollars(line, attempt.costUsd);
  const isStandard = serviceTier === null || serviceTier === "default" || serviceTier === "standard";
  if (!isStandard) {
    line.plain(',"service_tier":');
    line.text(serviceTier);
  }
  line.plain("}");
}

function writeUsage(line: LineBytes, usage: Usage): void {
  line.plain('{"input":');
  line.number(usage.input);
  line.plain(',"cache_read":');
  line.number(usage.cacheRead);
  line.plain(',"cache_write":');
  line.number(usage.cacheWrite);
  if (usage.cacheWriteLong !== 0) {
    line.plain(',"cache_write_long":');
    line.number(usage.cacheWriteLong);
  }
  line.plain(',"output":');
  line.number(usage.output);
  line.plain(',"reasoning":');
  line.number(usage.reasoning);
  line.plain(',"source":');
  line.text(usage.source);
  line.plain("}");
}

const PICO = 1e12;

/** A number where JSON writes it as {@link renderUsd} does, which is nearly always. */
function writeDollars(line: LineBytes, value: number | null): void {
  const size = value === null ? 0 : Math.abs(value);
  const isShort = size === 0 || (size >= 1e-6 && size < 1000 && Math.round(size * PICO) / PICO === size);
  if (isShort) line.number(value);
  else line.plain(renderUsd(value as number));
}

function rounded(value: number | null, per: number): number | null {
  return value === null ? null : Math.round(value * per) / per;
}
