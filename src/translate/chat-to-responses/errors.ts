/** Error answers of Responses as Chat clients are to see them: OpenAI's own, but for what concerns the gateway's key. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import type { FieldRow, TranslatedError, UpstreamError } from "../translator.ts";

export const ERROR_ROWS: readonly FieldRow[] = [
  {
    field: "error: any status",
    outcomes: ["M"],
    becomes: "the same status, type, code and message; `param` is left out, as it names a field of Responses",
  },
  {
    field: "error: 401",
    outcomes: ["M"],
    becomes:
      "502 `server_error` / `upstream_auth_error` with `x-should-retry: false`; with `upstream_auth_status = 401`: the same",
  },
];

const MAX_SUMMARY_CHARS = 300;

function text(json: JsonObject | null, key: string): string | null {
  const value = own(own(json, "error"), key);
  return isString(value) && value !== "" ? value : null;
}

/** Translates an error answer. A body that is not JSON is summarised. */
export function translateError(error: UpstreamError, authStatus: 401 | 502): TranslatedError {
  const { json, status } = error;
  const shown = error.text.slice(0, MAX_SUMMARY_CHARS).trim();
  const message = text(json, "message") ?? `upstream answered ${status}${shown === "" ? "" : `: ${shown}`}`;
  if (status === 401 && authStatus === 502) {
    return {
      status: 502,
      error: { message, status: 502, type: "server_error", code: "upstream_auth_error", param: null },
      headers: { "x-should-retry": "false" },
    };
  }
  const code = text(json, "code");
  const type = text(json, "type") ?? (status >= 500 ? "server_error" : "invalid_request_error");
  const isSpent = code === "insufficient_quota" || type === "insufficient_quota";
  return {
    status,
    error: { message, status, type, code, param: null },
    headers: isSpent ? { "x-should-retry": "false" } : {},
  };
}
