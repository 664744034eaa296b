/** The gateway's own errors as answers in the client's format. */
import { GatewayError } from "../base/errors.ts";
import type { RequestRecord } from "../base/events.ts";
import type { WireFormat } from "../wire/format.ts";
import type { Reply } from "./reply.ts";

/** Whatever was thrown, as a GatewayError: what is none is a defect of ours. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError
    ? thrown
    : new GatewayError("internal", "the gateway failed to handle the request", { cause: thrown });
}

/** Attempts from which the client's SDK is told not to retry on top of the gateway. */
const SIGNAL_AFTER = 2;

/**
 * Whether `x-should-retry: false` is added: the gateway has retried enough, or would have and the provider's budget is spent,
 * and the answer is a 5xx that asks for nothing else. 503, 529 and 429 stay retryable, with their `retry-after`.
 */
export function isRetryDiscouraged(record: RequestRecord, status: number, signalClient: boolean): boolean {
  const failed = record.attempts.filter(({ class: outcome }) => outcome !== "ok").length;
  const isEnough = record.retryRefused || failed >= SIGNAL_AFTER;
  return signalClient && isEnough && status >= 500 && status !== 503 && status !== 529;
}

/** Renders `error` for a client of `format`. */
export function renderErrorReply(format: WireFormat, error: GatewayError, requestId: string): Reply {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-request-id": requestId,
    "request-id": requestId,
    ...error.headers,
  };
  if (error.retryAfterMs !== null) headers["retry-after"] = String(Math.ceil(error.retryAfterMs / 1000));
  if (error.allow.length > 0) headers["allow"] = error.allow.join(", ");
  return { status: error.status, headers, body: format.renderError(error, requestId) };
}
