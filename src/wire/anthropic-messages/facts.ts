import { isArray, isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { readEffort, readMetadata, readNumber, readObject, readString, readText } from "../facts.ts";
import type { Facts, ParsedRequest } from "../format.ts";
import { once } from "../once.ts";
import { createTokenCounter } from "../token-counter.ts";
import type { TokenCounter } from "../token-counter.ts";

interface Seen {
  image: boolean;
  document: boolean;
  cache: boolean;
}

interface Walk extends Readonly<Seen> {
  readonly tokensInput: number;
}

function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function hasMarker(value: Json): boolean {
  return isObject(own(value, "cache_control"));
}

function base64Of(block: Json): string | null {
  const source = own(block, "source");
  return own(source, "type") === "base64" ? readString(own(source, "data")) : null;
}

function walkDocument(block: Json, counter: TokenCounter, seen: Seen): void {
  seen.document = true;
  const source = own(block, "source");
  switch (own(source, "type")) {
    case "text":
      counter.text(readString(own(source, "data")) ?? "");
      break;
    case "content":
      walkContent(own(source, "content"), counter, seen);
      break;
    default:
      counter.document(base64Of(block), readString(own(source, "media_type")) ?? "");
  }
  counter.text(readString(own(block, "title")) ?? "");
  counter.text(readString(own(block, "context")) ?? "");
}

function walkBlock(block: Json, counter: TokenCounter, seen: Seen): void {
  if (hasMarker(block)) seen.cache = true;
  switch (own(block, "type")) {
    case "text":
      counter.text(readString(own(block, "text")) ?? "");
      break;
    case "image":
      seen.image = true;
      counter.image(base64Of(block), false);
      break;
    case "document":
      walkDocument(block, counter, seen);
      break;
    case "thinking":
      counter.text(readString(own(block, "thinking")) ?? "");
      break;
    case "redacted_thinking":
      break;
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      counter.call(readString(own(block, "name")) ?? "", own(block, "input") ?? {});
      break;
    default:
      // Tool results of every kind, search results.
      walkContent(own(block, "content"), counter, seen);
  }
}

function walkContent(content: Json | undefined, counter: TokenCounter, seen: Seen): void {
  if (isString(content)) counter.text(content);
  else if (isArray(content)) for (const block of content) walkBlock(block, counter, seen);
  else if (isObject(content)) walkBlock(content, counter, seen);
}

/** `output_config.format`, or its older place. */
function readFormat(json: JsonObject): Json | undefined {
  return own(own(json, "output_config"), "format") ?? own(json, "output_format");
}

function walk(json: JsonObject, model: string): Walk {
  const counter = createTokenCounter("anthropic", model);
  const seen: Seen = { image: false, document: false, cache: hasMarker(json) };
  walkContent(own(json, "system"), counter, seen);
  for (const message of list(own(json, "messages"))) {
    counter.message();
    walkContent(own(message, "content"), counter, seen);
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
  return { tokensInput: counter.total(), ...seen };
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
function readPrompt(messages: readonly Json[]): string {
  for (const message of messages.toReversed()) {
    if (own(message, "role") !== "user") continue;
    const text = readText(own(message, "content"));
    if (text !== "") return text;
  }
  return "";
}

/** Facts of a Messages request; what costs more than a lookup is computed when asked for, then kept. */
export function readFacts(request: ParsedRequest): Facts {
  const { json } = request;
  const model = readString(own(json, "model")) ?? "";
  const messages = list(own(json, "messages"));
  const tools = list(own(json, "tools"));
  const last = messages.at(-1);
  const format = readFormat(json);
  const walked = once(() => walk(json, model));
  const toolNames = once(() =>
    tools.map((tool) => readString(own(tool, "name")) ?? readString(own(tool, "type")) ?? ""),
  );
  const toolSchemas = once(
    () => new Map(tools.map((tool, index) => [toolNames()[index] ?? "", readObject(own(tool, "input_schema"))])),
  );
  const metadata = once(() => readMetadata(own(json, "metadata")));
  const systemText = once(() =>
    [
      readText(own(json, "system")),
      ...messages.filter((each) => own(each, "role") === "system").map((each) => readText(own(each, "content"))),
    ]
      .filter((text) => text !== "")
      .join("\n"),
  );
  const promptText = once(() => readPrompt(messages));
  return {
    format: "messages",
    model,
    stream: own(json, "stream") === true,
    maxTokens: readNumber(own(json, "max_tokens")),
    messages: messages.length,
    toolChoice: readToolChoice(json),
    inToolLoop: own(last, "role") === "user" && list(own(last, "content")).some(isToolResult),
    responseFormatType: own(format, "type") === "json_schema" ? "json_schema" : "text",
    jsonSchema: own(format, "type") === "json_schema" ? readObject(own(format, "schema")) : null,
    reasoning: thinks(own(json, "thinking")),
    reasoningEffort: readEffort(own(own(json, "output_config"), "effort")),
    user: readString(own(own(json, "metadata"), "user_id")),
    hasAudio: false,
    choices: 1,
    replayable: true,
    streamUsage: true,
    get toolNames() {
      return toolNames();
    },
    get toolSchemas() {
      return toolSchemas();
    },
    get metadata() {
      return metadata();
    },
    get systemText() {
      return systemText();
    },
    get promptText() {
      return promptText();
    },
    get tokensInput() {
      return walked().tokensInput;
    },
    get hasImage() {
      return walked().image;
    },
    get hasDocument() {
      return walked().document;
    },
    get hasCacheControl() {
      return walked().cache;
    },
  };
}
