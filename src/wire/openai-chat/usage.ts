import { isObject, own } from "../../base/json.ts";
import type { Json } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { readNumber } from "../facts.ts";

/**
 * Chat's usage in the common shape; null when there is none. `prompt_tokens` contains what the cache gave and took,
 * `completion_tokens` the reasoning.
 * @see https://platform.openai.com/docs/api-reference/chat/object (read 2026-11-24)
 */
export function readUsage(value: Json | undefined): Usage | null {
  if (!isObject(value)) return null;
  const prompt = readNumber(own(value, "prompt_tokens"));
  const output = readNumber(own(value, "completion_tokens"));
  if (prompt === null && output === null) return null;
  const details = own(value, "prompt_tokens_details");
  const cacheRead = readNumber(own(details, "cached_tokens")) ?? 0;
  const cacheWrite = readNumber(own(details, "cache_write_tokens")) ?? 0;
  return {
    input: Math.max(0, (prompt ?? 0) - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    cacheWriteLong: 0,
    output: output ?? 0,
    reasoning: readNumber(own(own(value, "completion_tokens_details"), "reasoning_tokens")) ?? 0,
    source: "reported",
  };
}
