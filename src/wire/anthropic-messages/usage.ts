import { isObject, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { readNumber } from "../facts.ts";

/**
 * Messages' usage in the common shape; null when there is none. `input_tokens` excludes the cache, `output_tokens` includes
 * thinking.
 * @see https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching (read 2026-11-24)
 */
export function readUsage(value: Json | undefined): Usage | null {
  if (!isObject(value)) return null;
  const input = readNumber(own(value, "input_tokens"));
  const output = readNumber(own(value, "output_tokens"));
  if (input === null && output === null) return null;
  const creation = own(value, "cache_creation");
  const long = readNumber(own(creation, "ephemeral_1h_input_tokens")) ?? 0;
  const short = readNumber(own(creation, "ephemeral_5m_input_tokens")) ?? 0;
  const written = readNumber(own(value, "cache_creation_input_tokens")) ?? long + short;
  const cacheWriteLong = Math.min(long, written);
  return {
    input: input ?? 0,
    cacheRead: readNumber(own(value, "cache_read_input_tokens")) ?? 0,
    cacheWrite: written - cacheWriteLong,
    cacheWriteLong,
    output: output ?? 0,
    reasoning: readNumber(own(own(value, "output_tokens_details"), "thinking_tokens")) ?? 0,
    source: "reported",
  };
}

/**
 * Usage after another event reported some: its counters are totals, so present ones replace and absent or null ones keep.
 * @see https://docs.anthropic.com/en/docs/build-with-claude/streaming (read 2026-11-24)
 */
export function mergeUsage(before: JsonObject | null, next: Json | undefined): JsonObject | null {
  if (!isObject(next)) return before;
  if (before === null) return next;
  const merged = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(next)) if (value !== null) merged.set(name, value);
  return Object.fromEntries(merged);
}
