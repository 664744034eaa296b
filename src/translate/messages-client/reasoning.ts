/** How much to think, and the sampling parameters that depend on it. */
import { invalidRequest } from "../../base/errors.ts";
import { own, type Json } from "../../base/json.ts";
import type { Effort } from "../../base/names.ts";
import { parseEffort, planEffort, type EffortPlan } from "../maps/reasoning.ts";
import type { Draft } from "./draft.ts";
import type { ParameterRow } from "./parameter-row.ts";

/** How one API is asked for an effort. */
export interface EffortField {
  /** Its name, for users. */
  readonly name: string;
  readonly set: (effort: Effort, draft: Draft) => void;
  /** The effort that is sent; null for the model's own. */
  readonly read: (draft: Draft) => Json | null;
  /** Whether the tools need effort `none`, whatever is asked. */
  readonly isForced: (draft: Draft) => boolean;
}

function applyEffort(plan: EffortPlan, field: EffortField, draft: Draft): void {
  if (plan.effort !== null) field.set(plan.effort, draft);
  if (plan.adapted !== null) draft.report.adapt(plan.adapted.path, plan.adapted.value);
  for (const path of plan.dropped) draft.report.drop(path);
}

function applyOutputEffort(value: Json | undefined, field: EffortField, draft: Draft): void {
  if (value === undefined || field.isForced(draft)) return;
  if (parseEffort(value) === null) {
    throw invalidRequest(
      "output_config.effort is not known; use low, medium, high, xhigh or max",
      "output_config.effort",
    );
  }
  applyEffort(planEffort(undefined, value, draft.capabilities), field, draft);
}

function applyThinking(value: Json | undefined, field: EffortField, draft: Draft): void {
  if (value === undefined) return;
  if (field.isForced(draft)) {
    const type = own(value, "type");
    if (type === "enabled" || type === "adaptive") draft.report.adapt("thinking", "none");
  } else if (parseEffort(own(own(draft.json, "output_config"), "effort")) === null) {
    applyEffort(planEffort(value, undefined, draft.capabilities), field, draft);
  } else if (draft.capabilities.reasoning === "none" && own(value, "type") !== "disabled") {
    draft.report.drop("thinking");
  }
}

function sampling(name: "temperature" | "top_p", field: EffortField): ParameterRow {
  return {
    field: name,
    outcomes: ["M", "D", "S"],
    becomes: "The same; dropped on models that refuse it, where 1, the default, is left out without effect.",
    apply: (value, draft) => {
      if (value === undefined) return;
      const { sampling: taken, defaultEffort } = draft.capabilities;
      // Whether it is taken may depend on the effort that is sent, or the model's own.
      const isTaken = taken === "effort-none" ? (field.read(draft) ?? defaultEffort) === "none" : taken !== "no";
      if (isTaken) draft.body[name] = value;
      else if (value !== 1) draft.report.drop(name);
    },
  };
}

/** Effort before sampling; both after tools, which may force the effort. */
export const reasoningRows = (field: EffortField): readonly ParameterRow[] => [
  {
    field: "output_config.effort",
    outcomes: ["M", "A", "D"],
    becomes: `${field.name}, the nearest lower level the model has; wins over a thinking budget. Dropped on models that do not reason.`,
    apply: (value, draft) => applyOutputEffort(value, field, draft),
  },
  {
    field: "thinking",
    outcomes: ["M", "A", "D"],
    becomes: `${field.name}: disabled and between_tools as \`none\` or the lowest level; a budget under 4096 as \`low\`, 12288 \`medium\`, 24576 \`high\`, above \`xhigh\`; adaptive as nothing. Dropped on models that do not reason.`,
    apply: (value, draft) => applyThinking(value, field, draft),
  },
  sampling("temperature", field),
  sampling("top_p", field),
];
