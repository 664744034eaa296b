/** OpenAI's error answers as Anthropic's clients know them. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import type { FieldRow, TranslatedError, UpstreamError } from "../translator.ts";

export const ERROR_ROWS: readonly FieldRow[] = [
  {
    field: "error: 400",
    outcomes: ["M"],
    becomes: "400 `invalid_request_error`; for `context_length_exceeded` the message begins with `prompt is too long`.",
  },
  {
    field: "error: 401",
    outcomes: ["M"],
    becomes:
      "502 `api_error` with `x-should-retry: false`: the gateway's key is wrong, not the client's. With `upstream_auth_status = 401`: 401 `authentication_error`.",
  },
  {
    field: "error: 403, 404, 408, 409, 413, 422",
    outcomes: ["M"],
    becomes:
      "The same status; `permission_error`, `not_found_error`, `timeout_error`, `conflict_error`, `request_too_large`, `invalid_request_error`.",
  },
  {
    field: "error: 429",
    outcomes: ["M"],
    becomes: "429 `rate_limit_error`; for `insufficient_quota` 402 `billing_error` with `x-should-retry: false`.",
  },
  {
    field: "error: 500, 502, 503, 504",
    outcomes: ["M"],
    becomes: "The same status as `api_error`; 503 as 529 `overloaded_error`; 504 `timeout_error`.",
  },
];

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

function anthropicType(status: number): string {
  return TYPE_BY_STATUS[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

const NO_RETRY = { "x-should-retry": "false" };
const MAX_SUMMARY_CHARS = 300;
/** Clients look for these words to shorten the conversation. */
const TOO_LONG = "prompt is too long";

function text(error: JsonObject | null, key: string): string | null {
  const value = own(own(error, "error"), key);
  return isString(value) && value !== "" ? value : null;
}

function readMessage({ status, json, text: body }: UpstreamError): string {
  const message = text(json, "message");
  if (message !== null) return message;
  const summary = body.slice(0, MAX_SUMMARY_CHARS).trim();
  return summary === "" ? `upstream answered ${status}` : `upstream answered ${status}: ${summary}`;
}

/**
 * Translates an error answer.
 * @see https://docs.anthropic.com/en/api/errors (read 2026-11-24)
 */
export function translateError(error: UpstreamError, authStatus: 401 | 502): TranslatedError {
  const code = text(error.json, "code");
  const type = text(error.json, "type");
  const message = readMessage(error);
  const render = (
    status: number,
    headers: Readonly<Record<string, string>> = {},
    shown: string = message,
  ): TranslatedError => ({
    status,
    error: {
      message: shown,
      status,
      type: type ?? (status >= 500 ? "server_error" : "invalid_request_error"),
      code,
      param: text(error.json, "param"),
      anthropicType: anthropicType(status),
    },
    headers,
  });

  switch (error.status) {
    case 400: {
      const isTooLong = code === "context_length_exceeded" && !message.startsWith(TOO_LONG);
      return render(400, {}, isTooLong ? `${TOO_LONG}: ${message}` : message);
    }
    case 401:
      return authStatus === 401 ? render(401) : render(502, NO_RETRY);
    case 429:
      return code === "insufficient_quota" || type === "insufficient_quota" ? render(402, NO_RETRY) : render(429);
    case 503:
      return render(529);
    default:
      return render(error.status);
  }
}
