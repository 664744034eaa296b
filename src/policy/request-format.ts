/** Which wire format a bare request body is in, for commands and tests that have no route to tell it. */
import { isArray, isObject, own } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";

/** Top-level fields that only Anthropic Messages has. */
const MESSAGES_FIELDS = [
  "system",
  "thinking",
  "output_config",
  "output_format",
  "top_k",
  "stop_sequences",
  "mcp_servers",
];
/** Content parts that only Anthropic Messages has. */
const MESSAGES_PARTS = ["tool_use", "tool_result", "image", "document", "thinking", "redacted_thinking"];

function hasMessagesPart(message: Json): boolean {
  const content = own(message, "content");
  return isArray(content) && content.some((part) => MESSAGES_PARTS.some((type) => own(part, "type") === type));
}

/** The format that `body` looks like; a body that fits both Chat and Messages is Messages for a Claude model. */
export function guessFormat(body: JsonObject): FormatName {
  if (Object.hasOwn(body, "input") && !Object.hasOwn(body, "messages")) return "responses";
  if (MESSAGES_FIELDS.some((field) => Object.hasOwn(body, field))) return "messages";
  const tools = own(body, "tools");
  if (isArray(tools) && tools.some((tool) => isObject(tool) && Object.hasOwn(tool, "input_schema"))) return "messages";
  const messages = own(body, "messages");
  if (isArray(messages) && messages.some(hasMessagesPart)) return "messages";
  const model = own(body, "model");
  const claude = typeof model === "string" && model.startsWith("claude");
  const system = isArray(messages) && messages.some((message) => own(message, "role") === "system");
  return claude && Object.hasOwn(body, "max_tokens") && !system ? "messages" : "chat";
}
