/** Assistant turns, read: text, calls, thinking, and what ran at the provider as text. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import { isServerCall, isServerResult, renderMarkerText, renderServerToolText } from "../maps/content-text.ts";
import type { FieldRow } from "../translator.ts";
import { blockText, foldBlockPath, type Draft, type Located } from "./draft.ts";

/** What holds on either API; the rest is in the rows of its surface. */
export const ASSISTANT_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content[].server_tool_use, *_tool_result, mcp_tool_use, compaction, fallback",
    outcomes: ["A"],
    becomes: "A line of text, such as `[web_search: query → titles and urls]`; encrypted parts are left out.",
  },
  {
    field: "messages[-1].role = assistant",
    outcomes: ["A"],
    becomes:
      "Kept, with an instruction to go on exactly where it ends; a beginning that repeats it is cut from the answer.",
  },
];

/** A piece of an assistant turn; blocks that say nothing are left out. */
export type AssistantPiece =
  | { readonly kind: "text"; readonly text: string; readonly block: JsonObject }
  | { readonly kind: "call"; readonly id: string; readonly name: string; readonly input: string }
  | { readonly kind: "thinking"; readonly located: Located };

/** Reads the blocks of one assistant turn, in order. */
export function readAssistant(blocks: readonly Located[], draft: Draft): readonly AssistantPiece[] {
  const pieces: AssistantPiece[] = [];
  const serverCalls = new Map<string, JsonObject>();
  const summarize = (text: string, located: Located): void => {
    draft.report.adapt(foldBlockPath(located));
    if (text !== "") pieces.push({ kind: "text", text: `\n${text}\n`, block: located.block });
  };

  for (const located of withoutAnsweredCalls(blocks, serverCalls)) {
    const { block } = located;
    const type = own(block, "type");
    if (type === "text") {
      if (blockText(block) !== "") pieces.push({ kind: "text", text: blockText(block), block });
    } else if (type === "tool_use") {
      const name = own(block, "name");
      pieces.push({
        kind: "call",
        id: idOf(block),
        name: draft.names.send(isString(name) ? name : ""),
        input: JSON.stringify(own(block, "input") ?? {}),
      });
    } else if (type === "thinking" || type === "redacted_thinking") {
      pieces.push({ kind: "thinking", located });
    } else if (isServerCall(block)) {
      summarize(renderServerToolText(block, null), located);
    } else if (isServerResult(block)) {
      const answered = own(block, "tool_use_id");
      summarize(renderServerToolText(serverCalls.get(isString(answered) ? answered : "") ?? null, block), located);
    } else {
      const marker = renderMarkerText(block);
      if (marker === null) draft.report.drop(foldBlockPath(located));
      else summarize(marker, located);
    }
  }
  return pieces;
}

function idOf(block: JsonObject): string {
  const id = own(block, "id");
  return isString(id) ? id : "";
}

/** Leaves out server calls whose result follows in the turn (kept in `calls`): both are told in one line. */
function withoutAnsweredCalls(blocks: readonly Located[], calls: Map<string, JsonObject>): readonly Located[] {
  const answered = new Set(
    blocks.filter(({ block }) => isServerResult(block)).map(({ block }) => own(block, "tool_use_id")),
  );
  return blocks.filter(({ block }) => {
    if (!isServerCall(block) || !answered.has(idOf(block))) return true;
    calls.set(idOf(block), block);
    return false;
  });
}

/** Asks the model to go on where the last assistant turn ends: OpenAI has no prefill. */
export const CONTINUE_HINT =
  "Your answer has begun: the assistant message above is its beginning. Continue exactly where its text ends. Do not repeat any of it.";
