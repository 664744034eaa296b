/** What the error envelopes of the two providers have in common. */
import { isObject, isString, own } from "../base/json.ts";
import type { Json } from "../base/json.ts";
import type { InBandError, RenderableError } from "./format.ts";

function stringOrNull(value: Json | undefined): string | null {
  return isString(value) ? value : null;
}

/**
 * The error in `json`: `{error: {message, type?, code?}}` as both providers write it (Anthropic beside `type: "error"`), or
 * `{error: "text"}` as some OpenAI-compatible servers do. `error: null` is none.
 * @see https://platform.openai.com/docs/guides/error-codes (read 2026-11-24)
 * @see https://docs.anthropic.com/en/api/errors (read 2026-11-24)
 */
export function readErrorEnvelope(json: Json): InBandError | null {
  const error = own(json, "error");
  if (isString(error)) return { type: null, code: null, message: error };
  if (!isObject(error)) return null;
  const code = own(error, "code");
  return {
    type: stringOrNull(own(error, "type")),
    code:
      typeof code === "number"
        ? String(code)
        : (stringOrNull(code) ?? stringOrNull(own(own(error, "details"), "error_code"))),
    message: stringOrNull(own(error, "message")) ?? "the provider gave no message",
  };
}

/**
 * OpenAI's error object with its four keys, always all there.
 * @see https://platform.openai.com/docs/api-reference/errors (read 2026-11-24)
 */
export function renderOpenAiError(error: RenderableError): string {
  const { message, type, param, code } = error;
  return JSON.stringify({ error: { message, type, param, code } });
}
