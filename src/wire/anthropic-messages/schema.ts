/**
 * What is read of a Messages request, by facts or by a translator's walk over the messages. A wrong value in any other field
 * is the provider's to refuse, in its own words.
 * @see https://docs.anthropic.com/en/api/messages (read 2026-11-24)
 */
import { Type } from "@sinclair/typebox";
import { createCheck } from "../check.ts";
import { anyObject, flag, modelName, number, optional, text } from "../check-types.ts";

const block = Type.Object({ type: text }, { expected: "an object with a type" });

const content = Type.Union([text, Type.Array(block, { expected: "an array of content blocks" })], {
  expected: "a string or an array of content blocks",
});

const message = Type.Object({ role: text, content }, { expected: "a message object" });

const tool = Type.Object(
  { type: optional(text), name: optional(text), description: optional(text), input_schema: optional(anyObject) },
  { expected: "a tool object" },
);

const countFields = {
  model: modelName,
  messages: Type.Array(message, { expected: "an array of messages" }),
  system: optional(content),
  stream: optional(flag),
  tools: optional(Type.Array(tool, { expected: "an array of tools" })),
  tool_choice: optional(anyObject),
  thinking: optional(anyObject),
  output_config: optional(anyObject),
  metadata: optional(anyObject),
};

/** Top-level fields that facts are read from. */
export const FACT_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "stream",
  "max_tokens",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "cache_control",
]);

/** Throws GatewayError `invalid-request` for a field that is read and cannot be. */
export const checkRequest = createCheck(Type.Object({ ...countFields, max_tokens: number }));

/** The same for `count_tokens`, which has no `max_tokens`. */
export const checkCountRequest = createCheck(Type.Object(countFields));
