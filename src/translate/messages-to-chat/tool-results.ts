/** Tool results: `tool` messages take text only, so images and files travel in a user message after the run. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import { chatToolId } from "../maps/tool-names.ts";
import type { FieldRow } from "../translator.ts";
import { cacheMarker, readBlocks, type Draft, type Located } from "./draft.ts";
import { renderParts } from "./user.ts";

export const TOOL_RESULT_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content[].tool_result",
    outcomes: ["M"],
    becomes:
      "One `tool` message each, in order, directly after the assistant message; the rest of the user turn follows, even if it came first.",
  },
  {
    field: "messages[].content[].tool_result.content",
    outcomes: ["M"],
    becomes:
      "Text, blocks joined by newlines. Images and documents go to one user message after the run of tool messages; the text says so.",
  },
  {
    field: "messages[].content[].tool_result.is_error",
    outcomes: ["M"],
    becomes: "The text begins with `Error: `.",
  },
  {
    field: "messages[].content[].tool_result.tool_use_id",
    outcomes: ["M", "A"],
    becomes: "`tool_call_id`, shortened by hash over 40 characters. A result without its call becomes user text.",
  },
];

/** One result, split into what a `tool` message takes and what it does not. */
export interface ToolResult {
  readonly text: string;
  /** Image and file parts. */
  readonly media: readonly JsonObject[];
}

/** Reads the content of a `tool_result` block. */
export function readToolResult({ block, path }: Located, draft: Draft): ToolResult {
  const content = own(block, "content");
  const texts: string[] = [];
  const media: JsonObject[] = [];
  const counts = { image: 0, document: 0 };
  const blocks = content === undefined || content === null ? [] : readBlocks(content, `${path}.content`);
  for (const located of blocks) {
    for (const part of renderParts(located, draft)) {
      const text = own(part, "text");
      if (isString(text)) {
        texts.push(text);
        continue;
      }
      const kind = own(part, "type") === "image_url" ? "image" : "document";
      counts[kind]++;
      texts.push(`[${kind} ${counts[kind]} of tool result ${toolUseId(block)} follows]`);
      media.push(withoutMarker(part));
    }
  }
  const text = texts.join("\n");
  const isError = own(block, "is_error") === true && !text.startsWith("Error:");
  return { text: isError ? `Error: ${text}` : text, media };
}

function withoutMarker(part: JsonObject): JsonObject {
  const { prompt_cache_breakpoint: _marker, ...rest } = part;
  return rest;
}

/** Id of the call that a `tool_result` block answers; "" without one. */
export function toolUseId(block: JsonObject): string {
  const id = own(block, "tool_use_id");
  return isString(id) ? id : "";
}

/** The `tool` message for one result. */
export function renderToolMessage(block: JsonObject, text: string, draft: Draft): JsonObject {
  const marker = cacheMarker(own(block, "cache_control"), draft);
  const isMarked = Object.keys(marker).length > 0 && text !== "";
  return {
    role: "tool",
    tool_call_id: chatToolId(toolUseId(block)),
    content: isMarked ? [{ type: "text", text, ...marker }] : text,
  };
}

/** The message that stands for a result the history lacks: OpenAI refuses a call without one. */
export function renderMissingResult(callId: string): JsonObject {
  return { role: "tool", tool_call_id: chatToolId(callId), content: "no result was provided" };
}
