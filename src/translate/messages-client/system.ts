/** Instructions: the `system` parameter and `role: "system"` messages. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import { blockText, foldBlockPath, readBlocks, textPart, type Draft } from "./draft.ts";

export const SYSTEM_ROWS: readonly FieldRow[] = [
  {
    field: "system",
    outcomes: ["M"],
    becomes:
      "The first message, role `developer` for reasoning models, else `system`; blocks become text parts, one each.",
  },
  {
    field: "system[].text",
    outcomes: ["S"],
    becomes:
      "A block that starts with `x-anthropic-billing-header:` is left out: it changes with every request and would spoil the prompt cache.",
  },
  {
    field: "messages[].role = system",
    outcomes: ["M", "D"],
    becomes:
      "A `developer` or `system` message in place; never between a tool call and its result. Blocks other than text (`tool_addition`, `tool_removal`) are dropped.",
  },
];

const BILLING_HEADER = "x-anthropic-billing-header:";

/** Instructions without Claude Code's billing line; null when nothing is left. */
function withoutBilling(text: string): string | null {
  if (!text.startsWith(BILLING_HEADER)) return text;
  const lineEnd = text.indexOf("\n");
  const rest = lineEnd < 0 ? "" : text.slice(lineEnd + 1);
  return rest.trim() === "" ? null : rest;
}

/**
 * The message for instructions; null when there are none.
 * @throws GatewayError `invalid-request` for a wrong shape
 */
export function renderSystem(content: Json | undefined, path: string, draft: Draft): JsonObject | null {
  if (content === undefined || content === null) return null;
  if (isString(content)) {
    const text = withoutBilling(content);
    return text === null || text === "" ? null : draft.surface.system(text, draft);
  }
  const parts: JsonObject[] = [];
  for (const located of readBlocks(content, path)) {
    const { block } = located;
    if (own(block, "type") !== "text") {
      draft.report.drop(foldBlockPath(located));
      continue;
    }
    // The billing line is a block of its own; a block that holds more than the line is instructions too.
    const text = withoutBilling(blockText(block));
    if (text !== null) parts.push(textPart(text, block, draft));
  }
  return parts.length === 0 ? null : draft.surface.system(parts, draft);
}
