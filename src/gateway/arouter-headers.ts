/** The `x-arouter-*` headers of an answer: what was decided and what became of it. */
import { renderUsd } from "../catalog/price.ts";
import type { RequestRecord } from "../base/events.ts";
import { totalInput } from "../base/usage.ts";

const PREFIX = "x-arouter-";
const TRACE_BYTES = 4096;
/** For one value that a client or a configuration chose: clients refuse long header lines, and the answer with them. */
const VALUE_CHARACTERS = 256;

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
  const put = (name: string, value: string | number | null): void => {
    if (value !== null) headers[PREFIX + name] = headerSafe(String(value));
  };
  const putShort = (name: string, value: string | null): void => put(name, value?.slice(0, VALUE_CHARACTERS) ?? null);
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
