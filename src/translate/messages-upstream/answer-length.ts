/** How long an answer may and should be. */
import { invalidRequest } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { numberField, type Draft } from "./draft.ts";

/** Sent when neither the caller nor the catalog says how long an answer may be. */
const UNKNOWN_MAX_OUTPUT_TOKENS = 64_000;

/**
 * Decides `max_tokens` by the caller's field `name`.
 * @throws GatewayError `invalid-request` for anything but a whole number above 0
 */
export function applyOutputCap(draft: Draft, name: string): void {
  const asked = numberField(draft, name);
  const limit = draft.model.maxOutputTokens ?? UNKNOWN_MAX_OUTPUT_TOKENS;
  if (asked === null) {
    draft.maxTokens = Math.min(limit, draft.options.defaultMaxTokens ?? limit);
  } else if (asked <= 0 || !Number.isInteger(asked)) {
    throw invalidRequest(`${name} must be a whole number above 0`, name);
  } else if (draft.model.maxOutputTokens !== null && asked > limit) {
    draft.maxTokens = limit;
    draft.report.adapt(name, String(limit));
  } else {
    draft.maxTokens = asked;
  }
  draft.body.max_tokens = draft.maxTokens;
}

/** Asks in words for a longer or shorter answer, which Claude has no parameter for. */
export function applyVerbosity(draft: Draft, value: Json | undefined, path: string): void {
  if (value !== "low" && value !== "high") return;
  draft.verbosity = value === "low" ? "Answer briefly." : "Answer in detail.";
  draft.report.adapt(path);
}
