/** Summaries of OpenAI's reasoning, which some organisations may not ask for. */
import { isObject, own, type JsonObject } from "../base/json.ts";
import type { FieldEdit } from "../wire/splice.ts";
import type { UpstreamError } from "./translator.ts";

/**
 * The edit that takes the wish for a summary out of the Responses body `sent`, when `error` refuses just that; else null.
 * @see https://help.openai.com/en/articles/10910291-api-organization-verification (read 2026-11-24)
 */
export function amendSummary(error: UpstreamError, sent: JsonObject): FieldEdit | null {
  const reasoning = own(sent, "reasoning");
  if (error.status !== 400 || own(reasoning, "summary") === undefined || !isObject(reasoning)) return null;
  if (own(own(error.json, "error"), "param") !== "reasoning.summary") return null;
  const { summary: _summary, ...rest } = reasoning;
  return Object.keys(rest).length === 0 ? { field: "reasoning", drop: true } : { field: "reasoning", value: rest };
}
