/** Calls and service tiers of whole answers. */
import { isObject, parseLossless, type Json, type JsonObject } from "../../base/json.ts";

/** A `tool_use` block, and whether its arguments were a JSON object. */
export interface ToolUse {
  readonly block: JsonObject;
  readonly isValid: boolean;
}

/** The `tool_use` block of a call; arguments that are no JSON object are kept as text: a cut call must not look executable. */
export function renderToolUse(id: string, name: string, argumentsText: string): ToolUse {
  const input = parseArguments(argumentsText);
  const block: JsonObject = { type: "tool_use", id, name, input: input ?? { _raw_arguments: argumentsText } };
  return { block, isValid: input !== null };
}

/** The `input` of a call; null when the arguments are not a JSON object. */
function parseArguments(text: string): JsonObject | null {
  if (text.trim() === "") return {};
  try {
    const value = parseLossless(text);
    if (value === null) return {};
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const SERVICE_TIERS: ReadonlyMap<Json | undefined, string> = new Map([
  ["default", "standard"],
  ["priority", "priority"],
  ["fast", "priority"],
]);

/** Anthropic's word for OpenAI's `service_tier`; null for one that it has none for. */
export function anthropicServiceTier(tier: Json | undefined): string | null {
  return SERVICE_TIERS.get(tier) ?? null;
}
