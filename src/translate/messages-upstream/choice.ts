/** Which tool the model must or may call. */
import { invalidRequest } from "../../base/errors.ts";
import { isString } from "../../base/json.ts";
import { renderAnthropicChoice, type ToolChoice } from "../maps/tool-choice.ts";
import { withItem } from "../small-sets.ts";
import { addHint, field, type Draft, type ParameterRow } from "./draft.ts";

function quoted(names: readonly string[]): string {
  return names.join(", ");
}

function withWireNames(draft: Draft, choice: ToolChoice, path: string): ToolChoice {
  const send = (name: string): string => {
    const wireName = draft.reply.names.send(name);
    if (!draft.toolNames.has(wireName)) {
      throw invalidRequest(`${path} names a tool that is not in tools`, path);
    }
    return wireName;
  };
  switch (choice.kind) {
    case "named":
      return { ...choice, name: send(choice.name) };
    case "allowed":
      return { ...choice, names: choice.names.map(send) };
    default:
      return choice;
  }
}

/** Restricts the tools to a subset: by an instruction where one may stand at the end, else by leaving the others out. */
function restrict(draft: Draft, names: readonly string[]): void {
  draft.report.adapt("tool_choice");
  if (draft.model.capabilities.midConversationSystem) {
    addHint(draft, `Of the tools, call only these: ${quoted(names)}.`);
    return;
  }
  const allowed = new Set<string | null>(names);
  for (const tool of draft.tools.splice(0)) if (allowed.has(tool.wireName)) draft.tools.push(tool);
}

/** Sends a choice that forces a call, or asks for one in words where the model refuses force. */
function force(draft: Draft, choice: ToolChoice): void {
  if (draft.model.capabilities.forcedToolUse) {
    draft.forced = true;
    draft.choice = choice;
    return;
  }
  draft.choice = { kind: "auto" };
  draft.checks = withItem(draft.checks, "tool_call");
  draft.report.adapt("tool_choice", "auto");
  const only = choice.kind === "named" ? choice.name : choice.kind === "allowed" ? choice.names[0] : null;
  const isOne = choice.kind === "named" || (choice.kind === "allowed" && choice.names.length === 1);
  addHint(
    draft,
    isOne && isString(only)
      ? `You must answer with a call to the tool ${only}.`
      : "You must answer with a call to one of the tools.",
  );
}

/**
 * Decides on the caller's `choice`, told at `path`; null: it made none. `hasTools` is false when it sent no tools of its own.
 * @throws GatewayError `invalid-request` for a choice among tools that are not there
 */
export function planChoice(draft: Draft, parsed: ToolChoice | null, path: string, hasTools: boolean): void {
  if (parsed === null) return;
  if (!hasTools) throw invalidRequest(`${path} needs tools; send tools or leave it out`, path);
  const choice = withWireNames(draft, parsed, path);
  switch (choice.kind) {
    case "auto":
      return;
    case "none":
      draft.choice = choice;
      return;
    case "allowed":
      if (!choice.required || choice.names.length > 1) restrict(draft, choice.names);
      if (choice.required) force(draft, choice);
      return;
    case "required":
    case "named":
      force(draft, choice);
      return;
    default:
      choice satisfies never;
  }
}

const AUTO: ToolChoice = { kind: "auto" };

/** Writes `tool_choice`: left out for a plain `auto`, which is the default. */
export function renderChoice(draft: Draft): void {
  const isSingle = draft.singleCall && draft.tools.length > 0;
  const choice = draft.choice ?? AUTO;
  if (choice.kind === "auto" && !isSingle) return;
  draft.body.tool_choice = renderAnthropicChoice(choice, isSingle);
}

/** The row beside that of tool choice. */
export const PARALLEL_ROW: ParameterRow = {
  field: "parallel_tool_calls",
  reads: ["parallel_tool_calls"],
  outcomes: ["M", "S"],
  becomes: "`tool_choice.disable_parallel_tool_use`; no effect without tools",
  apply: (draft) => {
    if (field(draft, "parallel_tool_calls") === false) draft.singleCall = true;
  },
};
