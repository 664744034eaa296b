import type { RenderableError } from "../format.ts";
import { renderOpenAiError } from "../errors.ts";
import { encodeSse } from "../sse/encode.ts";

/** The error envelope of Responses. */
export function renderError(error: RenderableError): string {
  return renderOpenAiError(error);
}

/**
 * The error as the last event of a stream: the documented `error` event, numbered like those before it, and in it the `error`
 * object without which the SDKs would hand it out as one more event instead of raising.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming/error (read 2026-11-24)
 */
export function renderStreamError(error: RenderableError, _requestId: string, eventsBefore: number): string {
  const { code, message, param, type } = error;
  const envelope = { message, type, param, code };
  return encodeSse(
    "error",
    JSON.stringify({ type: "error", code, message, param, error: envelope, sequence_number: eventsBefore }),
  );
}
