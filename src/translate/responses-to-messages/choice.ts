/** `tool_choice` of a Responses request. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json } from "../../base/json.ts";
import { parseOpenAiChoice, type ToolChoice } from "../maps/tool-choice.ts";
import { PARALLEL_ROW, planChoice } from "../messages-upstream/choice.ts";
import { field, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";
import { flatName } from "./reply-plan.ts";

/** A choice with the names of namespaces flattened, and without entries for what was left out. */
function flatten(choice: Json): Json {
  if (!isObject(choice)) return choice;
  const namespace = own(choice, "namespace");
  const name = own(choice, "name");
  if (isString(namespace) && isString(name)) return { ...choice, name: flatName(namespace, name) };
  const tools = own(choice, "tools");
  return isArray(tools) ? { ...choice, tools: tools.map(flatten) } : choice;
}

/** Choices of a kind of tool instead of a name: only the search has a counterpart. */
function parseChoice(draft: Draft, choice: Json): ToolChoice | null {
  const type = own(choice, "type");
  if (!isString(type) || type === "function" || type === "custom" || type === "allowed_tools") {
    return parseOpenAiChoice(flatten(choice));
  }
  if (type.startsWith("web_search") && draft.toolNames.has("web_search")) return { kind: "named", name: "web_search" };
  throw unsupported("tool_choice", `no tool of the type ${type.slice(0, 64)} was sent to this model; choose another`);
}

function applyChoice(draft: Draft): void {
  const choice = parseChoice(draft, field(draft, "tool_choice"));
  const hasTools = draft.tools.length > 0;
  // Without a tool left, to allow or forbid calls says nothing, and clients always say it.
  const isIdle = !hasTools && (choice?.kind === "auto" || choice?.kind === "none");
  if (!hasTools && !isIdle && choice !== null && field(draft, "tools") !== null) {
    throw unsupported(
      "tool_choice",
      "every tool of this request runs at OpenAI and not for this model; choose another",
    );
  }
  planChoice(draft, isIdle ? null : choice, "tool_choice", hasTools);
}

/** Rows for tool choice; run after the tools are known. */
export const CHOICE_ROWS: readonly ParameterRow[] = [
  {
    field: "tool_choice",
    reads: ["tool_choice"],
    outcomes: ["M", "A", "R"],
    becomes:
      "`tool_choice`; where the model refuses a forced call, `auto` and an instruction; `allowed_tools` by an instruction or by leaving tools out; refused for a tool that was left out",
    apply: applyChoice,
  },
  PARALLEL_ROW,
];
