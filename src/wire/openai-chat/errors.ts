import type { RenderableError } from "../format.ts";
import { renderOpenAiError } from "../errors.ts";
import { encodeSse } from "../sse/encode.ts";

/** The error envelope of Chat Completions. */
export function renderError(error: RenderableError): string {
  return renderOpenAiError(error);
}

/** The error as the last event of a stream: the SDKs raise on its `error` object. No `[DONE]` follows. */
export function renderStreamError(error: RenderableError): string {
  return encodeSse(null, renderOpenAiError(error));
}
