/** Anthropic's error answers as OpenAI's clients are to see them. */
import { isString, own } from "../../base/json.ts";
import type { FieldRow, TranslatedError, UpstreamError } from "../translator.ts";

/** Characters of a body that is not JSON which are shown. */
const MAX_SHOWN_CHARS = 300;
const TOO_LONG = /prompt is too long|exceeds? (?:the )?(?:maximum )?context|context (?:window|limit)/i;

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  /** Trying again cannot help; the client's SDK is told so. */
  readonly final?: boolean;
}

const invalid = (status: number, code: string | null): ErrorRow => ({ status, type: "invalid_request_error", code });
const server = (status: number, code: string | null): ErrorRow => ({ status, type: "server_error", code });

/** @see https://platform.claude.com/docs/en/api/errors (read 2026-11-24) */
const ROWS: Readonly<Record<number, ErrorRow>> = {
  400: invalid(400, null),
  401: { ...server(502, "upstream_auth_error"), final: true },
  402: { status: 429, type: "insufficient_quota", code: "insufficient_quota", final: true },
  403: invalid(403, "permission_denied"),
  404: invalid(404, "model_not_found"),
  409: invalid(409, "conflict"),
  413: invalid(413, "request_too_large"),
  429: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
  500: server(500, null),
  504: server(504, "timeout"),
  529: server(503, "overloaded"),
};

/** Rows for docs: one for each status. */
export const ERROR_ROWS: readonly FieldRow[] = Object.entries(ROWS).map(([status, row]) => ({
  field: `error: upstream status ${status}`,
  outcomes: ["M"],
  becomes: `${row.status}, \`${row.type}\`${row.code === null ? "" : ` / \`${row.code}\``}${row.final === true ? ", `x-should-retry: false`" : ""}`,
}));

function rowFor(status: number, message: string, authStatus: 401 | 502): ErrorRow {
  if (status === 401 && authStatus === 401) return invalid(401, "invalid_api_key");
  if (status === 400 && TOO_LONG.test(message)) return invalid(400, "context_length_exceeded");
  return ROWS[status] ?? (status >= 500 ? server(status, null) : invalid(status, null));
}

/** Translates an error answer. A body that is not JSON is summarised. */
export function renderError(error: UpstreamError, authStatus: 401 | 502): TranslatedError {
  const stated = own(own(error.json, "error"), "message");
  const shown = error.text.slice(0, MAX_SHOWN_CHARS).trim();
  const message =
    isString(stated) && stated !== "" ? stated : `upstream answered ${error.status}${shown && `: ${shown}`}`;
  const row = rowFor(error.status, message, authStatus);
  return {
    status: row.status,
    error: { message, status: row.status, type: row.type, code: row.code, param: null },
    headers: row.final === true ? { "x-should-retry": "false" } : {},
  };
}
