/**
 * Classifies what came of an attempt, once, for retry, breaker and chain alike (docs/resilience.md, outcome classes).
 */
import type { HeaderView } from "../base/headers.ts";
import type { OutcomeClass } from "../base/names.ts";
import type { Classification } from "../resilience/dispatch.ts";
import { parseRetryAfter } from "../resilience/retry-after.ts";
import type { InBandError } from "../wire/format.ts";

/** What an outcome class means to the layers, before headers refine it. */
const CLASS_ROWS: Record<OutcomeClass, Pick<Classification, "breaker" | "providerWide" | "retry">> = {
  ok: { breaker: "success", providerWide: false, retry: "no" },
  stale_conn: { breaker: "neutral", providerWide: false, retry: "at-once" },
  connect: { breaker: "failure", providerWide: true, retry: "backoff" },
  timeout: { breaker: "failure", providerWide: true, retry: "no" },
  server: { breaker: "failure", providerWide: false, retry: "backoff" },
  rate: { breaker: "throttled", providerWide: false, retry: "backoff" },
  quota: { breaker: "neutral", providerWide: false, retry: "no" },
  auth: { breaker: "neutral", providerWide: false, retry: "no" },
  context: { breaker: "answered", providerWide: false, retry: "no" },
  no_model: { breaker: "answered", providerWide: false, retry: "no" },
  policy: { breaker: "answered", providerWide: false, retry: "no" },
  client: { breaker: "answered", providerWide: false, retry: "no" },
  broken: { breaker: "failure", providerWide: false, retry: "backoff" },
  invalid: { breaker: "success", providerWide: false, retry: "no" },
  stalled: { breaker: "failure", providerWide: false, retry: "no" },
  aborted: { breaker: "neutral", providerWide: false, retry: "no" },
  local: { breaker: "neutral", providerWide: false, retry: "no" },
};

const PLAIN = Object.fromEntries(
  Object.entries(CLASS_ROWS).map(([name, row]) => [
    name,
    { class: name as OutcomeClass, ...row, lessLoad: false, retryAfterMs: null, unsent: false },
  ]),
) as Readonly<Record<OutcomeClass, Classification>>;

/** A classification of `name`, refined by `parts`. */
export function classified(name: OutcomeClass, parts?: Partial<Omit<Classification, "class">>): Classification {
  return parts === undefined ? PLAIN[name] : { ...PLAIN[name], ...parts };
}

/**
 * Messages by which alone a class is told, each with where it was seen. Matched on the lower-cased message.
 * @see https://docs.anthropic.com/en/api/errors (read 2026-11-24)
 */
const MESSAGE_PATTERNS: readonly { readonly pattern: RegExp; readonly class: OutcomeClass }[] = [
  // Anthropic 400: "prompt is too long: 210000 tokens > 200000 maximum"
  { pattern: /prompt is too long/, class: "context" },
  // Anthropic 400: "input length and `max_tokens` exceed context limit: ..."
  { pattern: /exceed(?:s)? (?:the )?context (?:limit|window)/, class: "context" },
  // OpenAI 400, older models without the code: "This model's maximum context length is 8192 tokens."
  { pattern: /maximum context length/, class: "context" },
  // Anthropic 400: "Output blocked by content filtering policy"
  { pattern: /blocked by content filtering/, class: "policy" },
  // OpenAI 400: "Your request was rejected as a result of our safety system."
  { pattern: /rejected as a result of our safety system/, class: "policy" },
  // Anthropic 400: "Your credit balance is too low to access the Anthropic API."
  { pattern: /credit balance is too low/, class: "quota" },
  // Anthropic 400: "You have reached your specified API usage limits."
  { pattern: /reached your specified api usage limits/, class: "quota" },
];

const QUOTA_WORDS = /insufficient_quota|billing|spend_?limit|quota_exceeded|usage_limit/;
const POLICY_CODES = /content_filter|content_policy_violation|moderation_blocked|safety/;

function classOfError(status: number, error: InBandError | null): OutcomeClass {
  const words = `${error?.type ?? ""} ${error?.code ?? ""}`.toLowerCase();
  const message = (error?.message ?? "").toLowerCase();
  const byMessage = (): OutcomeClass | null =>
    MESSAGE_PATTERNS.find(({ pattern }) => pattern.test(message))?.class ?? null;
  if ([400, 402, 403, 429].includes(status) && QUOTA_WORDS.test(words)) return "quota";
  switch (status) {
    case 402:
      return "quota";
    case 401:
      return "auth";
    case 403:
      return POLICY_CODES.test(words) ? "policy" : "auth";
    case 404:
      return "no_model";
    case 408:
    case 409:
      return "server";
    case 413:
      return "context";
    case 429:
      return "rate";
    case 501:
    case 505:
      return "client";
    default:
  }
  if (status >= 500) return "server";
  if (status >= 300 && status < 400) return "no_model";
  if (words.includes("context_length_exceeded")) return "context";
  if (POLICY_CODES.test(words)) return "policy";
  if (words.includes("model_not_found")) return "no_model";
  return byMessage() ?? "client";
}

/** Classifies an HTTP answer that is not a usable 2xx. `error` is the body's error object, `nowMs` since the epoch. */
export function classifyAnswer(
  status: number,
  headers: HeaderView,
  error: InBandError | null,
  nowMs: number,
): Classification {
  const name = classOfError(status, error);
  const row = CLASS_ROWS[name];
  const shouldRetry = headers.get("x-should-retry");
  const retryable = (name === "server" || name === "rate") && shouldRetry !== "false";
  return classified(name, {
    breaker: name === "server" && (status === 408 || status === 409) ? "neutral" : row.breaker,
    retry: retryable || shouldRetry === "true" ? "backoff" : row.retry === "backoff" ? "no" : row.retry,
    lessLoad: status === 429 || status === 503 || status === 529,
    retryAfterMs: parseRetryAfter(headers, nowMs),
  });
}

/** HTTP status that an in-band error's type stands for (an `error` object in a 200). */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  timeout_error: 504,
  overloaded_error: 529,
  api_error: 500,
  server_error: 500,
};

/** The HTTP status by the type or code of an in-band error; 500 for an unknown one. */
export function statusOfInBandError(error: InBandError): number {
  for (const word of [error.type, error.code]) {
    if (word !== null && Object.hasOwn(STATUS_OF_TYPE, word)) return STATUS_OF_TYPE[word] ?? 500;
  }
  return 500;
}

/** Codes and messages by which Bun's fetch says that nothing can have reached the upstream. */
const UNSENT_CODES = new Set([
  "ConnectionRefused",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "DNSLookupFailed",
  "FailedToOpenSocket",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
const TLS_CODE = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/;

/** Classifies an exception of `fetch` before headers. `sinceSentMs` tells a stale pooled connection from a dead upstream. */
export function classifyException(error: unknown, sinceSentMs: number): Classification {
  const code = errorCode(error);
  // Our own client refused to write it: the provider has no part in that.
  if (code === "HTTP_INVALID_REQUEST") return classified("client", { unsent: true });
  const unsent = UNSENT_CODES.has(code) || TLS_CODE.test(code);
  if (!unsent && code === "ECONNRESET" && sinceSentMs <= STALE_WITHIN_MS) return classified("stale_conn");
  return classified("connect", { unsent });
}

const STALE_WITHIN_MS = 1000;

/** `code` (or name) of an exception, for classification and logs. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : "";
}
