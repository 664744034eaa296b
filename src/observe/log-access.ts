/** The access line: everything by which a request can be found again, and nothing of what was said in it. */
import type { RequestRecord } from "../base/events.ts";
import { isObject, isString, type Json, type JsonObject } from "../base/json.ts";
import { totalInput } from "../base/usage.ts";
import type { LineBytes } from "./line-bytes.ts";

/** Fields of the access line, in their order, with their lines in the docs. */
export const ACCESS_FIELDS = {
  id: "`x-arouter-request-id`.",
  trace: "W3C trace id.",
  method: "HTTP method.",
  route: "The route, without ids and query.",
  status: "HTTP status delivered; 499 when the client left.",
  outcome: "`complete`, `upstream_error`, `gateway_error`, `in_band_error` or `client_gone`.",
  error: "Kind of the gateway's own error.",
  cause: "Message of the error that was delivered.",
  format: "`chat`, `messages` or `responses`.",
  stream: "Whether a stream was asked for.",
  rule: "The rule that matched.",
  policy: "Hash of the policy.",
  model_requested: "The model as the client named it.",
  model: "The model that answered.",
  provider: "Its provider.",
  attempts: "Requests sent to providers.",
  chain: "Candidates with the class of their last answer, when there was more than one.",
  fallback_reason: "Class that caused the last move.",
  heal: "`healed`, `exhausted` or `overflow`.",
  validation: "`pass`, `fail` or `skipped`.",
  hedge: "The leg that won: `primary` or `hedge`.",
  tokens_input: "Input tokens, cached ones included.",
  tokens_output: "Output tokens, reasoning included.",
  usage: "`reported` by the provider, or `estimated`.",
  cost_usd: "US dollars of all attempts.",
  saved_usd: "US dollars saved against the model asked for.",
  ms: "Arrival to the end.",
  ttft_ms: "Arrival to the first content handed over.",
  overhead_ms: "The gateway's own time until its answer's headers were ready.",
  bytes_in: "Bytes of the request's body.",
  bytes_out: "Bytes of the answer's body.",
  dropped: "JSON paths that a translation could not carry.",
  adapted: "What it carried differently.",
  overrides: "Names of the `x-arouter-*` request headers in force.",
  key: "Name of the caller's key.",
  client: "The SDK or tool, by its user agent.",
  user_agent: "`user-agent` as sent.",
  client_request_id: "The caller's `x-request-id`.",
  upstream_request_id: "The provider's id of the last attempt.",
  tags: "Tags of the rule and of the caller; the rule's win.",
} as const;

export type AccessField = keyof typeof ACCESS_FIELDS;

/** Undefined leaves a field out. */
export type AccessFields = Readonly<Record<AccessField, Json | undefined>>;

function list(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(", ");
}

function rounded(value: number | null): number | undefined {
  return value === null ? undefined : Math.round(value * 100) / 100;
}

function given<Value>(value: Value | null): Value | undefined {
  return value ?? undefined;
}

/** Written out in full, in the order of {@link ACCESS_FIELDS}: objects of one shape are the quickest to render. */
export function accessFields(record: RequestRecord): AccessFields {
  const { usage, attempts, chain } = record;
  return {
    id: record.id,
    trace: record.trace.traceId,
    method: record.method,
    route: record.route,
    status: given(record.status),
    outcome: given(record.outcome),
    error: given(record.error),
    cause: given(record.errorMessage),
    format: given(record.format),
    stream: record.stream,
    rule: given(record.rule),
    policy: given(record.policy),
    model_requested: given(record.modelRequested),
    model: given(record.model),
    provider: given(record.provider),
    attempts: countAttempts(attempts),
    chain: chain.length > 1 ? renderChain(chain) : undefined,
    fallback_reason: given(record.fallbackReason),
    heal: given(record.heal),
    validation: given(record.validation),
    hedge: given(record.hedge),
    tokens_input: usage === null ? undefined : totalInput(usage),
    tokens_output: usage?.output,
    usage: usage?.source,
    cost_usd: given(record.costUsd),
    saved_usd: given(record.savedUsd),
    ms: rounded(record.ms),
    ttft_ms: rounded(record.ttftMs),
    overhead_ms: rounded(record.overheadMs),
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    dropped: list(record.dropped),
    adapted: list(record.adapted),
    overrides: list(record.overrides),
    key: given(record.key),
    client: given(record.client),
    user_agent: given(record.userAgent),
    client_request_id: given(record.clientRequestId),
    upstream_request_id: given(attempts.at(-1)?.upstreamRequestId ?? null),
    tags: allTags(record),
  };
}

