/** Assistant turns as items, in place: reasoning, messages, calls. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { readSignature, renderReasoningItem } from "../maps/reasoning-signature.ts";
import { chatToolId } from "../maps/tool-names.ts";
import { readAssistant } from "../messages-client/assistant.ts";
import { foldBlockPath, type Draft, type Located } from "../messages-client/draft.ts";
import type { AssistantTurn } from "../messages-client/surface.ts";
import type { FieldRow } from "../translator.ts";

export const RESPONSES_ASSISTANT_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content (assistant)",
    outcomes: ["M"],
    becomes: "Message items with an `output_text` for each block, calls and reasoning in their places.",
  },
  {
    field: "messages[].content[].tool_use",
    outcomes: ["M", "A"],
    becomes:
      "A `function_call` item with the input as JSON text; ids over 40 characters are shortened by hash. A call without a result gets the result `no result was provided`.",
  },
  {
    field: "messages[].content[].thinking, redacted_thinking",
    outcomes: ["M", "D"],
    becomes:
      "A `reasoning` item, where the gateway made the block of one of the same model; any other model's thinking is not sent; where the provider cannot open it any more (another organisation's key), the request is sent once more without.",
  },
];

/** The reasoning item for a thinking block; null where it is not this model's. */
function renderThinking({ block }: Located, draft: Draft): JsonObject | null {
  const envelope = readSignature(own(block, "signature"));
  const thinking = own(block, "thinking");
  if (envelope === null) return null;
  return renderReasoningItem(envelope, isString(thinking) ? thinking : "", draft.context.modelId);
}

/** Renders the blocks of one assistant turn. */
export function renderAssistant(blocks: readonly Located[], draft: Draft): AssistantTurn {
  const items: JsonObject[] = [];
  const callIds: string[] = [];
  let parts: Json[] | null = null;
  let text = "";
  for (const piece of readAssistant(blocks, draft)) {
    if (piece.kind === "text") {
      text += piece.text;
      if (parts === null) {
        parts = [];
        items.push({ type: "message", role: "assistant", content: parts });
      }
      parts.push({ type: "output_text", text: piece.text });
      continue;
    }
    parts = null;
    if (piece.kind === "call") {
      callIds.push(piece.id);
      items.push({ type: "function_call", call_id: chatToolId(piece.id), name: piece.name, arguments: piece.input });
    } else {
      const item = renderThinking(piece.located, draft);
      if (item === null) draft.report.drop(foldBlockPath(piece.located));
      else items.push(item);
    }
  }
  return { items: withoutLastReasoning(items), callIds, text };
}

/** Reasoning belongs to what follows it: at the end of a turn it is refused. */
function withoutLastReasoning(items: readonly JsonObject[]): readonly JsonObject[] {
  const last = items.findLastIndex((item) => own(item, "type") !== "reasoning");
  return items.slice(0, last + 1);
}
