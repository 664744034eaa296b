/** Chat Completions request → {@link Prompt}. Runs after the rules: shapes are known to be right. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { OpenAiModel } from "./openai-models.ts";
import type { OfferedTool, OutputForm, Prompt, PromptBlock } from "./prompt.ts";

/** Reads an accepted request. */
export function readChatPrompt(request: JsonObject, model: OpenAiModel): Prompt {
  const messages = arrayOf(own(request, "messages"));
  const lastUser = messages.findLastIndex((message) => own(message, "role") === "user");
  const functions = arrayOf(own(request, "functions"));
  const effort = own(request, "reasoning_effort") ?? model.defaultEffort;
  const stop = own(request, "stop");
  const streamOptions = own(request, "stream_options");
  return {
    provider: "openai",
    format: "chat",
    model: String(own(request, "model")),
    answersAs: model.answersAs,
    stream: own(request, "stream") === true,
    includeUsage: own(streamOptions, "include_usage") === true,
    obfuscated: own(streamOptions, "include_obfuscation") !== false,
    text: lastUser === -1 ? "" : textOf(own(messages[lastUser], "content")),
    toolResults: messages
      .slice(lastUser + 1)
      .filter((message) => own(message, "role") === "tool" || own(message, "role") === "function")
      .map((message) => textOf(own(message, "content"))),
    tools: functions.length > 0 ? functions.map(functionTool) : arrayOf(own(request, "tools")).map(chatTool),
    toolChoice: readToolChoice(own(request, "tool_choice") ?? own(request, "function_call")),
    parallelTools: own(request, "parallel_tool_calls") !== false && functions.length === 0,
    legacyFunctions: functions.length > 0,
    output: readOutputForm(own(request, "response_format")),
    maxTokens: numberOrNull(own(request, "max_completion_tokens") ?? own(request, "max_tokens")),
    stops: typeof stop === "string" ? [stop] : arrayOf(stop).map(String),
    choices: numberOrNull(own(request, "n")) ?? 1,
    logprobs: own(request, "logprobs") === true,
    thinks: model.reasoning && effort !== "none",
    showsThinking: false,
    encryptedReasoning: false,
    searches: isObject(own(request, "web_search_options")),
    continues: false,
    blocks: [
      ...[...functions, ...arrayOf(own(request, "tools"))].map((tool): PromptBlock => ({
        role: "tools",
        text: JSON.stringify(tool),
        marker: null,
      })),
      ...messages.flatMap(messageBlocks),
    ],
    cacheMinTokens: 1024,
    cacheNeedsMarker: false,
    reportsCacheWrites: model.cacheBreakpoints,
    serviceTier: "default",
    request,
  };
}

function messageBlocks(message: Json): PromptBlock[] {
  const role = String(own(message, "role"));
  const content = own(message, "content");
  const parts: readonly Json[] = isArray(content)
    ? content
    : content === undefined || content === null
      ? []
      : [{ type: "text", text: content }];
  const calls = own(message, "tool_calls") ?? own(message, "function_call");
  return [
    ...parts.map((part): PromptBlock => {
      const breakpoint = own(part, "prompt_cache_breakpoint");
      const { prompt_cache_breakpoint: _, ...plain }: JsonObject = isObject(part) ? part : {};
      const long = own(breakpoint, "ttl") === "12h";
      return { role, text: JSON.stringify(plain), marker: isObject(breakpoint) ? (long ? "1h" : "5m") : null };
    }),
    ...(calls === undefined || calls === null ? [] : [{ role, text: JSON.stringify(calls), marker: null }]),
  ];
}

function functionTool(tool: Json): OfferedTool {
  return {
    name: String(own(tool, "name")),
    schema: own(tool, "parameters") ?? { type: "object", properties: {} },
    custom: false,
  };
}

function chatTool(tool: Json): OfferedTool {
  if (own(tool, "type") === "custom")
    return { name: String(own(own(tool, "custom"), "name")), schema: {}, custom: true };
  return functionTool(own(tool, "function") ?? null);
}

function readToolChoice(choice: Json | undefined): Prompt["toolChoice"] {
  if (choice === "none" || choice === "auto") return choice;
  if (choice === "required") return "any";
  const allowed = own(choice, "allowed_tools");
  if (isObject(allowed)) return own(allowed, "mode") === "required" ? "any" : "auto";
  const name = own(own(choice, "function") ?? own(choice, "custom") ?? choice, "name");
  return typeof name === "string" ? { name } : "auto";
}

function readOutputForm(format: Json | undefined): OutputForm {
  const type = own(format, "type");
  if (type === "json_object") return { kind: "json" };
  if (type === "json_schema") return { kind: "schema", schema: own(own(format, "json_schema"), "schema") ?? {} };
  return { kind: "text" };
}

/** Text of a content value: a string, or the texts of its parts a line each. */
export function textOf(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return arrayOf(content)
    .map((part) => own(part, "text") ?? own(part, "refusal"))
    .filter((text) => typeof text === "string")
    .join("\n");
}

/** The value if it is an array, else an empty one. */
export function arrayOf(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** The value if it is a number. */
export function numberOrNull(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}
