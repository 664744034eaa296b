/**
 * What is read of a Responses request. A wrong value in any other field is the provider's to refuse, in its own words.
 * @see https://platform.openai.com/docs/api-reference/responses/create (read 2026-11-24)
 */
import { Type } from "@sinclair/typebox";
import { createCheck } from "../check.ts";
import { anyObject, flag, modelName, number, optional, text } from "../check-types.ts";
import { own } from "../../base/json.ts";
import type { JsonObject } from "../../base/json.ts";

const item = Type.Object({ type: optional(text), role: optional(text) }, { expected: "an input item object" });

const fields = {
  input: optional(
    Type.Union([text, Type.Array(item, { expected: "an array of input items" })]),
    "a string, an array of input items",
  ),
  instructions: optional(Type.Union([text, Type.Array(item)]), "a string, an array of input items"),
  stream: optional(flag),
  max_output_tokens: optional(number),
  tools: optional(Type.Array(anyObject, { expected: "an array of tools" })),
  tool_choice: optional(Type.Union([text, anyObject]), "a string, an object"),
  text: optional(anyObject),
  reasoning: optional(anyObject),
  prompt: optional(anyObject),
};

const checkNamed = createCheck(Type.Object({ ...fields, model: modelName }));
/** A stored prompt brings its own model. */
const checkPrompted = createCheck(Type.Object({ ...fields, model: optional(modelName) }));

/** Top-level fields that facts are read from. */
export const FACT_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "stream",
  "max_output_tokens",
  "tools",
  "tool_choice",
  "text",
  "reasoning",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "store",
  "background",
]);

/** Throws GatewayError `invalid-request` for a field that is read and cannot be. */
export function checkRequest(json: JsonObject): void {
  if ((own(json, "prompt") ?? null) === null) checkNamed(json);
  else checkPrompted(json);
}
