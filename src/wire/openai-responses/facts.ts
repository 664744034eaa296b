import { isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { list, readEffort, readNumber, readObject, readString, readText } from "../facts.ts";
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
  readonly items: readonly Json[];
}

interface Tool extends DeclaredTool {
  readonly description: string;
}

/** A string input is one user message. */
function readItems(json: JsonObject): readonly Json[] {
  const input = own(json, "input");
  return isString(input) ? [{ role: "user", content: input }] : list(input);
}

/** Items that bring tools of their own: agents declare theirs there, or find further ones on the way. */
const BRINGS_TOOLS: ReadonlySet<Json | undefined> = new Set(["additional_tools", "tool_search_output"]);

/** Declared tools, also those in the input; those of a namespace stand for it. */
function readTools({ json, items }: Source): readonly Tool[] {
  const tools: Tool[] = [];
  addTools(own(json, "tools"), tools);
  for (const item of items) if (BRINGS_TOOLS.has(own(item, "type"))) addTools(own(item, "tools"), tools);
  return tools;
}

function addTools(declared: Json | undefined, tools: Tool[]): void {
  for (const tool of list(declared)) {
    if (own(tool, "type") !== "namespace") tools.push(readTool(tool));
    else for (const inner of list(own(tool, "tools"))) tools.push(readTool(inner));
  }
}

function readTool(tool: Json): Tool {
  return {
    name: readString(own(tool, "name")) ?? readString(own(tool, "server_label")) ?? readString(own(tool, "type")) ?? "",
    description: readString(own(tool, "description")) ?? "",
    schema: readObject(own(tool, "parameters")),
  };
}

/** Schemas by name. Tools of several namespaces may share a name: without one schema for it, none is known. */
function readSchemas(tools: readonly Tool[]): ReadonlyMap<string, JsonObject | null> {
  const schemas = new Map<string, JsonObject | null>();
  for (const { name, schema } of tools) {
    const isShared = schemas.has(name) && JSON.stringify(schemas.get(name)) !== JSON.stringify(schema);
    schemas.set(name, isShared ? null : schema);
  }
  return schemas;
}

function walkPart(part: Json, counter: TokenCounter, seen: Walked): void {
  if (isObject(own(part, "prompt_cache_breakpoint"))) seen.cache = true;
  switch (own(part, "type")) {
    case "input_image": {
      seen.image = true;
      const url = readString(own(part, "image_url"));
      counter.image(url === null ? null : (readDataUrl(url)?.base64 ?? null), own(part, "detail") === "low");
      break;
    }
    case "input_file": {
      seen.document = true;
      const data = readString(own(part, "file_data"));
      const parts = data === null ? null : (readDataUrl(data) ?? { mediaType: "application/pdf", base64: data });
      counter.document(parts?.base64 ?? null, parts?.mediaType ?? "");
      break;
    }
    case "input_audio":
      seen.audio = true;
      counter.audio(readString(own(own(part, "input_audio"), "data")) ?? "");
      break;
    default:
      if (!counter.member(part, "text")) counter.member(part, "refusal");
  }
}

/** A text or parts: the member `key` of `item`. */
function walkContent(item: Json, key: string, counter: TokenCounter, seen: Walked): void {
  if (counter.member(item, key)) return;
  for (const part of list(own(item, key))) walkPart(part, counter, seen);
}

function walkItem(item: Json, counter: TokenCounter, seen: Walked): void {
  counter.message();
  walkContent(item, "content", counter, seen);
  walkContent(item, "output", counter, seen);
  walkContent(item, "summary", counter, seen);
  const name = own(item, "name");
  if (isString(name) && isObject(item)) {
    counter.call(name, item, Object.hasOwn(item, "arguments") ? "arguments" : "input");
  }
}

function walk({ json, longTexts, model, items }: Source, tools: readonly Tool[]): Walked {
  const counter = createTokenCounter("openai", model, longTexts);
  const cache = isString(own(json, "prompt_cache_key"));
  const seen: Walked = { tokensInput: 0, image: false, document: false, audio: false, cache };
  if (counter.member(json, "instructions")) counter.message();
  else for (const item of list(own(json, "instructions"))) walkItem(item, counter, seen);
  for (const item of items) walkItem(item, counter, seen);
  for (const { name, description, schema } of tools) counter.tool(name, description, schema ?? {}, "");
  const format = own(own(json, "text"), "format");
  if (own(format, "type") === "json_schema") counter.format(own(format, "schema") ?? {});
  seen.tokensInput = counter.total();
  return seen;
}

function readToolChoice(json: JsonObject): Facts["toolChoice"] {
  const choice = own(json, "tool_choice") ?? null;
  switch (choice) {
    case null:
      return null;
    case "auto":
    case "none":
    case "required":
      return choice;
    default:
      if (!isObject(choice)) return null;
  }
  const mode = own(choice, "mode");
  return mode === "auto" || mode === "required" ? mode : "named";
}

function isToolOutput(item: Json | undefined): boolean {
  const type = own(item, "type");
  return isString(type) && type.endsWith("_output");
}

function isSystem(item: Json): boolean {
  const role = own(item, "role");
  return role === "system" || role === "developer";
}

function readSystemText({ json, items }: Source): string {
  return [
    readString(own(json, "instructions")) ?? "",
    ...items.filter(isSystem).map((item) => readText(own(item, "content"))),
  ]
    .filter((text) => text !== "")
    .join("\n");
}

function readPromptText({ items }: Source): string {
  const last = items.findLast((item) => own(item, "role") === "user");
  return readText(own(last, "content"));
}

const READERS: LateReaders<Source, Tool> = {
  tools: readTools,
  toolSchemas: readSchemas,
  walk,
  systemText: readSystemText,
  promptText: readPromptText,
};

/** Facts of a Responses request. */
export function readFacts({ json, longTexts }: ParsedRequest): Facts {
  const model = readString(own(json, "model")) ?? "";
  const items = readItems(json);
  const format = own(own(json, "text"), "format");
  const formatType = own(format, "type");
  const effort = readEffort(own(own(json, "reasoning"), "effort"));
  return createFacts(
    {
      format: "responses",
      model,
      stream: own(json, "stream") === true,
      maxTokens: readNumber(own(json, "max_output_tokens")),
      messages: items.length,
      toolChoice: readToolChoice(json),
      inToolLoop: isToolOutput(items.at(-1)),
      responseFormatType: formatType === "json_schema" || formatType === "json_object" ? formatType : "text",
      jsonSchema: formatType === "json_schema" ? readObject(own(format, "schema")) : null,
      reasoning: effort !== null && effort !== "none",
      reasoningEffort: effort,
      user:
        readString(own(json, "safety_identifier")) ??
        readString(own(json, "user")) ??
        readString(own(own(json, "metadata"), "user_id")),
      choices: 1,
      replayable: own(json, "store") !== true && own(json, "background") !== true,
      streamUsage: true,
    },
    { json, longTexts, model, items },
    READERS,
  );
}
