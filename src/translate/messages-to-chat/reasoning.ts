/** How much to think, and the sampling parameters that depend on it. */
import { invalidRequest } from "../../base/errors.ts";
import { own, type Json } from "../../base/json.ts";
import { parseEffort, planEffort, type EffortPlan } from "../maps/reasoning.ts";
import type { Draft } from "../messages-client/draft.ts";
import type { ParameterRow } from "../messages-client/parameter-row.ts";

function applyEffort(plan: EffortPlan, draft: Draft): void {
  if (plan.effort !== null) draft.body["reasoning_effort"] = plan.effort;
  if (plan.adapted !== null) draft.report.adapt(plan.adapted.path, plan.adapted.value);
  plan.dropped.forEach(draft.report.drop);
}

/** The tools need `reasoning_effort: none`, whatever is asked. */
function isEffortForced(draft: Draft): boolean {
  return draft.body["tools"] !== undefined && draft.capabilities.toolsOnChat === "effort-none";
}

function applyOutputEffort(value: Json | undefined, draft: Draft): void {
  if (value === undefined || isEffortForced(draft)) return;
  if (parseEffort(value) === null) {
    throw invalidRequest(
      "output_config.effort is not known; use low, medium, high, xhigh or max",
      "output_config.effort",
    );
  }
  applyEffort(planEffort(undefined, value, draft.capabilities), draft);
}

function applyThinking(value: Json | undefined, draft: Draft): void {
  if (value === undefined) return;
  if (isEffortForced(draft)) {
    const type = own(value, "type");
    if (type === "enabled" || type === "adaptive") draft.report.adapt("thinking", "none");
  } else if (parseEffort(own(own(draft.json, "output_config"), "effort")) === null) {
    applyEffort(planEffort(value, undefined, draft.capabilities), draft);
  } else if (draft.capabilities.reasoning === "none" && own(value, "type") !== "disabled") {
    draft.report.drop("thinking");
  }
}

/** Whether the model takes sampling parameters with the effort that is sent, or its own default. */
function takesSampling({ capabilities, body }: Draft): boolean {
  if (capabilities.sampling === "no") return false;
  return capabilities.sampling !== "effort-none" || (body["reasoning_effort"] ?? capabilities.defaultEffort) === "none";
}

function sampling(field: "temperature" | "top_p"): ParameterRow {
  return {
    field,
    outcomes: ["M", "D", "S"],
    becomes: "The same; dropped on models that refuse it, where 1, the default, is left out without effect.",
    apply: (value, draft) => {
      if (value === undefined) return;
      if (takesSampling(draft)) draft.body[field] = value;
      else if (value !== 1) draft.report.drop(field);
    },
  };
}

/** Effort before sampling; both after tools, which may force the effort. */
export const REASONING_ROWS: readonly ParameterRow[] = [
  {
    field: "output_config.effort",
    outcomes: ["M", "A", "D"],
    becomes:
      "`reasoning_effort`, the nearest lower level the model has; wins over a thinking budget. Dropped on models that do not reason.",
    apply: applyOutputEffort,
  },
  {
    field: "thinking",
    outcomes: ["M", "A", "D"],
    becomes:
      "`reasoning_effort`: disabled and between_tools as `none` or the lowest level; a budget under 4096 as `low`, 12288 `medium`, 24576 `high`, above `xhigh`; adaptive as nothing. Dropped on models that do not reason.",
    apply: applyThinking,
  },
  sampling("temperature"),
  sampling("top_p"),
];
