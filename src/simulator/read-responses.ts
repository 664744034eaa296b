/** Responses request → {@link Prompt}: input items, function tools, text format, reasoning. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { OpenAiModel } from "./openai-models.ts";
import type { OfferedTool, OutputForm, Prompt, PromptBlock } from "./prompt.ts";
import { arrayOf, numberOrNull, textOf } from "./read-chat.ts";

/** Reads an accepted request. */
export function readResponsesPrompt(request: JsonObject, model: OpenAiModel): Prompt {
  const input = own(request, "input");
  const items: readonly Json[] = typeof input === "string" ? [{ role: "user", content: input }] : arrayOf(input);
  const lastUser = items.findLastIndex((item) => own(item, "role") === "user");
  const tools = arrayOf(own(request, "tools"));
  const reasoning = own(request, "reasoning");
  const effort = own(reasoning, "effort") ?? model.defaultEffort;
  return {
    provider: "openai",
    format: "responses",
    model: String(own(request, "model")),
    answersAs: model.answersAs,
    stream: own(request, "stream") === true,
    includeUsage: true,
    obfuscated: own(own(request, "stream_options"), "include_obfuscation") !== false,
    text: lastUser === -1 ? "" : textOf(own(items[lastUser], "content")),
    toolResults: items
      .slice(lastUser + 1)
      .filter((item) => String(own(item, "type")).endsWith("_call_output"))
      .map((item) => textOf(own(item, "output"))),
    tools: [...tools, ...items.flatMap(toolsIn)].flatMap(readTool),
    toolChoice: readToolChoice(own(request, "tool_choice")),
    parallelTools: own(request, "parallel_tool_calls") !== false,
    legacyFunctions: false,
    output: readOutputForm(own(own(request, "text"), "format")),
    maxTokens: numberOrNull(own(request, "max_output_tokens")),
    stops: [],
    choices: 1,
    logprobs: false,
    thinks: model.reasoning && effort !== "none",
    showsThinking: typeof own(reasoning, "summary") === "string",
    encryptedReasoning: arrayOf(own(request, "include")).includes("reasoning.encrypted_content"),
    searches: tools.some((tool) => String(own(tool, "type")).startsWith("web_search")),
    continues: false,
    blocks: [
      ...tools.map((tool): PromptBlock => ({ role: "tools", text: JSON.stringify(tool), marker: null })),
      ...(own(request, "instructions")
        ? [{ role: "developer", text: JSON.stringify(own(request, "instructions")), marker: null }]
        : []),
      ...items.flatMap(itemBlocks),
    ],
    cacheMinTokens: 1024,
    cacheNeedsMarker: false,
    reportsCacheWrites: model.cacheBreakpoints,
    serviceTier: "default",
    request,
  };
}

/** Tools that the conversation brought: those told later, and those that a search found. */
function toolsIn(item: Json): readonly Json[] {
  const type = own(item, "type");
  return type === "additional_tools" || type === "tool_search_output" ? arrayOf(own(item, "tools")) : [];
}

function readTool(tool: Json): readonly OfferedTool[] {
  const type = own(tool, "type");
  const name = String(own(tool, "name"));
  if (type === "namespace")
    return arrayOf(own(tool, "tools")).flatMap((member) =>
      readTool(member).map((offered) => ({ ...offered, namespace: name })),
    );
  if (type !== "function" && type !== "custom") return [];
  const schema = own(tool, "parameters") ?? { type: "object", properties: {} };
  return [{ name, schema, custom: type === "custom" }];
}

function itemBlocks(item: Json): PromptBlock[] {
  const role = String(own(item, "role") ?? own(item, "type"));
  const content = own(item, "content");
  if (typeof content === "string") return [{ role, text: JSON.stringify({ text: content }), marker: null }];
  if (!isArray(content) || content.length === 0) return [{ role, text: JSON.stringify(item), marker: null }];
  return content.map((part): PromptBlock => {
    const { prompt_cache_breakpoint: marker, ...plain } = isObject(part) ? part : {};
    return {
      role,
      text: JSON.stringify(plain),
      marker: isObject(marker) ? (own(marker, "ttl") === "12h" ? "1h" : "5m") : null,
    };
  });
}

function readToolChoice(choice: Json | undefined): Prompt["toolChoice"] {
  if (choice === "none" || choice === "auto") return choice;
  if (choice === "required") return "any";
  if (own(choice, "type") === "allowed_tools") return own(choice, "mode") === "required" ? "any" : "auto";
  const name = own(choice, "name");
  return typeof name === "string" ? { name } : "auto";
}

function readOutputForm(format: Json | undefined): OutputForm {
  const type = own(format, "type");
  if (type === "json_object") return { kind: "json" };
  return type === "json_schema" ? { kind: "schema", schema: own(format, "schema") ?? {} } : { kind: "text" };
}