function renderChain(chain: RequestRecord["chain"]): string {
  return chain.map(({ model, result }) => `${model}=${result}`).join(", ");
}

function countAttempts(attempts: RequestRecord["attempts"]): number {
  let count = 0;
  for (const { continues } of attempts) if (!continues) count += 1;
  return count;
}

function allTags({ callerTags, tags }: RequestRecord): Json | undefined {
  const all = Object.keys(callerTags).length === 0 ? tags : { ...callerTags, ...tags };
  return Object.keys(all).length === 0 ? undefined : all;
}

/** Longest text, and most entries of tags, that no line is too small for. */
const MAX_PLAIN_CHARS = 256;
const MAX_PLAIN_TAGS = 32;

/**
 * Writes what {@link accessFields} gives behind what stands in `line`, without an object for it; false when there is something to escape
 * or to cut, which is for others to do. No secret has been looked for: one that is in a text is in the line as it was in the text.
 */
export function writePlainAccess(line: LineBytes, record: RequestRecord): boolean {
  const { usage, attempts, chain } = record;
  const tags = allTags(record);
  if (isObject(tags) && !arePlainTags(tags)) return false;
  writeText(line, ',"id":', record.id);
  writeText(line, ',"trace":', record.trace.traceId);
  writeText(line, ',"method":', record.method);
  writeText(line, ',"route":', record.route);
  writeNumber(line, ',"status":', record.status);
  writeText(line, ',"outcome":', record.outcome);
  writeText(line, ',"error":', record.error);
  writeText(line, ',"cause":', record.errorMessage);
  writeText(line, ',"format":', record.format);
  line.plain(',"stream":');
  line.flag(record.stream);
  writeText(line, ',"rule":', record.rule);
  writeText(line, ',"policy":', record.policy);
  writeText(line, ',"model_requested":', record.modelRequested);
  writeText(line, ',"model":', record.model);
  writeText(line, ',"provider":', record.provider);
  writeNumber(line, ',"attempts":', countAttempts(attempts));
  if (chain.length > 1) writeText(line, ',"chain":', renderChain(chain));
  writeText(line, ',"fallback_reason":', record.fallbackReason);
  writeText(line, ',"heal":', record.heal);
  writeText(line, ',"validation":', record.validation);
  writeText(line, ',"hedge":', record.hedge);
  if (usage !== null) {
    writeNumber(line, ',"tokens_input":', totalInput(usage));
    writeNumber(line, ',"tokens_output":', usage.output);
    writeText(line, ',"usage":', usage.source);
  }
  writeNumber(line, ',"cost_usd":', record.costUsd);
  writeNumber(line, ',"saved_usd":', record.savedUsd);
  writeNumber(line, ',"ms":', rounded(record.ms) ?? null);
  writeNumber(line, ',"ttft_ms":', rounded(record.ttftMs) ?? null);
  writeNumber(line, ',"overhead_ms":', rounded(record.overheadMs) ?? null);
  writeNumber(line, ',"bytes_in":', record.bytesIn);
  writeNumber(line, ',"bytes_out":', record.bytesOut);
  writeText(line, ',"dropped":', list(record.dropped) ?? null);
  writeText(line, ',"adapted":', list(record.adapted) ?? null);
  writeText(line, ',"overrides":', list(record.overrides) ?? null);
  writeText(line, ',"key":', record.key);
  writeText(line, ',"client":', record.client);
  writeText(line, ',"user_agent":', record.userAgent);
  writeText(line, ',"client_request_id":', record.clientRequestId);
  writeText(line, ',"upstream_request_id":', attempts.at(-1)?.upstreamRequestId ?? null);
  if (tags !== undefined) {
    line.plain(',"tags":');
    line.json(tags);
  }
  return line.isPlain;
}

function writeText(line: LineBytes, start: string, value: string | null): void {
  if (value === null) return;
  if (value.length > MAX_PLAIN_CHARS) {
    line.isPlain = false;
    return;
  }
  line.plain(start);
  line.text(value);
}

function writeNumber(line: LineBytes, start: string, value: number | null): void {
  if (value === null) return;
  line.plain(start);
  line.number(value);
}

function arePlainTags(tags: JsonObject): boolean {
  let count = 0;
  for (const name in tags) {
    const value = tags[name];
    count += 1;
    if (name.length > MAX_PLAIN_CHARS || !isString(value) || value.length > MAX_PLAIN_CHARS) return false;
  }
  return count <= MAX_PLAIN_TAGS;
}
