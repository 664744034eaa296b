/** The `x-arouter-*` headers of an answer: what was decided and what became of it. */
import { renderUsd } from "../catalog/price.ts";
import type { RequestRecord } from "../base/events.ts";
import { totalInput } from "../base/usage.ts";

const PREFIX = "x-arouter-";
const TRACE_BYTES = 4096;
/** For one value that a client or a configuration chose: clients refuse long header lines, and the answer with them. */
const VALUE_CHARACTERS = 256;

/** What each of them tells, without its prefix; docs/observability.md is written from it. */
export const RESPONSE_HEADERS = {
  "request-id": "id of the request in log, traces, ledger and at `/arouter/requests/{id}`",
  rule: "rule that decided; `none` when none matched",
  policy: "first 12 hex digits of the SHA-256 over the policy in force; `none` without one",
  "model-requested": "model as sent",
  model: "model delivered, as sent to the provider",
  provider: "its provider",
  "upstream-format": "API that answered: `chat`, `messages` or `responses`",
  attempts: "requests made upstream",
  "overhead-ms": "the gateway's own time until its answer's headers were ready, waits for providers excluded",
  dropped: "request fields that the translation could not carry",
  adapted: "request fields that it carried in another way",
  heal: "`healed`: delivered after an answer failed; `exhausted`: nothing passed; `overflow`: too long to hold",
  validation: "`pass`, `fail` or `skipped`, of what is delivered",
  chain: "each candidate with its last class, `ok` or `skipped`, when there was more than one",
  "fallback-reason": "class that caused the last move along the chain",
  hedge: "leg of a hedge that won: `primary` or `hedge`",
  error: "kind of the gateway's own error",
  "client-request-id": "the caller's `x-request-id`",
  trace: "the decision as compact JSON, at most 4 KiB; asked for by `x-arouter-explain: 1`",
  "tokens-input-estimate": "input tokens, estimated at arrival; streams only",
  "tokens-input": "input tokens, cached ones included; not on streams, nor are the four below",
  "tokens-output": "output tokens, reasoning included",
  usage: "`estimated` where the provider reported none",
  "cost-usd": "US dollars of all attempts; absent when one is unpriced",
  "saved-usd": "US dollars saved against the model asked for; negative for a loss",
} as const;
type ResponseHeader = keyof typeof RESPONSE_HEADERS;

/** Each with its prefix: made once, or every answer would make them. */
const FULL_NAMES = Object.fromEntries(Object.keys(RESPONSE_HEADERS).map((name) => [name, PREFIX + name])) as Readonly<
  Record<ResponseHeader, string>
>;

const UNSAFE = /[^\x20-\x7e]/;

/** Printable ASCII only, anything else becomes `?`: values may hold names from requests and configuration. */
export function headerSafe(text: string): string {
  return UNSAFE.test(text) ? text.replaceAll(/[^\x20-\x7e]/g, "?") : text;
}

/** What {@link addArouterHeaders} is told beside the record. */
export interface ArouterHeadersOptions {
  /** The headers leave before usage and cost are known. */
  readonly isStream: boolean;
  /** The decision, for `trace`; null: not asked for. */
  readonly explain: string | null;
}

/** Adds to `headers` what `record` knows so far. */
export function addArouterHeaders(
  headers: Record<string, string>,
  record: RequestRecord,
  { isStream, explain }: ArouterHeadersOptions,
): void {
  // Ids, rules, hashes and words are of our own making: only what came from outside is looked at.
  headers[FULL_NAMES["request-id"]] = record.id;
  headers[FULL_NAMES.rule] = record.rule ?? "none";
  headers[FULL_NAMES.policy] = record.policy ?? "none";
  putName(headers, "model-requested", record.modelRequested);
  putName(headers, "model", record.model);
  put(headers, "provider", record.provider);
  put(headers, "upstream-format", record.upstreamFormat);
  put(headers, "attempts", String(countAttempts(record)));
  if (record.overheadMs !== null) put(headers, "overhead-ms", record.overheadMs.toFixed(2));
  putList(headers, "dropped", record.dropped);
  putList(headers, "adapted", record.adapted);
  put(headers, "heal", record.heal);
  put(headers, "validation", record.validation);
  if (record.chain.length > 1) {
    const chain = record.chain.map(({ model, result }) => `${model.slice(0, VALUE_CHARACTERS)}=${result}`);
    putList(headers, "chain", chain);
  }
  put(headers, "fallback-reason", record.fallbackReason);
  put(headers, "hedge", record.hedge);
  put(headers, "error", record.error);
  putName(headers, "client-request-id", record.clientRequestId);
  if (explain !== null) put(headers, "trace", headerSafe(explain.slice(0, TRACE_BYTES)));
  if (isStream) {
    if (record.tokensInputEstimate !== null) put(headers, "tokens-input-estimate", String(record.tokensInputEstimate));
    return;
  }
  if (record.usage !== null) {
    put(headers, "tokens-input", String(totalInput(record.usage)));
    put(headers, "tokens-output", String(record.usage.output));
    if (record.usage.source === "estimated") put(headers, "usage", "estimated");
  }
  if (record.costUsd !== null) put(headers, "cost-usd", renderUsd(record.costUsd));
  if (record.savedUsd !== null) put(headers, "saved-usd", renderUsd(record.savedUsd));
}

function countAttempts({ attempts }: RequestRecord): number {
  let count = 0;
  for (const { continues } of attempts) if (!continues) count += 1;
  return count;
}

/** A value that is printable ASCII as it is; null: none. */
function put(headers: Record<string, string>, name: ResponseHeader, value: string | null): void {
  if (value !== null) headers[FULL_NAMES[name]] = value;
}

/** A name that a client or a configuration chose. */
function putName(headers: Record<string, string>, name: ResponseHeader, value: string | null): void {
  if (value !== null)
    headers[FULL_NAMES[name]] = headerSafe(value.length > VALUE_CHARACTERS ? value.slice(0, VALUE_CHARACTERS) : value);
}

function putList(headers: Record<string, string>, name: ResponseHeader, values: readonly string[]): void {
  if (values.length > 0) headers[FULL_NAMES[name]] = headerSafe(values.join(", "));
}
