/** Assistant turns: one message each, its text joined, its calls beside it. */
import { own, type JsonObject } from "../../base/json.ts";
import { chatToolId } from "../maps/tool-names.ts";
import { readAssistant } from "../messages-client/assistant.ts";
import { blockText, foldBlockPath, textPart, type Draft, type Located } from "../messages-client/draft.ts";
import type { AssistantTurn } from "../messages-client/surface.ts";
import type { FieldRow } from "../translator.ts";

export const CHAT_ASSISTANT_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content (assistant)",
    outcomes: ["M"],
    becomes: "One string, blocks joined without separator; an empty turn is left out.",
  },
  {
    field: "messages[].content[].tool_use",
    outcomes: ["M", "A"],
    becomes:
      "`tool_calls[]` with the input as JSON text; ids over 40 characters are shortened by hash. A call without a result gets the result `no result was provided`.",
  },
  {
    field: "messages[].content[].thinking, redacted_thinking",
    outcomes: ["D"],
    becomes: "Not sent: another model cannot read it.",
  },
];

/** Renders the blocks of one assistant turn. */
export function renderAssistant(blocks: readonly Located[], draft: Draft): AssistantTurn {
  const parts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const callIds: string[] = [];
  for (const piece of readAssistant(blocks, draft)) {
    switch (piece.kind) {
      case "text":
        parts.push(textPart(piece.text, piece.block, draft));
        break;
      case "call":
        callIds.push(piece.id);
        calls.push({
          id: chatToolId(piece.id),
          type: "function",
          function: { name: piece.name, arguments: piece.input },
        });
        break;
      case "thinking":
        draft.report.drop(foldBlockPath(piece.located));
        break;
      default:
        piece satisfies never;
    }
  }
  const text = parts.map(blockText).join("");
  if (text === "" && calls.length === 0) return { items: [], callIds, text };
  const isMarked = parts.some((part) => own(part, "prompt_cache_breakpoint") !== undefined);
  const content = text === "" ? null : isMarked ? parts : text;
  const message = { role: "assistant", content, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  return { items: [message], callIds, text };
}
