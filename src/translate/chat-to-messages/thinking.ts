/** Reasoning parameters of a Chat request as Claude's thinking. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import { parseEffort, planThinking } from "../maps/reasoning.ts";
import { addOutputConfig, field, thinkingType, type Draft, type ParameterRow } from "./draft.ts";

/** The effort asked for, with the path it was asked at; null when none is. */
function askedEffort(draft: Draft): { readonly value: Json; readonly path: string } | null {
  const plain = field(draft, "reasoning_effort");
  if (plain !== null) return { value: plain, path: "reasoning_effort" };
  const nested = own(field(draft, "reasoning"), "effort") ?? null;
  return nested === null ? null : { value: nested, path: "reasoning.effort" };
}

function applyEffort(draft: Draft): void {
  const asked = askedEffort(draft);
  if (asked === null) {
    applyDisplay(draft);
    return;
  }
  const effort = parseEffort(asked.value);
  if (effort === null) {
    throw invalidRequest(`${asked.path} is not known; use none, minimal, low, medium, high, xhigh or max`, asked.path);
  }
  const plan = planThinking(effort, draft.model.capabilities, draft.maxTokens);
  if (plan.dropped) draft.report.drop(asked.path);
  if (plan.adapted !== null) draft.report.adapt(asked.path, plan.adapted);
  if (plan.effort !== null) addOutputConfig(draft, { effort: plan.effort });
  if (plan.thinking === null) return;
  if (draft.forced && own(plan.thinking, "type") === "enabled") {
    // Anthropic answers 400 to a forced tool beside budget thinking; the forced tool is what callers rely on.
    draft.report.adapt(asked.path, "none");
    return;
  }
  draft.body.set("thinking", plan.thinking);
}

/** Callers that only want to see the reasoning get its summary; models that think on a budget need one to be named. */
function applyDisplay(draft: Draft): void {
  const reasoning = field(draft, "reasoning");
  const asksReasoning =
    field(draft, "include_reasoning") === true ||
    (isObject(reasoning) && own(reasoning, "enabled") !== false && own(reasoning, "exclude") !== true);
  const kind = draft.model.capabilities.reasoning;
  if (asksReasoning && (kind === "adaptive" || kind === "adaptive+budget")) {
    draft.body.set("thinking", { type: "adaptive", display: "summarized" });
  }
}

function applyThinking(draft: Draft): void {
  const thinking = field(draft, "thinking");
  if (thinking !== null) draft.body.set("thinking", thinking);
}

function applyOutputConfig(draft: Draft): void {
  const asked = own(draft.source, "output_config");
  if (isObject(asked)) addOutputConfig(draft, asked);
  // `disabled` and `between_tools` are refused at the two highest efforts.
  const effort = own(draft.body.get("output_config"), "effort");
  const type = thinkingType(draft);
  const isOff = type === "disabled" || type === "between_tools";
  if (isOff && (effort === "xhigh" || effort === "max") && field(draft, "thinking") === null) {
    draft.body.delete("thinking");
    draft.report.adapt("reasoning_effort", effort);
  }
}

/** The structured-output format to be sent; null without one. */
export function outputFormat(draft: Draft): JsonObject | null {
  const format = own(draft.body.get("output_config"), "format");
  return isObject(format) ? format : null;
}

/** Rows for reasoning; run after tool choice and response format. */
export const THINKING_ROWS: readonly ParameterRow[] = [
  {
    field: "reasoning_effort",
    reads: ["reasoning_effort", "reasoning", "include_reasoning"],
    outcomes: ["M", "A", "D"],
    becomes:
      "`thinking` and `output_config.effort`, or a thinking budget on models that need one; the summary is asked for; a level the model lacks becomes the next lower one",
    apply: applyEffort,
  },
  {
    field: "thinking",
    reads: ["thinking"],
    outcomes: ["M"],
    becomes: "the same (extension), instead of what the effort gives",
    apply: applyThinking,
  },
  {
    field: "output_config",
    reads: ["output_config"],
    outcomes: ["M"],
    becomes: "the same (extension), merged over derived values",
    apply: applyOutputConfig,
  },
];
