import { isObject, own } from "../../base/json.ts";
import type { Json } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { readNumber } from "../facts.ts";

/**
 * Responses' usage in the common shape; null when there is none. `input_tokens` contains what the cache gave and took.
 * @see https://platform.openai.com/docs/api-reference/responses/object (read 2026-11-24)
 */
export function readUsage(value: Json | undefined): Usage | null {
  if (!isObject(value)) return null;
  const input = readNumber(own(value, "input_tokens"));
  const output = readNumber(own(value, "output_tokens"));
  if (input === null && output === null) return null;
  const details = own(value, "input_tokens_details");
  const cacheRead = readNumber(own(details, "cached_tokens")) ?? 0;
  const cacheWrite = readNumber(own(details, "cache_write_tokens")) ?? 0;
  return {
    input: Math.max(0, (input ?? 0) - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    cacheWriteLong: 0,
    output: output ?? 0,
    reasoning: readNumber(own(own(value, "output_tokens_details"), "reasoning_tokens")) ?? 0,
    source: "reported",
  };
}
