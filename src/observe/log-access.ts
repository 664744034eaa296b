/** The access line: everything by which a request can be found again, and nothing of what was said in it. */
import type { RequestRecord } from "../base/events.ts";
import type { Json } from "../base/json.ts";
import { totalInput } from "../base/usage.ts";

/** One field: its line in the docs, and its value; undefined leaves it out. */
interface AccessField {
  readonly doc: string;
  readonly read: (record: RequestRecord) => Json | undefined;
}

const list = (values: readonly string[]): string | undefined => (values.length === 0 ? undefined : values.join(", "));

const rounded = (value: number | null): number | undefined =>
  value === null ? undefined : Math.round(value * 100) / 100;

/** Fields of the access line, in their order. */
export const ACCESS_FIELDS = {
  id: { doc: "`x-arouter-request-id`.", read: ({ id }) => id },
  trace: { doc: "W3C trace id.", read: ({ trace }) => trace.traceId },
  method: { doc: "HTTP method.", read: ({ method }) => method },
  route: { doc: "The route, without ids and query.", read: ({ route }) => route },
  status: { doc: "HTTP status delivered; 499 when the client left.", read: ({ status }) => status ?? undefined },
  outcome: {
    doc: "`complete`, `upstream_error`, `gateway_error`, `in_band_error` or `client_gone`.",
    read: ({ outcome }) => outcome ?? undefined,
  },
  error: { doc: "Kind of the gateway's own error.", read: ({ error }) => error ?? undefined },
  cause: { doc: "Message of the error that was delivered.", read: ({ errorMessage }) => errorMessage ?? undefined },
  format: { doc: "`chat`, `messages` or `responses`.", read: ({ format }) => format ?? undefined },
  stream: { doc: "Whether a stream was asked for.", read: ({ stream }) => stream },
  rule: { doc: "The rule that matched.", read: ({ rule }) => rule ?? undefined },
  policy: { doc: "Hash of the policy.", read: ({ policy }) => policy ?? undefined },
  model_requested: {
    doc: "The model as the client named it.",
    read: ({ modelRequested }) => modelRequested ?? undefined,
  },
  model: { doc: "The model that answered.", read: ({ model }) => model ?? undefined },
  provider: { doc: "Its provider.", read: ({ provider }) => provider ?? undefined },
  attempts: {
    doc: "Requests sent to providers.",
    read: ({ attempts }) => attempts.filter(({ continues }) => !continues).length,
  },
  chain: {
    doc: "Candidates with the class of their last answer, when there was more than one.",
    read: ({ chain }) => (chain.length > 1 ? list(chain.map(({ model, result }) => `${model}=${result}`)) : undefined),
  },
  fallback_reason: {
    doc: "Class that caused the last move.",
    read: ({ fallbackReason }) => fallbackReason ?? undefined,
  },
  heal: { doc: "`healed`, `exhausted` or `overflow`.", read: ({ heal }) => heal ?? undefined },
  validation: { doc: "`pass`, `fail` or `skipped`.", read: ({ validation }) => validation ?? undefined },
  hedge: { doc: "The leg that won: `primary` or `hedge`.", read: ({ hedge }) => hedge ?? undefined },
  tokens_input: {
    doc: "Input tokens, cached ones included.",
    read: ({ usage }) => (usage === null ? undefined : totalInput(usage)),
  },
  tokens_output: { doc: "Output tokens, reasoning included.", read: ({ usage }) => usage?.output },
  usage: { doc: "`reported` by the provider, or `estimated`.", read: ({ usage }) => usage?.source },
  cost_usd: { doc: "US dollars of all attempts.", read: ({ costUsd }) => costUsd ?? undefined },
  saved_usd: { doc: "US dollars saved against the model asked for.", read: ({ savedUsd }) => savedUsd ?? undefined },
  ms: { doc: "Arrival to the end.", read: ({ ms }) => rounded(ms) },
  ttft_ms: { doc: "Arrival to the first content handed over.", read: ({ ttftMs }) => rounded(ttftMs) },
  overhead_ms: { doc: "The gateway's own time until the headers left.", read: ({ overheadMs }) => rounded(overheadMs) },
  bytes_in: { doc: "Bytes of the request's body.", read: ({ bytesIn }) => bytesIn },
  bytes_out: { doc: "Bytes of the answer's body.", read: ({ bytesOut }) => bytesOut },
  dropped: { doc: "JSON paths that a translation could not carry.", read: ({ dropped }) => list(dropped) },
  adapted: { doc: "What it carried differently.", read: ({ adapted }) => list(adapted) },
  overrides: { doc: "Names of the `x-arouter-*` request headers in force.", read: ({ overrides }) => list(overrides) },
  key: { doc: "Name of the caller's key.", read: ({ key }) => key ?? undefined },
  client: { doc: "The SDK or tool, by its user agent.", read: ({ client }) => client ?? undefined },
  user_agent: { doc: "`user-agent` as sent.", read: ({ userAgent }) => userAgent ?? undefined },
  client_request_id: {
    doc: "The caller's `x-request-id`.",
    read: ({ clientRequestId }) => clientRequestId ?? undefined,
  },
  upstream_request_id: {
    doc: "The provider's id of the last attempt.",
    read: ({ attempts }) => attempts.at(-1)?.upstreamRequestId ?? undefined,
  },
  tags: {
    doc: "Tags of the rule and of the caller; the rule's win.",
    read: ({ callerTags, tags }) => {
      const all = { ...callerTags, ...tags };
      return Object.keys(all).length === 0 ? undefined : all;
    },
  },
} as const satisfies Readonly<Record<string, AccessField>>;

const READERS = Object.entries(ACCESS_FIELDS as Readonly<Record<string, AccessField>>);

export function accessFields(record: RequestRecord): Record<string, Json | undefined> {
  const fields: Record<string, Json | undefined> = {};
  for (const [name, { read }] of READERS) fields[name] = read(record);
  return fields;
}

const RENDERED = READERS.map(([name, { read }]) => ({ start: `,"${name}":`, read }));

/** Texts that stand in a line as they are, and whole. */
const PLAIN = /^[ !#-[\]-~]{0,256}$/;
/** The same for JSON that has no more entries than a line shows. */
const PLAIN_JSON = /^[ -[\]-~]{0,200}$/;

/**
 * The fields of a line of JSON, each behind a comma; null when a text in them has to be escaped or cut, which is for others to do.
 * No secret has been looked for; one that is in a text is in the line as it was in the text.
 */
export function renderPlainFields(record: RequestRecord): string | null {
  let fields = "";
  for (const { start, read } of RENDERED) {
    const value = read(record);
    if (value === undefined) continue;
    if (typeof value === "string") {
      if (!PLAIN.test(value)) return null;
      fields += `${start}"${value}"`;
    } else if (typeof value === "number" || typeof value === "boolean") {
      fields += start + value;
    } else {
      const json = JSON.stringify(value);
      if (!PLAIN_JSON.test(json)) return null;
      fields += start + json;
    }
  }
  return fields;
}
