import { describe, expect, test } from "bun:test";
import type { OutcomeClass } from "../../src/base/names.ts";
import { classifyAnswer, classifyException, statusOfInBandError } from "../../src/upstream/classify.ts";
import type { InBandError } from "../../src/wire/format.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

function classOf(status: number, error: Partial<InBandError> = {}, headers: Record<string, string> = {}) {
  const told: InBandError = { type: null, code: null, message: "", ...error };
  return classifyAnswer(status, new Headers(headers), told, NOW);
}

type Row = readonly [name: OutcomeClass, status: number, error?: Partial<InBandError>];

describe("the class of an answer", () => {
  const rows: readonly Row[] = [
    ...[408, 409, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 599].map((status): Row => ["server", status]),
    ["client", 501],
    ["client", 505],
    ["rate", 429],
    ["rate", 429, { type: "rate_limit_error" }],
    ["rate", 429, { type: "requests", code: "rate_limit_exceeded" }],
    ["quota", 429, { type: "insufficient_quota", code: "insufficient_quota" }],
    ["quota", 402],
    ["quota", 402, { type: "billing_error" }],
    ["quota", 403, { code: "billing_hard_limit_reached" }],
    ["quota", 400, { code: "insufficient_quota" }],
    [
      "quota",
      400,
      { type: "invalid_request_error", message: "Your credit balance is too low to access the Anthropic API." },
    ],
    ["quota", 400, { type: "invalid_request_error", message: "You have reached your specified API usage limits." }],
    ["auth", 401, { type: "authentication_error" }],
    ["auth", 401, { type: "invalid_request_error", code: "invalid_api_key" }],
    ["auth", 403, { type: "permission_error" }],
    ["context", 400, { type: "invalid_request_error", code: "context_length_exceeded" }],
    ["context", 400, { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" }],
    ["context", 400, { message: "input length and `max_tokens` exceed context limit: 1 + 2 > 3" }],
    ["context", 400, { message: "This model's maximum context length is 8192 tokens." }],
    ["context", 413, { type: "request_too_large" }],
    ["no_model", 404, { code: "model_not_found" }],
    ["no_model", 404, { type: "not_found_error", message: "model: claude-x" }],
    ["no_model", 400, { type: "invalid_request_error", code: "model_not_found" }],
    ...[301, 302, 303, 304, 307, 308].map((status): Row => ["no_model", status]),
    ["policy", 400, { code: "content_filter" }],
    ["policy", 400, { code: "content_policy_violation" }],
    ["policy", 403, { code: "content_policy_violation" }],
    ["policy", 400, { message: "Output blocked by content filtering policy" }],
    ["policy", 400, { message: "Your request was rejected as a result of our safety system." }],
    ["client", 400, { type: "invalid_request_error", message: "temperature: must be at most 1" }],
    ["client", 405],
    ["client", 410],
    ["client", 415],
    ["client", 422],
    ["client", 431],
  ];
  for (const [name, status, error] of rows) {
    test(`${status} ${JSON.stringify(error ?? {})} is ${name}`, () => {
      expect(classOf(status, error).class).toBe(name);
    });
  }

  test("an answer without an error object goes by its status", () => {
    expect(classifyAnswer(400, new Headers(), null, NOW).class).toBe("client");
    expect(classifyAnswer(503, new Headers(), null, NOW).class).toBe("server");
  });
});

describe("what a class means to the layers", () => {
  const rows: readonly (readonly [status: number, error: Partial<InBandError>, breaker: string, retry: string])[] = [
    [500, {}, "failure", "backoff"],
    [503, {}, "failure", "backoff"],
    [408, {}, "neutral", "backoff"],
    [409, {}, "neutral", "backoff"],
    [429, {}, "throttled", "backoff"],
    [402, {}, "neutral", "no"],
    [401, {}, "neutral", "no"],
    [404, {}, "answered", "no"],
    [413, {}, "answered", "no"],
    [400, { code: "content_filter" }, "answered", "no"],
    [400, {}, "answered", "no"],
    [501, {}, "answered", "no"],
  ];
  for (const [status, error, breaker, retry] of rows) {
    test(`${status} ${JSON.stringify(error)}: breaker ${breaker}, retry ${retry}`, () => {
      expect(classOf(status, error)).toMatchObject({ breaker, retry });
    });
  }

  for (const status of [429, 503, 529]) {
    test(`${status} asks for less load`, () => expect(classOf(status).lessLoad).toBe(true));
  }
  test("other failures do not", () => {
    for (const status of [500, 502, 504, 408]) expect(classOf(status).lessLoad).toBe(false);
  });
});

describe("x-should-retry", () => {
  const rows: readonly (readonly [status: number, header: string | null, retry: string])[] = [
    [500, "false", "no"],
    [429, "false", "no"],
    [529, "false", "no"],
    [500, "true", "backoff"],
    [400, "true", "backoff"],
    [401, "true", "backoff"],
    [404, "true", "backoff"],
    [400, "false", "no"],
    [500, "maybe", "backoff"],
    [500, null, "backoff"],
  ];
  for (const [status, header, retry] of rows) {
    test(`${header} on ${status}: ${retry}`, () => {
      expect(classOf(status, {}, header === null ? {} : { "x-should-retry": header }).retry).toBe(retry as "no");
    });
  }
});

describe("Retry-After on an answer", () => {
  const rows: readonly (readonly [headers: Record<string, string>, ms: number | null])[] = [
    [{ "retry-after-ms": "1200" }, 1200],
    [{ "retry-after-ms": "1200", "retry-after": "9" }, 1200],
    [{ "retry-after-ms": "soon", "retry-after": "9" }, 9000],
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:07 GMT" }, 7000],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:07 GMT", date: "Sun, 22 Nov 2026 12:00:04 GMT" }, 3000],
    [{ "retry-after": "Sun, 22 Nov 2026 11:59:00 GMT" }, null],
    [{ "retry-after": "-1" }, null],
    [{ "retry-after": "NaN" }, null],
    [{ "retry-after": "" }, null],
    [{ "retry-after": "tomorrow" }, null],
    [{ "retry-after": "1e400" }, Number.POSITIVE_INFINITY],
    [{ "retry-after": "Infinity" }, Number.POSITIVE_INFINITY],
    [{}, null],
  ];
  for (const [headers, ms] of rows) {
    test(`${JSON.stringify(headers)} is ${ms} ms`, () => expect(classOf(429, {}, headers).retryAfterMs).toBe(ms));
  }
});

