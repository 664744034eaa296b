/** What a Responses request asks for beyond what the caller did, taken back when the provider refuses just that. */
import { isArray, isObject, own, type JsonObject } from "../base/json.ts";
import type { FieldEdit } from "../wire/splice.ts";
import type { UpstreamError } from "./translator.ts";

/**
 * The edit with which the Responses body `sent` is worth sending once more after `error`; null for any other error.
 *
 * Some organisations may not ask for summaries of the reasoning. Encrypted reasoning cannot be read any more once the key
 * belongs to another organisation: without it the conversation goes on, with it every further turn would fail.
 * @see https://help.openai.com/en/articles/10910291-api-organization-verification (read 2026-11-24)
 * @see https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items (read 2026-11-24)
 */
export function amendResponses(error: UpstreamError, sent: JsonObject): FieldEdit | null {
  if (error.status !== 400) return null;
  const told = own(error.json, "error");
  if (own(told, "param") === "reasoning.summary") return withoutSummary(sent);
  return own(told, "code") === "invalid_encrypted_content" ? withoutReasoning(sent) : null;
}

function withoutSummary(sent: JsonObject): FieldEdit | null {
  const reasoning = own(sent, "reasoning");
  if (!isObject(reasoning) || own(reasoning, "summary") === undefined) return null;
  const { summary: _summary, ...rest } = reasoning;
  return Object.keys(rest).length === 0 ? { field: "reasoning", drop: true } : { field: "reasoning", value: rest };
}

function withoutReasoning(sent: JsonObject): FieldEdit | null {
  const input = own(sent, "input");
  if (!isArray(input)) return null;
  const kept = input.filter((item) => own(item, "type") !== "reasoning");
  return kept.length === input.length ? null : { field: "input", value: kept };
}
