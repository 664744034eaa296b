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
  "overhead-ms": "the gateway's own time until the headers left, waits for providers excluded",
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

/** Printable ASCII only, anything else becomes `?`: values may hold names from requests and configuration. */
export function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

/** Renders what `record` knows so far; `isStream`: the headers leave before usage and cost are known. */
export function renderArouterHeaders(
  record: RequestRecord,
  options: { readonly isStream: boolean; readonly explain: string | null },
): Record<string, string> {
  const headers: Record<string, string> = {};
  const put = (name: ResponseHeader, value: string | number | null): void => {
    if (value !== null) headers[PREFIX + name] = headerSafe(String(value));
  };
  const putShort = (name: ResponseHeader, value: string | null): void =>
    put(name, value?.slice(0, VALUE_CHARACTERS) ?? null);
  const list = (values: readonly string[]): string | null => (values.length === 0 ? null : values.join(", "));

  put("request-id", record.id);
  put("rule", record.rule ?? "none");
  put("policy", record.policy ?? "none");
  putShort("model-requested", record.modelRequested);
  putShort("model", record.model);
  put("provider", record.provider);
  put("upstream-format", record.upstreamFormat);
  put("attempts", record.attempts.filter(({ continues }) => !continues).length);
  put("overhead-ms", record.overheadMs === null ? null : record.overheadMs.toFixed(2));
  put("dropped", list(record.dropped));
  put("adapted", list(record.adapted));
  put("heal", record.heal);
  put("validation", record.validation);
  if (record.chain.length > 1) {
    put("chain", list(record.chain.map(({ model, result }) => `${model.slice(0, VALUE_CHARACTERS)}=${result}`)));
  }
  put("fallback-reason", record.fallbackReason);
  put("hedge", record.hedge);
  put("error", record.error);
  putShort("client-request-id", record.clientRequestId);
  if (options.explain !== null) put("trace", options.explain.slice(0, TRACE_BYTES));
  if (options.isStream) {
    put("tokens-input-estimate", record.tokensInputEstimate);
    return headers;
  }
  if (record.usage !== null) {
    put("tokens-input", totalInput(record.usage));
    put("tokens-output", record.usage.output);
    if (record.usage.source === "estimated") put("usage", "estimated");
  }
  put("cost-usd", record.costUsd === null ? null : renderUsd(record.costUsd));
  put("saved-usd", record.savedUsd === null ? null : renderUsd(record.savedUsd));
  return headers;
}
