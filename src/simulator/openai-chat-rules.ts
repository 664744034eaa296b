/** The rules of Chat Completions, one row each, in the order in which the vendor seems to apply them. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { CHAT_FIELDS } from "./openai-chat-fields.ts";
import { checkMessage, checkToolOrder } from "./openai-chat-messages.ts";
import {
  checkField,
  given,
  invalidValue,
  missing,
  refuse,
  tooLong,
  unsupportedParameter,
  unsupportedValue,
} from "./openai-checks.ts";
import { findOpenAiModel, type OpenAiModel } from "./openai-models.ts";
import { arrayOf } from "./read-chat.ts";
import { countTokens, firstOf, judgeBy, type Judgement, type Refusal, type Rule } from "./refusal.ts";
import { strictSchemaProblem } from "./strict-schema.ts";

/** The day the simulator lives in, and whether models shut down before it still answer. */
export interface OpenAiJudgeOptions {
  /** `YYYY-MM-DD`. */
  readonly today: string;
  readonly servesShutDown: boolean;
}

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

/** A stored prompt brings its own model. */
const PROMPT_MODEL = "gpt-4o-mini";

/** The model of a request, or why there is none. Chat answers 404 to an unknown one, Responses 400. */
export function judgeModel(
  json: JsonObject,
  options: OpenAiJudgeOptions,
  endpoint: "chat" | "responses",
): OpenAiModel | Judgement {
  const id =
    own(json, "model") ?? (endpoint === "responses" && isObject(own(json, "prompt")) ? PROMPT_MODEL : undefined);
  const rule = "model exists";
  if (typeof id !== "string" || id === "") return { ...refuse("you must provide a model parameter", null, null), rule };
  const model = findOpenAiModel(id);
  if (model !== null && (options.servesShutDown || model.shutdownOn === null || model.shutdownOn > options.today))
    return model;
  if (endpoint === "responses")
    return { ...refuse(`The requested model '${id}' does not exist.`, "model", "model_not_found"), rule };
  const message =
    model === null
      ? `The model \`${id}\` does not exist or you do not have access to it.`
      : `The model \`${id}\` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations`;
  return { ...refuse(message, null, "model_not_found", 404), rule };
}

/** Refuses top-level fields the endpoint does not know. */
export function unrecognized(json: JsonObject, fields: Readonly<Record<string, unknown>>): Refusal | null {
  const extra = Object.keys(json).find((key) => !Object.hasOwn(fields, key));
  return extra === undefined ? null : refuse(`Unrecognized request argument supplied: ${extra}`, null, null);
}

export function effortOf(asked: Json | undefined, model: OpenAiModel): string | null {
  return typeof asked === "string" ? asked : model.defaultEffort;
}