describe("an exception before headers", () => {
  const failure = (code: string): Error => Object.assign(new Error(code), { code });
  const rows: readonly (readonly [code: string, sinceMs: number, name: OutcomeClass, unsent: boolean])[] = [
    ["ConnectionRefused", 5, "connect", true],
    ["ECONNREFUSED", 5, "connect", true],
    ["ENOTFOUND", 5, "connect", true],
    ["EAI_AGAIN", 5, "connect", true],
    ["FailedToOpenSocket", 5, "connect", true],
    ["CERT_HAS_EXPIRED", 5, "connect", true],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", 5, "connect", true],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", 5, "connect", true],
    ["ERR_TLS_CERT_ALTNAME_INVALID", 5, "connect", true],
    ["ECONNRESET", 1000, "stale_conn", false],
    ["ECONNRESET", 1001, "connect", false],
    ["Malformed_HTTP_Response", 5, "connect", false],
    ["SomethingNew", 5, "connect", false],
    ["HTTP_INVALID_REQUEST", 5, "client", true],
  ];
  for (const [code, sinceMs, name, unsent] of rows) {
    test(`${code} after ${sinceMs} ms is ${name}${unsent ? ", surely unsent" : ""}`, () => {
      expect(classifyException(failure(code), sinceMs)).toMatchObject({ class: name, unsent });
    });
  }

  test("a request that could not be written says nothing of the provider", () => {
    expect(classifyException(failure("HTTP_INVALID_REQUEST"), 5)).toMatchObject({ breaker: "answered", retry: "no" });
  });

  test("what is no error at all is a connection failure", () => {
    for (const thrown of [null, undefined, "oops", 7, {}]) expect(classifyException(thrown, 0).class).toBe("connect");
  });
});

describe("the status of an error inside a 200", () => {
  const rows: readonly (readonly [type: string | null, code: string | null, status: number])[] = [
    ["invalid_request_error", null, 400],
    ["authentication_error", null, 401],
    ["permission_error", null, 403],
    ["not_found_error", null, 404],
    ["request_too_large", null, 413],
    ["rate_limit_error", null, 429],
    ["requests", "rate_limit_exceeded", 429],
    ["insufficient_quota", "insufficient_quota", 429],
    ["api_error", null, 500],
    ["overloaded_error", null, 529],
    ["timeout_error", null, 504],
    ["server_error", null, 500],
    ["brand_new_error", null, 500],
    [null, null, 500],
    ["toString", "__proto__", 500],
  ];
  for (const [type, code, status] of rows) {
    test(`${type} ${code}: ${status}`, () => expect(statusOfInBandError({ type, code, message: "" })).toBe(status));
  }
});
