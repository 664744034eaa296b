/**
 * Token counts, both ways. OpenAI's `prompt_tokens` includes cache reads and writes, Anthropic's `input_tokens`
 * excludes both; output counts include reasoning on either side.
 */
import { own, type Json, type JsonObject, type MutableJsonObject } from "../../base/json.ts";
import { totalInput, type Usage } from "../../base/usage.ts";

function count(value: Json | undefined): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

interface ChatCounts {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
  readonly written: number;
  readonly reasoning: number;
}

function chatUsage(counts: ChatCounts): MutableJsonObject {
  return {
    prompt_tokens: counts.prompt,
    completion_tokens: counts.completion,
    total_tokens: counts.prompt + counts.completion,
    prompt_tokens_details: { cached_tokens: counts.cached, cache_write_tokens: counts.written },
    completion_tokens_details: { reasoning_tokens: counts.reasoning },
  };
}

function countsOfMessages(usage: JsonObject): ChatCounts {
  const cached = count(own(usage, "cache_read_input_tokens"));
  const written = count(own(usage, "cache_creation_input_tokens"));
  return {
    prompt: count(own(usage, "input_tokens")) + cached + written,
    completion: count(own(usage, "output_tokens")),
    cached,
    written,
    reasoning: count(own(own(usage, "output_tokens_details"), "thinking_tokens")),
  };
}

function countsOf(usage: Usage): ChatCounts {
  return {
    prompt: totalInput(usage),
    completion: usage.output,
    cached: usage.cacheRead,
    written: usage.cacheWrite + usage.cacheWriteLong,
    reasoning: usage.reasoning,
  };
}

/**
 * Anthropic `usage` as OpenAI `usage`. `cache_creation` and `server_tool_use` are copied as extensions.
 * @see https://docs.anthropic.com/en/api/messages#response-usage (read 2026-11-24)
 */
export function chatUsageFromMessages(usage: JsonObject): JsonObject {
  const json = chatUsage(countsOfMessages(usage));
  const creation = own(usage, "cache_creation") ?? null;
  const toolUse = own(usage, "server_tool_use") ?? null;
  if (creation !== null) json["cache_creation"] = creation;
  if (toolUse !== null) json["server_tool_use"] = toolUse;
  return json as JsonObject;
}

/** The neutral usage as OpenAI `usage`. */
export function renderChatUsage(usage: Usage): JsonObject {
  return chatUsage(countsOf(usage)) as JsonObject;
}

function responsesUsage(counts: ChatCounts): JsonObject {
  return {
    input_tokens: counts.prompt,
    input_tokens_details: { cached_tokens: counts.cached, cache_write_tokens: counts.written },
    output_tokens: counts.completion,
    output_tokens_details: { reasoning_tokens: counts.reasoning },
    total_tokens: counts.prompt + counts.completion,
  };
}

/**
 * Anthropic `usage` in the names of Responses.
 * @see https://platform.openai.com/docs/api-reference/responses/object#responses-object-usage (read 2026-11-24)
 */
export function responsesUsageFromMessages(usage: JsonObject): JsonObject {
  return responsesUsage(countsOfMessages(usage));
}

/** The neutral usage in the names of Responses. */
export function renderResponsesUsage(usage: Usage): JsonObject {
  return responsesUsage(countsOf(usage));
}

function messagesUsage(input: number, written: number, cached: number, output: number, thinking: number): JsonObject {
  return {
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: output,
    output_tokens_details: { thinking_tokens: thinking },
  };
}

/**
 * OpenAI `usage` (Chat, or Responses with its `input_tokens` names) as Anthropic `usage`. Cache counters are 0, never
 * null: clients add them.
 * @see https://platform.openai.com/docs/api-reference/chat/object#chat-object-usage (read 2026-11-24)
 */
export function messagesUsageFromChat(usage: JsonObject): JsonObject {
  const inputDetails = own(usage, "prompt_tokens_details") ?? own(usage, "input_tokens_details");
  const outputDetails = own(usage, "completion_tokens_details") ?? own(usage, "output_tokens_details");
  const prompt = count(own(usage, "prompt_tokens") ?? own(usage, "input_tokens"));
  const cached = count(own(inputDetails, "cached_tokens"));
  const written = count(own(inputDetails, "cache_write_tokens"));
  return messagesUsage(
    Math.max(0, prompt - cached - written),
    written,
    cached,
    count(own(usage, "completion_tokens") ?? own(usage, "output_tokens")),
    count(own(outputDetails, "reasoning_tokens")),
  );
}

/** The neutral usage as Anthropic `usage`. */
export function renderMessagesUsage(usage: Usage): JsonObject {
  return messagesUsage(
    usage.input,
    usage.cacheWrite + usage.cacheWriteLong,
    usage.cacheRead,
    usage.output,
    usage.reasoning,
  );
}
