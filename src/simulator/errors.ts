/**
 * Error answers in the providers' envelopes, and the real errors that `[[sim: error name]]` gives:
 *
 * `rate-limit` · `quota` · `billing` · `spend-limit` · `overloaded` · `server` · `timeout` · `auth` · `permission` · `context` · `too-large` ·
 * `no-model` · `policy` · `conflict` · `slow-down`
 */
import type { ProviderName } from "../base/names.ts";
import { numberOf, type Control } from "./controls.ts";
import type { Refusal } from "./refusal.ts";

/** An error with the headers that it brings. */
export interface ErrorAnswer extends Refusal {
  readonly headers: Readonly<Record<string, string>>;
}

type Form = readonly [
  status: number,
  type: string,
  message: string,
  code?: string | null,
  headers?: Readonly<Record<string, string>>,
];

const OPENAI_FORMS: Readonly<Record<string, Form>> = {
  "rate-limit": [
    429,
    "requests",
    "Rate limit reached for gpt-4o in organization org-simulated on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
    "rate_limit_exceeded",
    { "retry-after": "1", "retry-after-ms": "1000" },
  ],
  quota: [
    429,
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    "insufficient_quota",
  ],
  billing: [
    429,
    "billing_not_active",
    "Your account is not active, please check your billing details on our website.",
    "billing_not_active",
  ],
  "spend-limit": [
    429,
    "billing_hard_limit_reached",
    "Billing hard limit has been reached.",
    "billing_hard_limit_reached",
  ],
  overloaded: [
    503,
    "server_error",
    "The server is currently overloaded with other requests. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if the error persists.",
    null,
  ],
  "slow-down": [503, "server_error", "Slow down.", "slow_down"],
  server: [500, "server_error", "The server had an error while processing your request. Sorry about that!", null],
  timeout: [504, "server_error", "Gateway timeout.", null],
  auth: [
    401,
    "invalid_request_error",
    "Incorrect API key provided: sk-sim***. You can find your API key at https://platform.openai.com/account/api-keys.",
    "invalid_api_key",
  ],
  permission: [403, "invalid_request_error", "You are not allowed to sample from this model.", "permission_denied"],
  context: [
    400,
    "invalid_request_error",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens. Please reduce the length of the messages.",
    "context_length_exceeded",
  ],
  "too-large": [413, "invalid_request_error", "Request too large.", "request_too_large"],
  "no-model": [
    404,
    "invalid_request_error",
    "The model `simulated` does not exist or you do not have access to it.",
    "model_not_found",
  ],
  policy: [
    400,
    "invalid_request_error",
    "Your request was rejected as a result of our safety system.",
    "content_policy_violation",
  ],
  conflict: [409, "invalid_request_error", "The resource was updated by another request.", "conflict"],
};

const ANTHROPIC_FORMS: Readonly<Record<string, Form>> = {
  "rate-limit": [
    429,
    "rate_limit_error",
    "This request would exceed the rate limit for your organization of 50 requests per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.",
    null,
    { "retry-after": "1" },
  ],
  quota: [
    400,
    "invalid_request_error",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  ],
  billing: [402, "billing_error", "There is an issue with your billing or payment information."],
  "spend-limit": [
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
  ],
  overloaded: [529, "overloaded_error", "Overloaded"],
  "slow-down": [
    429,
    "rate_limit_error",
    "This request would exceed your organization's acceleration limit. Please increase your usage gradually.",
    null,
    { "retry-after": "1" },
  ],
  server: [500, "api_error", "Internal server error"],
  timeout: [504, "timeout_error", "The request timed out."],
  auth: [401, "authentication_error", "invalid x-api-key"],
  permission: [403, "permission_error", "Your API key does not have permission to use the specified resource."],
  context: [400, "invalid_request_error", "prompt is too long: 1048577 tokens > 1000000 maximum"],
  "too-large": [413, "request_too_large", "Request exceeds the maximum size"],
  "no-model": [404, "not_found_error", "model: simulated"],
  policy: [400, "invalid_request_error", "Output blocked by content filtering policy"],
  conflict: [409, "conflict_error", "The resource was changed by another request."],
};

/** Anthropic's `error.type` for a status. */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The error that a `status` or `error` control asks for. `dateMs`: now, for a `retry-after` given as a date. */
export function errorAnswer(provider: ProviderName, control: Control, dateMs: number): ErrorAnswer {
  const forms = provider === "openai" ? OPENAI_FORMS : ANTHROPIC_FORMS;
  const value = control.values[0] ?? "server";
  const [status, type, message, code, headers] =
    (Object.hasOwn(forms, value) ? forms[value] : undefined) ?? statusForm(provider, value);
  const option = (name: string): string | null => control.options.get(name) ?? null;
  return {
    status,
    type: option("type") ?? type,
    message: option("message") ?? message,
    code: option("code") ?? code ?? null,
    param: option("param"),
    headers: { ...headers, ...retryHeaders(control, dateMs) },
  };
}

function statusForm(provider: ProviderName, value: string): Form {
  const status = numberOf(value, 500);
  const type =
    provider === "openai"
      ? status >= 500
        ? "server_error"
        : "invalid_request_error"
      : (ANTHROPIC_TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error"));
  return [status, type, `Simulated error ${status}.`];
}

function retryHeaders(control: Control, dateMs: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ["retry-after", "retry-after-ms"]) {
    const value = control.options.get(name);
    if (value === undefined) continue;
    const date = /^date([+-]\d+)$/.exec(value);
    headers[name] = date === null ? value : new Date(dateMs + Number(date[1]) * 1000).toUTCString();
  }
  const shouldRetry = control.options.get("should-retry");
  if (shouldRetry !== undefined) headers["x-should-retry"] = shouldRetry;
  return headers;
}

/** The body of an error in the provider's envelope. */
export function renderRefusal(provider: ProviderName, refusal: Refusal, requestId: string): string {
  const { message, type, param, code } = refusal;
  if (provider === "openai") return JSON.stringify({ error: { message, type, param, code } });
  const details = refusal.detail === undefined ? {} : { details: { error_code: refusal.detail } };
  return JSON.stringify({ type: "error", error: { type, message, ...details }, request_id: requestId });
}

/** The same as an event inside a 200 stream. Made after the vendors' documents; nobody recorded one. */
export function renderStreamRefusal(provider: ProviderName, refusal: Refusal, requestId: string): string {
  const body = renderRefusal(provider, refusal, requestId);
  return provider === "openai" ? `data: ${body}\n\n` : `event: error\ndata: ${body}\n\n`;
}
