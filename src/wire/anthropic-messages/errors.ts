import type { RenderableError } from "../format.ts";
import { encodeSse } from "../sse/encode.ts";

/** Error types by HTTP status; any other is `api_error`. */
const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  415: "invalid_request_error",
  422: "invalid_request_error",
  429: "rate_limit_error",
  431: "invalid_request_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** A field that cannot be carried is named in front: this envelope has no `param`. */
function messageOf(error: RenderableError): string {
  const { message, param, code } = error;
  if (code !== "unsupported_parameter" || param === null || message.startsWith(param)) return message;
  return `${param}: ${message}`;
}

/**
 * The error envelope of Messages.
 * @see https://docs.anthropic.com/en/api/errors (read 2026-11-24)
 */
export function renderError(error: RenderableError, requestId: string): string {
  const type = error.anthropicType ?? TYPES[error.status] ?? "api_error";
  const details = error.detailsCode ?? null;
  return JSON.stringify({
    type: "error",
    error: { type, message: messageOf(error), ...(details === null ? {} : { details: { error_code: details } }) },
    request_id: requestId,
  });
}

/** The error as the last event of a stream: the SDKs raise on it. No `message_stop` follows. */
export function renderStreamError(error: RenderableError, requestId: string): string {
  return encodeSse("error", renderError(error, requestId));
}
