/** `tool_choice` and the legacy `function_call` of a Chat request. */
import { isString, own, type Json } from "../../base/json.ts";
import { parseOpenAiChoice, type ToolChoice } from "../maps/tool-choice.ts";
import { PARALLEL_ROW, planChoice } from "../messages-upstream/choice.ts";
import { field, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";

/** The legacy `function_call`: a word, or `{name}`. */
function parseLegacyChoice(value: Json): ToolChoice | null {
  const name = own(value, "name");
  return isString(name) ? { kind: "named", name } : parseOpenAiChoice(value, "function_call");
}

function applyChoice(draft: Draft): void {
  const modern = parseOpenAiChoice(field(draft, "tool_choice"));
  const legacy = modern === null ? parseLegacyChoice(field(draft, "function_call")) : null;
  const hasTools = draft.tools.some((tool) => tool.wireName !== "web_search" || field(draft, "tools") !== null);
  planChoice(draft, modern ?? legacy, modern === null ? "function_call" : "tool_choice", hasTools);
}

/** Rows for tool choice; run after the tools are known. */
export const CHOICE_ROWS: readonly ParameterRow[] = [
  {
    field: "tool_choice, function_call",
    reads: ["tool_choice", "function_call"],
    outcomes: ["M", "A", "R"],
    becomes:
      "`tool_choice`; where the model refuses a forced call, `auto` and an instruction; `allowed_tools` by an instruction or by leaving tools out; refused without tools",
    apply: applyChoice,
  },
  PARALLEL_ROW,
];
