/** How Chat Completions spells what a Messages request holds. */
import { own, type Json, type JsonObject } from "../../base/json.ts";
import { renderFilePart } from "../maps/media.ts";
import { renderOpenAiChoice } from "../maps/tool-choice.ts";
import { chatToolId } from "../maps/tool-names.ts";
import { cacheMarker, marked, NO_MARKER, systemRole, type Draft, type Located } from "../messages-client/draft.ts";
import type { Surface, ToolResultTurn } from "../messages-client/surface.ts";
import { NO_RESULT, splitToolResult, toolUseId } from "../messages-client/tool-results.ts";
import type { FieldRow } from "../translator.ts";
import { renderAssistant } from "./assistant.ts";

export const CHAT_SURFACE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content (user)",
    outcomes: ["M"],
    becomes: "A text part for each text block; a single text block is a plain string.",
  },
  {
    field: "messages[].content[].image",
    outcomes: ["M"],
    becomes: "`image_url` with a data URL or the URL; nothing is fetched.",
  },
  {
    field: "messages[].content[].document (PDF)",
    outcomes: ["M", "R"],
    becomes: "A `file` part with the title as file name. A PDF by URL is refused: nothing is fetched. Send its bytes.",
  },
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

export const CHAT_REPLY_ROWS: readonly FieldRow[] = [
  {
    field: "answer: content",
    outcomes: ["M"],
    becomes:
      "Thinking (where the upstream gives its reasoning as text), then one text block, then `tool_use` blocks; several choices are merged.",
  },
  {
    field: "answer: content[].citations",
    outcomes: ["M"],
    becomes: "URL citations of search models as `web_search_result_location`.",
  },
];

/** `content` of a user message: a plain string for a single unmarked text, else parts; "" for none. */
function renderUserContent(parts: readonly JsonObject[]): Json {
  const [first] = parts;
  if (first === undefined) return "";
  const isPlain =
    parts.length === 1 && own(first, "type") === "text" && !Object.hasOwn(first, "prompt_cache_breakpoint");
  return isPlain ? (own(first, "text") ?? "") : parts;
}

/** `tool` messages take text only, so images and files travel in a user message after the run. */
function renderToolResult(located: Located, draft: Draft): ToolResultTurn {
  const { text, media } = splitToolResult(located, draft);
  const marker = cacheMarker(own(located.block, "cache_control"), draft);
  const isMarked = marker !== NO_MARKER && text !== "";
  const message: JsonObject = {
    role: "tool",
    tool_call_id: chatToolId(toolUseId(located.block)),
    content: isMarked ? [marked({ type: "text", text }, marker)] : text,
  };
  return { items: [message], media };
}

/** Chat Completions. */
export const CHAT_SURFACE: Surface = {
  textPart: (text, marker) => marked({ type: "text", text }, marker),
  imagePart: (url, marker) => marked({ type: "image_url", image_url: { url } }, marker),
  pdfPart: (data, title, marker) => marked(renderFilePart(data, title), marker),
  pdfUrlPart: () => null,
  system: (content, draft) => ({ role: systemRole(draft), content }),
  user: (parts) => ({ role: "user", content: renderUserContent(parts) }),
  assistant: renderAssistant,
  toolResult: renderToolResult,
  missingResult: (callId) => ({ role: "tool", tool_call_id: chatToolId(callId), content: NO_RESULT }),
  functionTool: ({ name, description, parameters, strict }) => ({
    type: "function",
    function: {
      name,
      ...(description === "" ? {} : { description }),
      parameters,
      ...(strict ? { strict: true } : {}),
    },
  }),
  toolName: (tool) => own(own(tool, "function"), "name"),
  toolChoice: renderOpenAiChoice,
};
