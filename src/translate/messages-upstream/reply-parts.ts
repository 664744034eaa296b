/** What the answers of every client of this upstream have in common. */
import { isArray, isObject, isString, own, parseLossless, type Json, type JsonObject } from "../../base/json.ts";
import type { ReplyPlan } from "./draft.ts";

/** Times that a paused answer is sent back to go on. */
export const MAX_CONTINUATIONS = 8;

const REFUSAL_TEXT = "The model declined to answer this request.";

/** Text of `refusal` for an answer that Claude broke off; null for every other one. */
export function refusalText(stopReason: Json | undefined, stopDetails: Json | undefined): string | null {
  if (stopReason !== "refusal") return null;
  const explanation = own(stopDetails, "explanation");
  return isString(explanation) && explanation !== "" ? explanation : REFUSAL_TEXT;
}

/** The argument that was wrapped in `value` (see tools.ts), as JSON text; the text itself when it has another shape. */
export function unwrapArguments(text: string): string {
  if (text === "") return "{}";
  try {
    const value = own(parseLossless(text), "value");
    return value === undefined ? text : JSON.stringify(value);
  } catch {
    return text;
  }
}

/** The free text of a custom tool's call from the JSON text of its input. */
export function customInput(text: string): string {
  if (text === "") return "";
  try {
    const input = own(JSON.parse(text) as Json, "input");
    return isString(input) ? input : text;
  } catch {
    return text;
  }
}

/** Sum of two Anthropic usages, field by field; what is no number is taken from the later one. */
export function addUsages(first: JsonObject, second: JsonObject): JsonObject {
  const sum: Record<string, Json> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = own(first, key);
    if (typeof value === "number" && typeof before === "number") sum[key] = before + value;
    else if (isPlain(value) && isPlain(before)) sum[key] = addUsages(before, value);
    else if (value !== null || before === undefined) sum[key] = value;
  }
  return sum;
}

function isPlain(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isArray(value);
}

/** Content blocks of an answer. */
export function contentOf(reply: JsonObject): readonly JsonObject[] {
  const content = own(reply, "content");
  if (!isArray(content)) return [];
  return content.every(isObject) ? content : content.filter(isObject);
}

/** Content blocks of an answer and of the `earlier` ones that it goes on from. */
export function joinContent(reply: JsonObject, earlier: readonly JsonObject[]): readonly JsonObject[] {
  return earlier.length === 0 ? contentOf(reply) : [...earlier, reply].flatMap(contentOf);
}

function withUsage(sum: JsonObject | null, reply: JsonObject): JsonObject | null {
  const usage = own(reply, "usage");
  if (!isObject(usage)) return sum;
  return sum === null ? usage : addUsages(sum, usage);
}

/** Usage of them all; null when none told any. */
export function joinUsage(reply: JsonObject, earlier: readonly JsonObject[]): JsonObject | null {
  let sum: JsonObject | null = null;
  for (const part of earlier) sum = withUsage(sum, part);
  return withUsage(sum, reply);
}

/** Keeps an answer's thinking for the tool calls in it, so that a client may lose it. */
export function rememberThinking(plan: ReplyPlan, callIds: readonly string[], blocks: readonly JsonObject[]): void {
  if (plan.thinkingStore === null || blocks.length === 0) return;
  for (const id of callIds) plan.thinkingStore.put(id, blocks);
}

/** OpenAI's `service_tier` for Anthropic's; null where it has none. */
export function serviceTier(tier: Json | undefined): string | null {
  if (tier === "standard") return "default";
  return tier === "priority" ? tier : null;
}
