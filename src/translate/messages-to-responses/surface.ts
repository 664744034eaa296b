/** How Responses spells what a Messages request holds. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderDataUrl } from "../maps/media.ts";
import { renderResponsesChoice } from "../maps/tool-choice.ts";
import { chatToolId } from "../maps/tool-names.ts";
import { cacheMarker, marked, NO_MARKER, type Draft, type Located } from "../messages-client/draft.ts";
import type { Surface, ToolResultTurn } from "../messages-client/surface.ts";
import { markError, NO_RESULT, renderResultParts, toolUseId } from "../messages-client/tool-results.ts";
import type { FieldRow } from "../translator.ts";
import { renderAssistant } from "./assistant.ts";

export const RESPONSES_SURFACE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content (user)",
    outcomes: ["M"],
    becomes: "A message item with an `input_text` for each text block.",
  },
  {
    field: "messages[].content[].image",
    outcomes: ["M"],
    becomes: "`input_image` with a data URL or the URL; nothing is fetched by the gateway.",
  },
  {
    field: "messages[].content[].document (PDF)",
    outcomes: ["M"],
    becomes: "`input_file` with the title as file name, or with the URL.",
  },
  {
    field: "messages[].content[].tool_result",
    outcomes: ["M"],
    becomes:
      "One `function_call_output` item each, in order, directly after the calls; the rest of the user turn follows, even if it came first.",
  },
  {
    field: "messages[].content[].tool_result.content",
    outcomes: ["M"],
    becomes: "Text, blocks joined by newlines; with images or documents a list of parts, in order.",
  },
  {
    field: "messages[].content[].tool_result.is_error",
    outcomes: ["M"],
    becomes: "The text begins with `Error: `.",
  },
  {
    field: "messages[].content[].tool_result.tool_use_id",
    outcomes: ["M", "A"],
    becomes: "`call_id`, shortened by hash over 40 characters. A result without its call becomes user text.",
  },
];

function inputText(text: string, marker: JsonObject): JsonObject {
  return marked({ type: "input_text", text }, marker);
}

function isText(part: JsonObject): boolean {
  return own(part, "type") === "input_text";
}

function textOf(part: JsonObject): string {
  const text = own(part, "text");
  return isString(text) ? text : "";
}

/** A plain string for unmarked text; parts, in order, where there are images, files or a cache marker. */
function renderOutput(located: Located, draft: Draft): Json {
  const { block } = located;
  const parts = renderResultParts(located, draft);
  const marker = cacheMarker(own(block, "cache_control"), draft);
  const isMarked = marker !== NO_MARKER;
  if (parts.every(isText)) {
    const text = markError(block, parts.map(textOf).join("\n"));
    return isMarked && text !== "" ? [inputText(text, marker)] : text;
  }
  const [first = inputText("", NO_MARKER), ...rest] = parts;
  const told = isText(first) ? markError(block, textOf(first)) : markError(block, "");
  const head = isText(first) ? [{ ...first, text: told }] : told === "" ? [first] : [inputText(told, NO_MARKER), first];
  const all = [...head, ...rest];
  return isMarked ? all.map((part, index) => (index === all.length - 1 ? { ...part, ...marker } : part)) : all;
}

function renderToolResult(located: Located, draft: Draft): ToolResultTurn {
  const output = renderOutput(located, draft);
  return {
    items: [{ type: "function_call_output", call_id: chatToolId(toolUseId(located.block)), output }],
    media: [],
  };
}

/**
 * Responses.
 * @see https://platform.openai.com/docs/api-reference/responses/create (read 2026-11-24)
 */
export const RESPONSES_SURFACE: Surface = {
  textPart: inputText,
  imagePart: (url, marker) => ({ type: "input_image", image_url: url, ...marker }),
  pdfPart: (data, title, marker) => ({
    type: "input_file",
    filename: title ?? "document.pdf",
    file_data: renderDataUrl({ mediaType: "application/pdf", data }),
    ...marker,
  }),
  pdfUrlPart: (url, marker) => ({ type: "input_file", file_url: url, ...marker }),
  // Always a message: `instructions` cannot carry cache markers.
  system: (content) => ({
    type: "message",
    role: "developer",
    content: isString(content) ? [inputText(content, NO_MARKER)] : content,
  }),
  user: (parts) => ({ type: "message", role: "user", content: parts.length === 0 ? "" : parts }),
  assistant: renderAssistant,
  toolResult: renderToolResult,
  missingResult: (callId) => ({ type: "function_call_output", call_id: chatToolId(callId), output: NO_RESULT }),
  functionTool: ({ name, description, parameters, strict }) => ({
    type: "function",
    name,
    ...(description === "" ? {} : { description }),
    parameters,
    strict,
  }),
  toolName: (tool) => own(tool, "name") ?? own(tool, "type"),
  toolChoice: (choice, tool) =>
    own(tool, "type") === "web_search" ? { type: "web_search" } : renderResponsesChoice(choice),
};
