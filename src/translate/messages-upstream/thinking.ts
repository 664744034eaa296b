/** Reasoning parameters as Claude's thinking. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, own, type Json, type JsonObject } from "../../base/json.ts";
import { parseEffort, planThinking } from "../maps/reasoning.ts";
import { addOutputConfig, field, thinkingType, type Draft, type ParameterRow } from "./draft.ts";

/** How much reasoning the caller asked for. */
export interface AskedReasoning {
  /** The effort word, unchecked; null when none is asked for. */
  readonly effort: Json;
  /** Where it was asked. */
  readonly path: string;
  /** Without an effort: whether the reasoning is to be shown all the same. */
  readonly shows: boolean;
}

/**
 * Decides on `thinking` and effort; run after tool choice.
 * @throws GatewayError `invalid-request` for an effort that is not known
 */
export function applyReasoning(draft: Draft, { effort: word, path, shows }: AskedReasoning): void {
  if (word === null) {
    if (shows) showReasoning(draft);
    return;
  }
  const effort = parseEffort(word);
  if (effort === null) {
    throw invalidRequest(`${path} is not known; use none, minimal, low, medium, high, xhigh or max`, path);
  }
  const plan = planThinking(effort, draft.model.capabilities, draft.maxTokens);
  if (plan.dropped) draft.report.drop(path);
  if (plan.adapted !== null) draft.report.adapt(path, plan.adapted);
  if (plan.effort !== null) addOutputConfig(draft, { effort: plan.effort });
  if (plan.thinking === null) return;
  if (draft.forced && own(plan.thinking, "type") === "enabled") {
    // Anthropic answers 400 to a forced tool beside budget thinking; the forced tool is what callers rely on.
    draft.report.adapt(path, "none");
    return;
  }
  draft.body.thinking = plan.thinking;
}

/** Callers that only want to see the reasoning get its summary; models that think on a budget need one to be named. */
function showReasoning(draft: Draft): void {
  const kind = draft.model.capabilities.reasoning;
  if (kind === "adaptive" || kind === "adaptive+budget") {
    draft.body.thinking = { type: "adaptive", display: "summarized" };
  }
}

function applyThinking(draft: Draft): void {
  const thinking = field(draft, "thinking");
  if (thinking !== null) draft.body.thinking = thinking;
}

function applyOutputConfig(draft: Draft): void {
  const asked = own(draft.source, "output_config");
  if (isObject(asked)) addOutputConfig(draft, asked);
  // `disabled` and `between_tools` are refused at the two highest efforts.
  const effort = own(draft.body.output_config, "effort");
  const type = thinkingType(draft);
  const isOff = type === "disabled" || type === "between_tools";
  if (isOff && (effort === "xhigh" || effort === "max") && field(draft, "thinking") === null) {
    draft.body.thinking = undefined;
    draft.report.adapt(draft.fields.effort, effort);
  }
}

/** The structured-output format to be sent; null without one. */
export function outputFormat(draft: Draft): JsonObject | null {
  const format = own(draft.body.output_config, "format");
  return isObject(format) ? format : null;
}

/** Rows for Anthropic's own parameters of reasoning; run after the client's. */
export const THINKING_ROWS: readonly ParameterRow[] = [
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
