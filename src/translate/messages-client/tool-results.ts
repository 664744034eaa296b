/** Tool results: their text, and what of them is not text. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { NO_MARKER, readBlocks, type Draft, type Located } from "./draft.ts";
import { renderParts } from "./user.ts";

/** Said for a call whose result the history lacks: OpenAI refuses a call without one. */
export const NO_RESULT = "no result was provided";

/** Id of the call that a `tool_result` block answers; "" without one. */
export function toolUseId(block: JsonObject): string {
  const id = own(block, "tool_use_id");
  return isString(id) ? id : "";
}

/** Parts of a `tool_result` block's content, in order. */
export function renderResultParts({ block, path }: Located, draft: Draft): readonly JsonObject[] {
  const content = own(block, "content");
  if (content === undefined || content === null) return [];
  return readBlocks(content, `${path}.content`).flatMap((located) => renderParts(located, draft));
}

/** The text of a result as the model is to read it: one that failed says so. */
export function markError(block: JsonObject, text: string): string {
  return own(block, "is_error") === true && !text.startsWith("Error:") ? `Error: ${text}` : text;
}

/** One result, split into what a text holds and what it does not. */
export interface SplitResult {
  readonly text: string;
  /** Image and file parts, which the text names in their places. */
  readonly media: readonly JsonObject[];
}

/** Types of the parts that hold an image, on either API. */
const IMAGE_PARTS: ReadonlySet<Json | undefined> = new Set(["image_url", "input_image"]);

/** Splits the content of a `tool_result` block. */
export function splitToolResult(located: Located, draft: Draft): SplitResult {
  const texts: string[] = [];
  const media: JsonObject[] = [];
  const counts = { image: 0, document: 0 };
  for (const part of renderResultParts(located, draft)) {
    const text = own(part, "text");
    if (isString(text)) {
      texts.push(text);
      continue;
    }
    const kind = IMAGE_PARTS.has(own(part, "type")) ? "image" : "document";
    counts[kind]++;
    texts.push(`[${kind} ${counts[kind]} of tool result ${toolUseId(located.block)} follows]`);
    media.push(withoutMarker(part));
  }
  return { text: markError(located.block, texts.join("\n")), media };
}

function withoutMarker(part: JsonObject): JsonObject {
  const { prompt_cache_breakpoint: _marker, ...rest } = part;
  return rest;
}

/** A result whose call is not in the history, as parts of a user message. */
export function renderUnknownResult(located: Located, draft: Draft): readonly JsonObject[] {
  const { text, media } = splitToolResult(located, draft);
  const told = `[result of unknown tool call ${toolUseId(located.block)}] ${text}`;
  return [draft.surface.textPart(told, NO_MARKER), ...media];
}
