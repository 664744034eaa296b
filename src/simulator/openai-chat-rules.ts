/** The rules of Chat Completions, one row each, in the order in which the vendor seems to apply them. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkToolOrder } from "./openai-chat-calls.ts";
import { CHAT_FIELDS } from "./openai-chat-fields.ts";
import { checkMessage } from "./openai-chat-messages.ts";
import {
  checkField,
  given,
  invalidValue,
  missing,
  refuse,
  unsupportedParameter,
  unsupportedValue,
} from "./openai-checks.ts";
import {
  checkContext,
  checkEffort,
  checkMaxOutput,
  checkMetadata,
  checkSchemaFormat,
  effortOf,
  judgeModel,
  unrecognized,
  type OpenAiJudgeOptions,
} from "./openai-limits.ts";
import type { OpenAiModel } from "./openai-models.ts";
import { checkFunction, checkTool, checkToolChoice } from "./openai-tools.ts";
import { arrayOf } from "./read-chat.ts";
import { firstOf, judgeBy, type Judgement, type Refusal, type Rule } from "./refusal.ts";

/** A request with what its rules look up. */
export interface ChatRequest {
  readonly json: JsonObject;
  readonly model: OpenAiModel;
  readonly messages: readonly Json[];
  readonly tools: readonly Json[];
  /** Effort in force: asked for or by default. */
  readonly effort: string | null;
}

const has = (json: JsonObject, key: string): boolean => given(json, key) !== undefined;

const noneOf = (value: Json | undefined): boolean => value === undefined || value === null;

/** The table. */
export const CHAT_RULES: readonly Rule<ChatRequest>[] = [
  { name: "unknown field", check: ({ json }) => unrecognized(json, CHAT_FIELDS) },
  {
    name: "messages are there",
    check: ({ json }) => (own(json, "messages") === undefined ? missing("messages") : null),
  },
  {
    name: "max_tokens by model",
    check: ({ json, model }) =>
      has(json, "max_tokens") && !model.maxTokensField
        ? unsupportedParameter("max_tokens", " Use 'max_completion_tokens' instead.")
        : null,
  },
  {
    name: "field types and bounds",
    check: ({ json }) =>
      firstOf(Object.entries(CHAT_FIELDS), ([name, field]) => checkField(name, own(json, name), field)),
  },
  {
    name: "endpoint serves the model",
    check: ({ json, model }) =>
      model.endpoints.includes("chat")
        ? null
        : refuse(
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
            "model",
            null,
            own(json, "model") === undefined ? 400 : 404,
          ),
  },
  {
    name: "one output cap",
    check: ({ json }) =>
      has(json, "max_tokens") && has(json, "max_completion_tokens")
        ? refuse(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
          )
        : null,
  },
  {
    name: "messages not empty",
    check: ({ messages }) =>
      messages.length > 0
        ? null
        : refuse(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "messages",
            "empty_array",
          ),
  },
  {
    name: "message shape",
    check: ({ messages, model }) => firstOf(messages, (message, index) => checkMessage(message, index, model)),
  },
  { name: "tool answers follow their calls", check: ({ messages }) => checkToolOrder(messages) },
  { name: "tools", check: ({ tools }) => firstOf(tools, checkTool) },
  {
    name: "functions",
    check: ({ json }) =>
      firstOf(arrayOf(own(json, "functions")), (fn, index) => checkFunction(`functions[${index}]`, fn)),
  },
  { name: "tool_choice", check: ({ json, tools }) => checkToolChoice(own(json, "tool_choice"), tools) },
  {
    name: "function_call",
    check: ({ json }) =>
      has(json, "function_call") && !has(json, "functions")
        ? invalidValue(
            "function_call",
            "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
          )
        : null,
  },
  {
    name: "parallel_tool_calls needs tools",
    check: ({ json, tools }) =>
      has(json, "parallel_tool_calls") && tools.length === 0
        ? invalidValue(
            "parallel_tool_calls",
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
          )
        : null,
  },
  {
    name: "parallel_tool_calls by model",
    check: ({ json, model }) =>
      has(json, "parallel_tool_calls") && !model.parallelControl ? unsupportedParameter("parallel_tool_calls") : null,
  },
  { name: "response_format", check: (request) => checkResponseFormat(request) },
  {
    name: "stream_options needs stream",
    check: ({ json }) =>
      has(json, "stream_options") && own(json, "stream") !== true
        ? refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", null)
        : null,
  },
  {
    name: "stream_options keys",
    check: ({ json }) =>
      firstOf(
        Object.keys(isObject(own(json, "stream_options")) ? (own(json, "stream_options") as JsonObject) : {}),
        (key) =>
          ["include_usage", "include_obfuscation"].includes(key)
            ? null
            : refuse(`Unknown parameter: 'stream_options.${key}'.`, `stream_options.${key}`, "unknown_parameter"),
      ),
  },
  {
    name: "stop by model",
    check: ({ json, model }) =>
      !noneOf(own(json, "stop")) &&
      !(isArray(own(json, "stop")) && arrayOf(own(json, "stop")).length === 0) &&
      !model.stop
        ? unsupportedParameter("stop")
        : null,
  },
  {
    name: "top_logprobs needs logprobs",
    check: ({ json }) =>
      has(json, "top_logprobs") && own(json, "logprobs") !== true
        ? refuse("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs", null)
        : null,
  },
  {
    name: "logprobs by model",
    check: ({ json, model, effort }) =>
      own(json, "logprobs") === true && ((model.reasoning && effort !== "none") || model.search)
        ? unsupportedParameter("logprobs")
        : null,
  },
  { name: "sampling by model", check: (request) => checkSampling(request) },
  {
    name: "penalties and logit_bias by model",
    check: ({ json, model }) =>
      model.reasoning
        ? firstOf(["presence_penalty", "frequency_penalty", "logit_bias"], (name) =>
            noneOf(own(json, name)) || own(json, name) === 0 ? null : unsupportedParameter(name),
          )
        : null,
  },
  {
    name: "reasoning_effort by model",
    check: ({ json, model }) => checkEffort("reasoning_effort", own(json, "reasoning_effort"), model),
  },
  { name: "tools with reasoning on chat", check: (request) => checkChatTools(request) },
  {
    name: "web_search_options by model",
    check: ({ json, model }) =>
      has(json, "web_search_options") && !model.search
        ? refuse("Web search options not supported with this model.", "web_search_options", null)
        : null,
  },
  {
    name: "audio by model",
    check: ({ json, model }) =>
      (has(json, "audio") || arrayOf(own(json, "modalities")).includes("audio")) && !model.audio
        ? refuse("This model does not support the requested audio output.", "model", "invalid_model")
        : null,
  },
  { name: "metadata", check: ({ json }) => checkMetadata(own(json, "metadata")) },
  {
    name: "max output",
    check: ({ json, model }) =>
      checkMaxOutput("max_completion_tokens", own(json, "max_completion_tokens"), model) ??
      checkMaxOutput("max_tokens", own(json, "max_tokens"), model),
  },
  {
    name: "context length",
    check: ({ json, model }) =>
      checkContext(JSON.stringify(own(json, "messages") ?? "") + JSON.stringify(own(json, "tools") ?? ""), model),
  },
];

