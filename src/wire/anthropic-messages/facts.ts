import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { list, readEffort, readNumber, readObject, readString, readText } from "../facts.ts";
import type { Facts, ParsedRequest } from "../format.ts";
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
  return isObject(own(value, "cache_control"));
}

function base64Of(block: Json): string | null {
  const source = own(block, "source");
  return own(source, "type") === "base64" ? readString(own(source, "data")) : null;
}

function walkDocument(block: Json, counter: TokenCounter, seen: Walked): void {
  seen.document = true;
  const source = own(block, "source");
  switch (own(source, "type")) {
    case "text":
      counter.member(source, "data");
      break;
    case "content":
      walkContent(source, "content", counter, seen);
      break;
    default:
      counter.document(base64Of(block), readString(own(source, "media_type")) ?? "");
  }
  counter.member(block, "title");
  counter.member(block, "context");
}

function walkBlock(block: Json, counter: TokenCounter, seen: Walked): void {
  if (hasMarker(block)) seen.cache = true;
  switch (own(block, "type")) {
    case "text":
      counter.member(block, "text");
      break;
    case "image":
      seen.image = true;
      counter.image(base64Of(block), false);
      break;
    case "document":
      walkDocument(block, counter, seen);
      break;
    case "thinking":
      counter.member(block, "thinking");
      break;
    case "redacted_thinking":
      break;
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      counter.call(readString(own(block, "name")) ?? "", block, "input");
      break;
    default:
      // Tool results of every kind, search results.
      walkContent(block, "content", counter, seen);
  }
}

/** A text, a block or blocks: the member `key` of `holder`. */
function walkContent(holder: Json | undefined, key: string, counter: TokenCounter, seen: Walked): void {
  if (counter.member(holder, key)) return;
  const content = own(holder, key);
  if (isArray(content)) for (const block of content) walkBlock(block, counter, seen);
  else if (isObject(content)) walkBlock(content, counter, seen);
}

/** `output_config.format`, or its older place. */
function readFormat(json: JsonObject): Json | undefined {
  return own(own(json, "output_config"), "format") ?? own(json, "output_format");
}

function walk({ json, longTexts, model, messages }: Source): Walked {
  const counter = createTokenCounter("anthropic", model, longTexts);
  const seen: Walked = { tokensInput: 0, image: false, document: false, audio: false, cache: hasMarker(json) };
  walkContent(json, "system", counter, seen);
  for (const message of messages) {
    counter.message();
    walkContent(message, "content", counter, seen);
  }
  for (const tool of list(own(json, "tools"))) {
    if (hasMarker(tool)) seen.cache = true;
    counter.tool(
      readString(own(tool, "name")) ?? "",
      readString(own(tool, "description")) ?? "",
      own(tool, "input_schema") ?? {},
      readString(own(tool, "type")) ?? "",
    );
  }
  const format = readFormat(json);
  if (isObject(format)) counter.format(own(format, "schema") ?? {});
  if (own(own(json, "thinking"), "type") === "enabled") counter.thinking();
  seen.tokensInput = counter.total();
  return seen;
}

function readToolChoice(json: JsonObject): Facts["toolChoice"] {
  switch (own(own(json, "tool_choice"), "type")) {
    case "auto":
      return "auto";
    case "none":
      return "none";
    case "any":
      return "required";
    case "tool":
      return "named";
    default:
      return null;
  }
}

function thinks(thinking: Json | undefined): boolean {
  const type = own(thinking, "type");
  return isString(type) && type !== "disabled";
}

function isToolResult(block: Json): boolean {
  const type = own(block, "type");
  return isString(type) && (type === "tool_result" || type.endsWith("_tool_result"));
}

/** Text that the user wrote last: the last user message that holds any, so that tool results do not hide it. */
function readPromptText({ messages }: Source): string {
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (own(message, "role") !== "user") continue;
    const text = readText(own(message, "content"));
    if (text !== "") return text;
  }
  return "";
}

function readSystemText({ json, messages }: Source): string {
  let all = readText(own(json, "system"));
  for (const each of messages) {
    const text = own(each, "role") === "system" ? readText(own(each, "content")) : "";
    if (text !== "") all = all === "" ? text : `${all}\n${text}`;
  }
  return all;
}

/** A tool that the provider defines goes by its type. */
function readTools({ json }: Source): readonly DeclaredTool[] {
  return list(own(json, "tools")).map(readTool);
}

function readTool(tool: Json): DeclaredTool {
  return {
    name: readString(own(tool, "name")) ?? readString(own(tool, "type")) ?? "",
    schema: readObject(own(tool, "input_schema")),
  };
}

const READERS: LateReaders<Source, DeclaredTool> = {
  tools: readTools,
  walk,
  systemText: readSystemText,
  promptText: readPromptText,
};

/** Facts of a Messages request. */
export function readFacts({ json, longTexts }: ParsedRequest): Facts {
  const model = readString(own(json, "model")) ?? "";
  const messages = list(own(json, "messages"));
  const last = messages.at(-1);
  const format = readFormat(json);
  const isSchema = own(format, "type") === "json_schema";
  return createFacts(
    {
      format: "messages",
      model,
      stream: own(json, "stream") === true,
      maxTokens: readNumber(own(json, "max_tokens")),
      messages: messages.length,
      toolChoice: readToolChoice(json),
      inToolLoop: own(last, "role") === "user" && list(own(last, "content")).some(isToolResult),
      responseFormatType: isSchema ? "json_schema" : "text",
      jsonSchema: isSchema ? readObject(own(format, "schema")) : null,
      reasoning: thinks(own(json, "thinking")),
      reasoningEffort: readEffort(own(own(json, "output_config"), "effort")),
      user: readString(own(own(json, "metadata"), "user_id")),
      choices: 1,
      replayable: true,
      streamUsage: true,
    },
    { json, longTexts, model, messages },
    READERS,
  );
}
