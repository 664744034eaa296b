/** How much to think, in both formats: OpenAI's effort word, Anthropic's `thinking` and `output_config.effort`. */
import { EFFORTS, type Effort } from "../../base/names.ts";
import { own, type Json, type JsonObject } from "../../base/json.ts";
import type { Capabilities } from "../../catalog/model.ts";

/** Thinking to ask a Claude model for. */
export interface ThinkingPlan {
  /** Anthropic's `thinking`; null: send none. */
  readonly thinking: JsonObject | null;
  /** `output_config.effort`; null: send none. */
  readonly effort: Effort | null;
  /** What took the place of the asked effort where that is not honoured; null when it is. */
  readonly adapted: string | null;
  /** The model does not reason: the effort is dropped. */
  readonly dropped: boolean;
}

const NOTHING: ThinkingPlan = { thinking: null, effort: null, adapted: null, dropped: false };
const ADAPTIVE: JsonObject = { type: "adaptive", display: "summarized" };

const BUDGET_TOKENS: Readonly<Record<Exclude<Effort, "none" | "max">, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
};
const MAX_BUDGET_TOKENS = 49_152;
/** Below this output cap a budget would leave no room for the answer. */
const MIN_CAP_FOR_BUDGET_TOKENS = 1_536;
const ANSWER_ROOM_TOKENS = 512;

/** Reads an effort word; null for anything else. */
export function parseEffort(value: Json | undefined): Effort | null {
  return EFFORTS.find((effort) => effort === value) ?? null;
}

/** `effort` if the model takes it, else the nearest lower level, else its lowest; null when it takes none. */
export function nearestEffort(effort: Effort, accepted: readonly Effort[]): Effort | null {
  const wanted = EFFORTS.indexOf(effort);
  let lower: Effort | null = null;
  let lowest: Effort | null = null;
  for (const level of accepted) {
    const rank = EFFORTS.indexOf(level);
    if (lowest === null || rank < EFFORTS.indexOf(lowest)) lowest = level;
    if (rank <= wanted && (lower === null || rank > EFFORTS.indexOf(lower))) lower = level;
  }
  return lower ?? lowest;
}

/** OpenAI's `reasoning_effort` for a Claude model; `maxTokens` is the request's output cap. */
export function planThinking(effort: Effort, capabilities: Capabilities, maxTokens: number): ThinkingPlan {
  switch (capabilities.reasoning) {
    case "none":
    case "effort":
      return { ...NOTHING, dropped: effort !== "none" };
    case "budget":
      return planBudget(effort, maxTokens);
    case "adaptive":
    case "adaptive+budget":
      return planAdaptive(effort, capabilities);
    default:
      return capabilities.reasoning satisfies never;
  }
}

function planAdaptive(effort: Effort, capabilities: Capabilities): ThinkingPlan {
  if (effort === "none") {
    if (capabilities.canDisableThinking) return { ...NOTHING, thinking: { type: "disabled" } };
    if (capabilities.betweenTools) return { ...NOTHING, thinking: { type: "between_tools" } };
    return { ...NOTHING, effort: "low", adapted: "low" };
  }
  const level = nearestEffort(effort === "minimal" ? "low" : effort, capabilities.efforts);
  const adapted = level === effort || level === null ? null : level;
  return { thinking: ADAPTIVE, effort: level, adapted, dropped: false };
}

function planBudget(effort: Effort, maxTokens: number): ThinkingPlan {
  if (effort === "none") return NOTHING;
  if (maxTokens <= MIN_CAP_FOR_BUDGET_TOKENS) return { ...NOTHING, adapted: "none" };
  const wanted = effort === "max" ? Math.min(Math.floor(maxTokens / 2), MAX_BUDGET_TOKENS) : BUDGET_TOKENS[effort];
  const budget_tokens = Math.max(1_024, Math.min(wanted, maxTokens - ANSWER_ROOM_TOKENS));
  return { ...NOTHING, thinking: { type: "enabled", budget_tokens } };
}

/** Effort to ask an OpenAI model for. */
export interface EffortPlan {
  /** `reasoning_effort`; null: send none. */
  readonly effort: Effort | null;
  /** Path of the field honoured differently, and what took its place. */
  readonly adapted: { readonly path: string; readonly value: string } | null;
  /** Paths of fields not honoured: the model does not reason. */
  readonly dropped: readonly string[];
}

/** Anthropic's `thinking` and `output_config.effort` (which wins) for an OpenAI model. */
export function planEffort(
  thinking: Json | undefined,
  outputEffort: Json | undefined,
  capabilities: Capabilities,
): EffortPlan {
  const asked = parseEffort(outputEffort);
  const type = own(thinking, "type");
  if (capabilities.efforts.length === 0) {
    const dropped: string[] = [];
    if (type === "enabled" || type === "adaptive") dropped.push("thinking");
    if (asked !== null) dropped.push("output_config.effort");
    return { effort: null, adapted: null, dropped };
  }
  if (asked !== null) {
    const effort = nearestEffort(asked, capabilities.efforts);
    const adapted = effort === asked || effort === null ? null : { path: "output_config.effort", value: effort };
    return { effort, adapted, dropped: [] };
  }
  const wanted = effortOfThinking(type, own(thinking, "budget_tokens"));
  if (wanted === null) return { effort: null, adapted: null, dropped: [] };
  const effort = nearestEffort(wanted, capabilities.efforts);
  const exact = type !== "enabled" && effort === wanted;
  return {
    effort,
    adapted: exact || effort === null ? null : { path: "thinking", value: effort },
    dropped: [],
  };
}

function effortOfThinking(type: Json | undefined, budget: Json | undefined): Effort | null {
  if (type === "disabled" || type === "between_tools") return "none";
  if (type !== "enabled") return null;
  const tokens = typeof budget === "number" ? budget : 0;
  if (tokens < 4_096) return "low";
  if (tokens < 12_288) return "medium";
  return tokens < 24_576 ? "high" : "xhigh";
}
