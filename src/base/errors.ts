/**
 * What the gateway itself has to say. An upstream's HTTP error is an answer, not one of these.
 *
 * The kinds, statuses, types and codes are the rows of one table, so that both wire formats, the log,
 * the ledger and `x-arouter-error` cannot disagree.
 */

/** Row of {@link ERROR_KINDS}: HTTP status, OpenAI `error.type` and default `error.code`. */
export interface ErrorKindRow {
  readonly status: number;
  readonly type: "invalid_request_error" | "server_error";
  readonly code: string;
  /** Whether a `retry-after` belongs to it (seconds, when the thrower names no other). */
  readonly retryAfterSeconds?: number;
}

const invalid = (status: number, code: string): ErrorKindRow => ({ status, type: "invalid_request_error", code });
const server = (status: number, code: string): ErrorKindRow => ({ status, type: "server_error", code });

export const ERROR_KINDS = {
  "invalid-request": invalid(400, "invalid_value"),
  "unsupported-translation": invalid(400, "unsupported_parameter"),
  unauthorized: invalid(401, "invalid_api_key"),
  forbidden: invalid(403, "forbidden"),
  blocked: invalid(403, "blocked_by_policy"),
  "not-found": invalid(404, "model_not_found"),
  "method-not-allowed": invalid(405, "method_not_allowed"),
  "request-timeout": invalid(408, "request_timeout"),
  "too-large": invalid(413, "request_too_large"),
  "unsupported-media": invalid(415, "unsupported_media_type"),
  "headers-too-large": invalid(431, "headers_too_large"),
  internal: server(500, "internal_error"),
  "upstream-unreachable": server(502, "upstream_unreachable"),
  "upstream-invalid": server(502, "upstream_invalid_response"),
  "upstream-interrupted": server(502, "upstream_stream_interrupted"),
  overloaded: { ...server(503, "overloaded"), retryAfterSeconds: 1 },
  draining: { ...server(503, "draining"), retryAfterSeconds: 1 },
  "circuit-open": { ...server(503, "upstream_unavailable"), retryAfterSeconds: 1 },
  "upstream-timeout": server(504, "upstream_timeout"),
  deadline: server(504, "deadline_exceeded"),
  "client-closed": server(499, "client_closed"),
} as const satisfies Record<string, ErrorKindRow>;

/** Name of a gateway-made error: the word of `x-arouter-error`, the log and the ledger. */
export type ErrorKind = keyof typeof ERROR_KINDS;

/** Optional parts of a {@link GatewayError}. */
export interface GatewayErrorParts {
  /** JSON path of the field, or the name of the header, that is wrong. */
  readonly param?: string;
  /** OpenAI `error.code` where it is not the kind's own, such as `missing_required_parameter`. */
  readonly code?: string;
  /** HTTP status where it is not the kind's own (a rule's `block`). */
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** Methods for the `allow` header of a 405. */
  readonly allow?: readonly string[];
  /** Anthropic `error.details.error_code`. */
  readonly detailsCode?: string;
  /** Further answer headers, such as `x-should-retry`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The gateway's own error; the one class of the project. Messages carry no key, prompt, host or path. */
export class GatewayError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly type: ErrorKindRow["type"];
  readonly code: string;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
  readonly allow: readonly string[];
  readonly detailsCode: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: ErrorKind, message: string, parts: GatewayErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "GatewayError";
    const row: ErrorKindRow = ERROR_KINDS[kind];
    this.kind = kind;
    this.status = parts.status ?? row.status;
    this.type = row.type;
    this.code = parts.code ?? row.code;
    this.param = parts.param ?? null;
    this.retryAfterMs =
      parts.retryAfterMs ?? (row.retryAfterSeconds === undefined ? null : row.retryAfterSeconds * 1000);
    this.allow = parts.allow ?? [];
    this.detailsCode = parts.detailsCode ?? null;
    this.headers = parts.headers ?? {};
  }
}

/** A 400 that names the field. `code` defaults to `invalid_value`. */
export function invalidRequest(message: string, param?: string, code = "invalid_value"): GatewayError {
  return new GatewayError("invalid-request", message, param === undefined ? { code } : { code, param });
}

/** A 400 for a field that the other format cannot carry; `path` is its JSON path. */
export function unsupported(path: string, message: string): GatewayError {
  return new GatewayError("unsupported-translation", message, { param: path });
}
