/** Temperature and its kin: newer Claude models refuse them, and thinking narrows what is left. */
import { invalidRequest } from "../../base/errors.ts";
import { field, numberField, thinkingType, type Draft, type ParameterRow } from "./draft.ts";

/** Lowest `top_p` that Anthropic takes beside thinking. */
const MIN_TOP_P_WITH_THINKING = 0.95;

function isThinking(draft: Draft): boolean {
  const type = thinkingType(draft);
  return type === "enabled" || type === "adaptive";
}

function refusesSampling(draft: Draft): boolean {
  return draft.model.capabilities.sampling === "no";
}

function applyTemperature(draft: Draft): void {
  const asked = numberField(draft, "temperature");
  if (asked === null) return;
  if (asked < 0) throw invalidRequest("temperature must not be negative", "temperature");
  if (refusesSampling(draft) || isThinking(draft)) {
    if (asked !== 1) draft.report.drop("temperature");
    return;
  }
  const sent = Math.min(asked, 1);
  if (sent !== asked) draft.report.adapt("temperature", String(sent));
  draft.body.temperature = sent;
}

function applyTopP(draft: Draft): void {
  const asked = numberField(draft, "top_p");
  if (asked === null || asked === 1) return;
  if (asked < 0 || asked > 1) throw invalidRequest("top_p must be between 0 and 1", "top_p");
  const isTaken = draft.model.capabilities.sampling !== "both" && draft.body.temperature !== undefined;
  const isNarrowed = isThinking(draft) && asked < MIN_TOP_P_WITH_THINKING;
  if (refusesSampling(draft) || isTaken || isNarrowed) draft.report.drop("top_p");
  else draft.body.top_p = asked;
}

function applyTopK(draft: Draft): void {
  const asked = field(draft, "top_k");
  if (asked === null) return;
  if (refusesSampling(draft) || isThinking(draft)) draft.report.drop("top_k");
  else draft.body.top_k = asked;
}

/** Rows that depend on the thinking decided before them. */
export const SAMPLING_ROWS: readonly ParameterRow[] = [
  {
    field: "temperature",
    reads: ["temperature"],
    outcomes: ["M", "A", "D", "S"],
    becomes: "the same up to 1, above it 1; not sent to models that refuse it or beside thinking (1 has no effect)",
    apply: applyTemperature,
  },
  {
    field: "top_p",
    reads: ["top_p"],
    outcomes: ["M", "D", "S"],
    becomes:
      "the same; not sent beside `temperature`, to models that refuse it, or below 0.95 beside thinking (1 has no effect)",
    apply: applyTopP,
  },
  {
    field: "top_k",
    reads: ["top_k"],
    outcomes: ["M", "D"],
    becomes: "the same; not sent to models that refuse sampling parameters or beside thinking",
    apply: applyTopK,
  },
];
