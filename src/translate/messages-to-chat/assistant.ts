/** Assistant turns: text, tool calls, and what ran at the provider as text. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import { isServerCall, isServerResult, renderMarkerText, renderServerToolText } from "../maps/content-text.ts";
import { chatToolId } from "../maps/tool-names.ts";
import type { FieldRow } from "../translator.ts";
import { blockText, foldBlockPath, textPart, type Draft, type Located } from "./draft.ts";

export const ASSISTANT_ROWS: readonly FieldRow[] = [
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
    field: "messages[].content[].server_tool_use, *_tool_result, mcp_tool_use, compaction, fallback",
    outcomes: ["A"],
    becomes: "A line of text, such as `[web_search: query → titles and urls]`; encrypted parts are left out.",
  },
  {
    field: "messages[].content[].thinking, redacted_thinking",
    outcomes: ["D"],
    becomes: "Not sent: another model cannot read it.",
  },
  {
    field: "messages[-1].role = assistant",
    outcomes: ["A"],
    becomes:
      "Kept, with an instruction to go on exactly where it ends; a beginning that repeats it is cut from the answer.",
  },
];

/** An assistant turn, rendered. */
export interface AssistantTurn {
  /** Null when the turn is empty. */
  readonly message: JsonObject | null;
  /** Ids of its calls as the client named them, in order. */
  readonly callIds: readonly string[];
  /** Its text, whole. */
  readonly text: string;
}

/** Renders the blocks of one assistant turn. */
export function renderAssistant(blocks: readonly Located[], draft: Draft): AssistantTurn {
  const parts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const callIds: string[] = [];
  const serverCalls = new Map<string, JsonObject>();
  const summarize = (text: string, located: Located): void => {
    draft.report.adapt(foldBlockPath(located));
    if (text !== "") parts.push(textPart(`\n${text}\n`, located.block, draft));
  };

  for (const located of withoutAnsweredCalls(blocks, serverCalls)) {
    const { block } = located;
    const type = own(block, "type");
    if (type === "text") {
      if (blockText(block) !== "") parts.push(textPart(blockText(block), block, draft));
    } else if (type === "tool_use") {
      const id = idOf(block);
      callIds.push(id);
      calls.push(renderCall(id, block, draft));
    } else if (type === "thinking" || type === "redacted_thinking") {
      draft.report.drop(foldBlockPath(located));
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
  return assemble(parts, calls, callIds);
}

function assemble(
  parts: readonly JsonObject[],
  calls: readonly JsonObject[],
  callIds: readonly string[],
): AssistantTurn {
  const text = parts.map(blockText).join("");
  const isMarked = parts.some((part) => Object.hasOwn(part, "prompt_cache_breakpoint"));
  if (text === "" && calls.length === 0) return { message: null, callIds, text };
  const content = text === "" ? null : isMarked ? parts : text;
  const message = { role: "assistant", content, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  return { message, callIds, text };
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

function renderCall(id: string, block: JsonObject, draft: Draft): JsonObject {
  const name = own(block, "name");
  return {
    id: chatToolId(id),
    type: "function",
    function: {
      name: draft.names.send(isString(name) ? name : ""),
      arguments: JSON.stringify(own(block, "input") ?? {}),
    },
  };
}

/** Asks the model to go on where the last assistant turn ends: Chat has no prefill. */
export function renderContinueHint(role: "developer" | "system"): JsonObject {
  return {
    role,
    content:
      "Your answer has begun: the assistant message above is its beginning. Continue exactly where its text ends. Do not repeat any of it.",
  };
}