export function checkEffort(param: string, effort: Json | undefined, model: OpenAiModel): Refusal | null {
  if (typeof effort !== "string") return null;
  if (!model.reasoning) return refuse(`Unrecognized request argument supplied: ${param}`, null, null);
  return model.efforts.includes(effort)
    ? null
    : unsupportedValue(param, effort, `Supported values are: ${model.efforts.map((name) => `'${name}'`).join(", ")}.`);
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

function checkTool(tool: Json, index: number): Refusal | null {
  const path = `tools[${index}]`;
  const type = own(tool, "type");
  if (type === undefined) return missing(`${path}.type`);
  if (type === "custom")
    return isObject(own(tool, "custom"))
      ? checkName(`${path}.custom.name`, own(own(tool, "custom"), "name"))
      : missing(`${path}.custom`);
  if (type !== "function")
    return invalidValue(
      `${path}.type`,
      `Invalid value: '${String(type)}'. Supported values are: 'function' and 'custom'.`,
    );
  // Recorded as accepted: a name beside the function that has its own.
  const extra = Object.keys(isObject(tool) ? tool : {}).find((key) => !["type", "function", "name"].includes(key));
  if (extra !== undefined)
    return refuse(`Unknown parameter: '${path}.${extra}'.`, `${path}.${extra}`, "unknown_parameter");
  const fn = own(tool, "function");
  return isObject(fn) ? checkFunction(`${path}.function`, fn) : missing(`${path}.function`);
}

/** A function definition. Unknown keys inside it are accepted, as recorded. */
function checkFunction(path: string, fn: Json): Refusal | null {
  const name = checkName(`${path}.name`, own(fn, "name"));
  if (name !== null) return name;
  const description = checkField(`${path}.description`, own(fn, "description"), { type: "string" });
  if (description !== null) return description;
  return checkParameters(path, String(own(fn, "name")), own(fn, "parameters"), own(fn, "strict"));
}

/** The schema of a function's parameters, in the strict subset when it is strict. */
export function checkParameters(
  path: string,
  name: string,
  parameters: Json | undefined,
  strict: Json | undefined,
): Refusal | null {
  const param = `${path}.parameters`;
  const schemaRefusal = (problem: string): Refusal =>
    refuse(`Invalid schema for function '${name}': ${problem}`, param, "invalid_function_parameters");
  if (parameters === undefined || parameters === null)
    return strict === true
      ? schemaRefusal("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.")
      : null;
  const typed = checkField(param, parameters, { type: "object" });
  if (typed !== null) return typed;
  if (strict === true) {
    const problem = strictSchemaProblem(parameters);
    return problem === null ? null : schemaRefusal(problem);
  }
  const type = own(parameters, "type");
  if (type !== "object" && Object.keys(parameters as JsonObject).length > 0)
    return schemaRefusal(
      `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof type === "string" ? type : "None"}"'.`,
    );
  if (type === "object" && own(parameters, "properties") === undefined)
    return schemaRefusal("In context=(), object schema missing properties.");
  return null;
}

export function checkName(param: string, name: Json | undefined): Refusal | null {
  if (typeof name !== "string") return missing(param);
  if (name.length > 64) return tooLong(param, 64, name.length);
  return /^[a-zA-Z0-9_-]+$/.test(name)
    ? null
    : invalidValue(
        param,
        `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      );
}

function checkToolChoice(choice: Json | undefined, tools: readonly Json[]): Refusal | null {
  if (choice === undefined || choice === null) return null;
  if (tools.length === 0)
    return choice === "none"
      ? null
      : invalidValue(
          "tool_choice",
          "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        );
  if (typeof choice === "string") {
    return ["none", "auto", "required"].includes(choice)
      ? null
      : invalidValue(
          "tool_choice",
          `Invalid value: '${choice}'. Supported values are: 'none', 'auto', and 'required'.`,
        );
  }
  const names = tools.map((tool) => own(own(tool, "function") ?? own(tool, "custom"), "name"));
  const type = own(choice, "type");
  if (type === "allowed_tools")
    return own(own(choice, "allowed_tools"), "mode") === undefined ? missing("tool_choice.allowed_tools.mode") : null;
  if (type !== "function" && type !== "custom")
    return invalidValue(
      "tool_choice.type",
      `Invalid value: '${String(type)}'. Supported values are: 'function', 'allowed_tools', and 'custom'.`,
    );
  const name = own(own(choice, type), "name");
  if (typeof name !== "string") return missing(`tool_choice.${type}.name`);
  return names.includes(name)
    ? null
    : refuse(`Tool choice '${name}' not found in 'tools' parameter.`, "tool_choice", null);
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

/** A named schema of `response_format` or `text.format`. */
export function checkSchemaFormat(path: string, named: JsonObject, param: string): Refusal | null {
  const name = checkName(`${path}.name`, own(named, "name"));
  if (name !== null) return name;
  if (own(named, "strict") !== true) return null;
  const problem = strictSchemaProblem(own(named, "schema"));
  return problem === null
    ? null
    : refuse(`Invalid schema for response_format '${String(own(named, "name"))}': ${problem}`, param, null);
}

export function checkMetadata(metadata: Json | undefined): Refusal | null {
  if (!isObject(metadata)) return null;
  const entries = Object.entries(metadata);
  if (entries.length > 16)
    return refuse(
      `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`,
      "metadata",
      "object_above_max_properties",
    );
  return firstOf(
    entries,
    ([key, value]) =>
      checkField(`metadata.${key}`, value, { type: "string", length: 512 }) ??
      (key.length > 64 ? tooLong(`metadata.${key}`, 64, key.length) : null),
  );
}

export function checkMaxOutput(param: string, value: Json | undefined, model: OpenAiModel): Refusal | null {
  if (typeof value !== "number" || value <= model.maxOutputTokens) return null;
  return invalidValue(
    param,
    `${param} is too large: ${value}. This model supports at most ${model.maxOutputTokens} completion tokens, whereas you provided ${value}.`,
  );
}

export function checkContext(text: string, model: OpenAiModel): Refusal | null {
  // Base64 media is not text: it counts for little, whatever its length.
  const tokens = countTokens(text.replace(/[A-Za-z0-9+/=]{2000,}/g, ""));
  if (tokens <= model.inputTokens) return null;
  return refuse(
    `This model's maximum context length is ${model.inputTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
    "messages",
    "context_length_exceeded",
  );
}
