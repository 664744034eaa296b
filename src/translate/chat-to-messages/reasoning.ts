/** `reasoning_effort` of a Chat request, and what other gateways taught their callers to send. */
import { isObject, own } from "../../base/json.ts";
import { field, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";
import { applyReasoning } from "../messages-upstream/thinking.ts";

function applyEffort(draft: Draft): void {
  const plain = field(draft, "reasoning_effort");
  const reasoning = field(draft, "reasoning");
  const nested = plain === null ? (own(reasoning, "effort") ?? null) : null;
  const shows =
    field(draft, "include_reasoning") === true ||
    (isObject(reasoning) && own(reasoning, "enabled") !== false && own(reasoning, "exclude") !== true);
  const path = nested === null ? "reasoning_effort" : "reasoning.effort";
  applyReasoning(draft, { effort: plain ?? nested, path, shows });
}

/** The row for reasoning; run after tool choice and response format. */
export const REASONING_ROWS: readonly ParameterRow[] = [
  {
    field: "reasoning_effort",
    reads: ["reasoning_effort", "reasoning", "include_reasoning"],
    outcomes: ["M", "A", "D"],
    becomes:
      "`thinking` and `output_config.effort`, or a thinking budget on models that need one; the summary is asked for; a level the model lacks becomes the next lower one",
    apply: applyEffort,
  },
];