/** Judges a Chat Completions body: the first rule that refuses it, or null. */
export function judgeChat(json: JsonObject, options: OpenAiJudgeOptions): Judgement | null {
  const found = judgeModel(json, options, "chat");
  if ("status" in found) return found;
  return judgeBy(CHAT_RULES, {
    json,
    model: found,
    messages: arrayOf(own(json, "messages")),
    tools: arrayOf(own(json, "tools")),
    effort: effortOf(own(json, "reasoning_effort"), found),
  });
}

function checkSampling({ json, model, effort }: ChatRequest): Refusal | null {
  if (model.sampling === "any" || (model.sampling === "effort-none" && effort === "none")) return null;
  return firstOf(["temperature", "top_p"], (name) => {
    const value = own(json, name);
    if (value === undefined || value === null || (value === 1 && model.sampling !== "refused")) return null;
    return model.sampling === "refused"
      ? unsupportedParameter(name)
      : unsupportedValue(name, value, "Only the default (1) value is supported.");
  });
}

function checkChatTools({ json, model, tools, effort }: ChatRequest): Refusal | null {
  if (model.chatTools === "yes" || (tools.length === 0 && arrayOf(own(json, "functions")).length === 0)) return null;
  const asked = own(json, "reasoning_effort");
  if (model.chatTools === "effort-none" && asked === "none") return null;
  if (model.chatTools === "unless-effort" && (asked === undefined || asked === null || effort === "none")) return null;
  return refuse(
    `Function tools with reasoning_effort are not supported for ${String(own(json, "model"))} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
    "reasoning_effort",
    null,
  );
}

function checkResponseFormat({ json, messages, model }: ChatRequest): Refusal | null {
  const format = own(json, "response_format");
  if (!isObject(format)) return null;
  const type = own(format, "type");
  if (type === "text") return null;
  if (type === "json_object") {
    return /json/i.test(JSON.stringify(messages))
      ? null
      : refuse(
          "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
          "messages",
          null,
        );
  }
  if (type !== "json_schema")
    return invalidValue(
      "response_format.type",
      `Invalid value: '${String(type)}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
    );
  if (!model.structuredOutputs)
    return refuse(
      "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model. Learn more about supported models at the Structured Outputs guide: https://platform.openai.com/docs/guides/structured-outputs",
      "response_format",
      null,
    );
  const named = own(format, "json_schema");
  if (!isObject(named)) return missing("response_format.json_schema");
  return checkSchemaFormat("response_format.json_schema", named, "response_format");
}
