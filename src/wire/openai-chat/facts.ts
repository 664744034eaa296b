import { isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { joinLines, list, readEffort, readNumber, readObject, readString, readText } from "../facts.ts";
import type { Facts, ParsedRequest } from "../format.ts";
import { readDataUrl } from "../image-size.ts";
import type { LongTexts } from "../long-text.ts";
import { createFacts } from "../request-facts.ts";
import type { DeclaredTool, LateReaders, Walked } from "../request-facts.ts";
import { createTokenCounter } from "../token-counter.ts";
import type { TokenCounter } from "../token-counter.ts";

/** A request with what is looked up in it more than once. */
interface Source {
  readonly json: JsonObject;
  readonly longTexts: LongTexts | null;
  readonly model: string;
  readonly messages: readonly Json[];
}

function hasMarker(value: Json): boolean {
  return (own(value, "cache_control") ?? own(value, "prompt_cache_breakpoint") ?? null) !== null;
}

function walkPart(part: Json, counter: TokenCounter, seen: Walked): void {
  if (hasMarker(part)) seen.cache = true;
  switch (own(part, "type")) {
    case "image_url": {
      seen.image = true;
      const image = own(part, "image_url");
      const url = isString(image) ? image : readString(own(image, "url"));
      counter.image(url === null ? null : (readDataUrl(url)?.base64 ?? null), own(image, "detail") === "low");
      break;
    }
    case "input_audio":
      seen.audio = true;
      counter.audio(readString(own(own(part, "input_audio"), "data")) ?? "");
      break;
    case "file": {
      const data = readString(own(own(part, "file"), "file_data"));
      const parts = data === null ? null : (readDataUrl(data) ?? { mediaType: "application/pdf", base64: data });
      if (parts?.mediaType.startsWith("image/") === true) {
        seen.image = true;
        counter.image(parts.base64, false);
      } else {
        seen.document = true;
        counter.document(parts?.base64 ?? null, parts?.mediaType ?? "");
      }
      break;
    }
    // Anthropic's blocks, which clients mix in.
    case "image":
      seen.image = true;
      counter.image(readString(own(own(part, "source"), "data")), false);
      break;
    case "document":
      seen.document = true;
      counter.document(
        readString(own(own(part, "source"), "data")),
        readString(own(own(part, "source"), "media_type")) ?? "",
      );
      break;
    case "tool_result":
      walkContent(part, counter, seen);
      break;
    default:
      if (!counter.member(part, "text")) counter.member(part, "refusal");
  }
}

/** The `content` of a message or a part. */
function walkContent(holder: Json, counter: TokenCounter, seen: Walked): void {
  if (counter.member(holder, "content")) return;
  for (const part of list(own(holder, "content"))) walkPart(part, counter, seen);
}

function walkMessage(message: Json, counter: TokenCounter, seen: Walked): void {
  counter.message();
  if (hasMarker(message)) seen.cache = true;
  if (isObject(own(message, "audio"))) seen.audio = true;
  counter.member(message, "name");
  walkContent(message, counter, seen);
  for (const call of list(own(message, "tool_calls"))) walkCall(own(call, "custom") ?? own(call, "function"), counter);
  walkCall(own(message, "function_call"), counter);
}

function walkCall(body: Json | undefined, counter: TokenCounter): void {
  if (!isObject(body)) return;
  counter.call(readString(own(body, "name")) ?? "", body, Object.hasOwn(body, "arguments") ? "arguments" : "input");
}

interface Tool extends DeclaredTool {
  readonly description: string;
}

const NO_TOOLS: readonly Tool[] = [];

function readTools({ json }: Source): readonly Tool[] {
  const tools = list(own(json, "tools"));
  const functions = list(own(json, "functions"));
  if (tools.length + functions.length === 0) return NO_TOOLS;
  return [...tools.map((tool) => own(tool, "function") ?? own(tool, "custom") ?? tool), ...functions].map(readTool);
}

function readTool(body: Json): Tool {
  return {
    name: readString(own(body, "name")) ?? readString(own(body, "type")) ?? "",
    description: readString(own(body, "description")) ?? "",
    schema: readObject(own(body, "parameters") ?? own(body, "input_schema")),
  };
}

function walk({ json, longTexts, model, messages }: Source, tools: readonly Tool[]): Walked {
  const counter = createTokenCounter("openai", model, longTexts);
  const cache = isString(own(json, "prompt_cache_key"));
  const seen: Walked = { tokensInput: 0, image: false, document: false, audio: false, cache };
  for (const message of messages) walkMessage(message, counter, seen);
  for (const tool of list(own(json, "tools"))) if (hasMarker(tool)) seen.cache = true;
  if (hasMarker(json)) seen.cache = true;
  for (const { name, description, schema } of tools) counter.tool(name, description, schema ?? {}, "");
  const jsonSchema = readJsonSchema(json);
  if (jsonSchema !== null) counter.format(jsonSchema);
  seen.tokensInput = counter.total();
  return seen;
}

function readToolChoice(json: JsonObject): Facts["toolChoice"] {
  const choice = own(json, "tool_choice") ?? own(json, "function_call") ?? null;
  switch (choice) {
    case null:
      return null;
    case "auto":
    case "none":
    case "required":
      return choice;
    default:
  }
  if (own(choice, "type") !== "allowed_tools") return isObject(choice) ? "named" : null;
  const mode = own(own(choice, "allowed_tools"), "mode") ?? own(choice, "mode");
  return mode === "required" ? "required" : "auto";
}

function readFormatType(json: JsonObject): Facts["responseFormatType"] {
  const type = own(own(json, "response_format"), "type");
  return type === "json_schema" || type === "json_object" ? type : "text";
}

function readJsonSchema(json: JsonObject): JsonObject | null {
  if (readFormatType(json) !== "json_schema") return null;
  return readObject(own(own(own(json, "response_format"), "json_schema"), "schema"));
}

function readSystemText({ messages }: Source): string {
  return joinLines(messages, readSystemMessage);
}

function readSystemMessage(message: Json): string | null {
  const role = own(message, "role");
  return role === "system" || role === "developer" ? readText(own(message, "content")) : null;
}

function readPromptText({ messages }: Source): string {
  const last = messages.findLast(isUsers);
  return readText(own(last, "content"));
}

function isUsers(message: Json): boolean {
  return own(message, "role") === "user";
}

const READERS: LateReaders<Source, Tool> = {
  tools: readTools,
  walk,
  systemText: readSystemText,
  promptText: readPromptText,
};

/** Facts of a Chat request. */
export function readFacts({ json, longTexts }: ParsedRequest): Facts {
  const model = readString(own(json, "model")) ?? "";
  const messages = list(own(json, "messages"));
  const lastRole = own(messages.at(-1), "role");
  const effort = readEffort(own(json, "reasoning_effort"));
  return createFacts(
    {
      format: "chat",
      model,
      stream: own(json, "stream") === true,
      maxTokens: readNumber(own(json, "max_completion_tokens")) ?? readNumber(own(json, "max_tokens")),
      messages: messages.length,
      inToolLoop: lastRole === "tool" || lastRole === "function",
      toolChoice: readToolChoice(json),
      responseFormatType: readFormatType(json),
      jsonSchema: readJsonSchema(json),
      reasoning: (effort !== null && effort !== "none") || thinks(own(json, "thinking")),
      reasoningEffort: effort,
      user:
        readString(own(json, "safety_identifier")) ??
        readString(own(json, "user")) ??
        readString(own(own(json, "metadata"), "user_id")),
      choices: Math.max(1, readNumber(own(json, "n")) ?? 1),
      replayable: own(json, "store") !== true,
      streamUsage: own(own(json, "stream_options"), "include_usage") === true,
    },
    { json, longTexts, model, messages },
    READERS,
  );
}

/** Anthropic's `thinking`, which is taken from a Chat body too. */
function thinks(thinking: Json | undefined): boolean {
  const type = own(thinking, "type");
  return isString(type) && type !== "disabled";
}
