/**
 * What is read of a Chat Completions request, by facts or by a translator's walk over the messages. A wrong value in any
 * other field is the provider's to refuse, in its own words.
 * @see https://platform.openai.com/docs/api-reference/chat/create (read 2026-11-24)
 */
import { Type } from "@sinclair/typebox";
import { createCheck } from "../check.ts";
import { anyObject, flag, modelName, number, optional, text } from "../check-types.ts";

const part = Type.Object({ type: text }, { expected: "an object with a type" });

const content = optional(
  Type.Union([text, Type.Array(part, { expected: "an array of content parts" })]),
  "a string, an array of content parts",
);

const toolCall = Type.Object(
  {
    id: optional(text),
    function: optional(Type.Object({ name: optional(text), arguments: optional(text) }, { expected: "an object" })),
  },
  { expected: "a tool call object" },
);

const message = Type.Object(
  {
    role: text,
    content,
    tool_calls: optional(Type.Array(toolCall, { expected: "an array of tool calls" })),
    tool_call_id: optional(text),
  },
  { expected: "a message object" },
);

const tool = Type.Object(
  { type: optional(text), function: optional(Type.Object({ name: text }, { expected: "an object with a name" })) },
  { expected: "a tool object" },
);

const requestSchema = Type.Object({
  model: modelName,
  messages: Type.Array(message, { expected: "an array of messages" }),
  stream: optional(flag),
  stream_options: optional(anyObject),
  max_tokens: optional(number),
  max_completion_tokens: optional(number),
  n: optional(number),
  tools: optional(Type.Array(tool, { expected: "an array of tools" })),
  tool_choice: optional(Type.Union([text, anyObject]), "a string, an object"),
  functions: optional(Type.Array(anyObject), "an array of functions"),
  response_format: optional(Type.Object({ type: optional(text) }, { expected: "an object with a type" })),
});

/** Top-level fields that facts are read from. */
export const FACT_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "response_format",
  "reasoning_effort",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "store",
]);

/** Throws GatewayError `invalid-request` for a field that is read and cannot be. */
export const checkRequest = createCheck(requestSchema);
