/** The rules of Messages, one row each. Messages of the refusals are the vendor's where recorded or quoted in public threads. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkBlock, checkToolName, emptyText } from "./anthropic-blocks.ts";
import { checkExtra, checkRequired, checkShape, listOr, refuse, required } from "./anthropic-checks.ts";
import { MESSAGES_FIELDS, NOT_COUNTED, SERVER_TOOLS, TOOL_KEYS } from "./anthropic-fields.ts";
import { checkSchema } from "./anthropic-schema.ts";
import {
  checkLastTurn,
  checkMarkers,
  checkMessage,
  checkSignatures,
  checkSystemTurns,
  checkThinkingFirst,
  checkToolPairs,
} from "./anthropic-turns.ts";
import { findClaudeModel, type ClaudeModel } from "./claude-models.ts";
import { arrayOf } from "./read-chat.ts";
import { countTokens, firstOf, judgeBy, type Judgement, type Refusal, type Rule } from "./refusal.ts";
import type { Signer } from "./signature.ts";

export interface AnthropicJudgeOptions {
  /** `YYYY-MM-DD`. */
  readonly today: string;
  readonly servesShutDown: boolean;
  /** `anthropic-version` of the request. */
  readonly version: string;
  /** Values of `anthropic-beta`; null: fields behind a beta are accepted, whatever the header was. */
  readonly betas: readonly string[] | null;
  /** Verifies signed thinking; null: takes it as it is. */
  readonly signer: Signer | null;
  /** The request is for count_tokens. */
  readonly counting: boolean;
}

export interface MessagesRequest extends AnthropicJudgeOptions {
  readonly json: JsonObject;
  readonly model: ClaudeModel;
  readonly messages: readonly Json[];
  readonly tools: readonly Json[];
  readonly thinking: Json | undefined;
}

/** First version that takes no sampling parameters. */
const NO_SAMPLING_VERSION = "2026-10-21";

export const MESSAGES_RULES: readonly Rule<MessagesRequest>[] = [
  { name: "unknown field", check: checkFields },
  {
    name: "max_tokens is there",
    check: ({ json, counting }) => (!counting && own(json, "max_tokens") === undefined ? required("max_tokens") : null),
  },
  {
    name: "messages are there",
    check: ({ json, messages }) =>
      own(json, "messages") === undefined
        ? required("messages")
        : messages.length === 0
          ? refuse("messages: at least one message is required")
          : null,
  },
  {
    name: "field types and bounds",
    check: ({ json }) =>
      firstOf(Object.entries(MESSAGES_FIELDS), ([name, field]) =>
        name === "container" && isObject(own(json, name)) ? null : checkShape(name, own(json, name), field),
      ),
  },
  {
    name: "max_tokens by model",
    check: ({ json, model }) => checkMaxTokens(own(json, "max_tokens"), model, String(own(json, "model"))),
  },
  {
    name: "system blocks",
    check: ({ json }) =>
      firstOf(arrayOf(own(json, "system")), (block, index) =>
        own(block, "type") === "text"
          ? (checkBlock(`system.${index}`, "system", block) ?? emptyText(`system.${index}`, block))
          : refuse(`system.${index}.type: Input should be 'text'`),
      ),
  },
  {
    name: "message shape",
    check: (request) => firstOf(request.messages, (message, index) => checkMessage(message, index, request)),
  },
  { name: "version 2026-10-21 blocks", check: checkNewVersionBlocks },
  { name: "system turns", check: ({ messages }) => checkSystemTurns(messages) },
  { name: "tool results follow their calls", check: ({ messages }) => checkToolPairs(messages) },
  { name: "tools", check: ({ tools, json }) => firstOf(tools, (tool, index) => checkTool(tool, index, json)) },
  { name: "tool names are unique", check: ({ tools }) => checkUnique(tools) },
  { name: "tool_choice", check: ({ json, tools }) => checkToolChoice(own(json, "tool_choice"), tools) },
  { name: "forced tools by model", check: checkForced },
  {
    name: "stop_sequences",
    check: ({ json }) =>
      firstOf(arrayOf(own(json, "stop_sequences")), (stop) =>
        String(stop).trim() === "" ? refuse("stop_sequences: each stop sequence must contain non-whitespace") : null,
      ),
  },
  { name: "thinking by model", check: checkThinking },
  { name: "thinking budget", check: checkBudget },
  { name: "effort by model", check: checkEffort },
  { name: "sampling by model", check: checkSampling },
  { name: "sampling with thinking", check: checkSamplingWithThinking },
  { name: "output format", check: checkOutputFormat },
  { name: "cache markers", check: checkMarkers },
  { name: "metadata", check: ({ json }) => checkMetadata(own(json, "metadata")) },
  { name: "last turn", check: checkLastTurn },
  { name: "thinking first", check: checkThinkingFirst },
  { name: "signatures", check: checkSignatures },
  { name: "context length", check: ({ json, model }) => checkContext(json, model) },
];

/** Judges a Messages or count_tokens body: the first rule that refuses it, or null. */
export function judgeMessages(json: JsonObject, options: AnthropicJudgeOptions): Judgement | null {
  const id = own(json, "model");
  if (typeof id !== "string")
    return {
      ...(id === undefined ? required("model") : refuse("model: Input should be a valid string")),
      rule: "model exists",
    };
  const model = findClaudeModel(id);
  if (model === null || (!options.servesShutDown && model.shutdownOn !== null && model.shutdownOn <= options.today)) {
    return { ...refuse(`model: ${id}`, 404, "not_found_error"), rule: "model exists" };
  }
  return judgeBy(MESSAGES_RULES, {
    ...options,
    json,
    model,
    messages: arrayOf(own(json, "messages")),
    tools: arrayOf(own(json, "tools")),
    thinking: own(json, "thinking"),
  });
}

function checkFields({ json, betas, counting }: MessagesRequest): Refusal | null {
  return firstOf(Object.keys(json), (name) => {
    const field = Object.hasOwn(MESSAGES_FIELDS, name) ? MESSAGES_FIELDS[name] : undefined;
    const beta = field?.beta;
    const allowed = beta === undefined || betas === null || betas.some((value) => value.startsWith(beta));
    return field === undefined || !allowed || (counting && NOT_COUNTED.includes(name))
      ? refuse(`${name}: Extra inputs are not permitted`)
      : null;
  });
}

function checkMaxTokens(value: Json | undefined, model: ClaudeModel, id: string): Refusal | null {
  if (typeof value !== "number" || value <= model.maxOutputTokens) return null;
  return refuse(
    `max_tokens: ${value} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${id}`,
  );
}

function checkNewVersionBlocks({ messages, version }: MessagesRequest): Refusal | null {
  if (version < NO_SAMPLING_VERSION) return null;
  return firstOf(messages, (message, index) =>
    firstOf(arrayOf(own(message, "content")), (block, at) => {
      const path = `messages.${index}.content.${at}`;
      const role = own(message, "role");
      if (role === "assistant" && own(block, "type") === "document")
        return refuse(`${path}: \`document\` blocks are not permitted in \`assistant\` messages`);
      return role === "user" && own(block, "type") === "text" && own(block, "citations") !== undefined
        ? refuse(`${path}.text.citations: Extra inputs are not permitted`)
        : null;
    }),
  );
}

function checkTool(tool: Json, index: number, json: JsonObject): Refusal | null {
  if (!isObject(tool)) return refuse(`tools.${index}: Input should be a valid dictionary`);
  const type = own(tool, "type");
  if (type !== undefined && type !== null && type !== "custom") {
    if (type === "mcp_toolset")
      return own(json, "mcp_servers") === undefined ? refuse(`tools.${index}: mcp_toolset needs mcp_servers`) : null;
    const known = typeof type === "string" && SERVER_TOOLS.some((start) => type.startsWith(start));
    return known
      ? checkToolName(`tools.${index}.name`, own(tool, "name"))
      : refuse(
          `tools.${index}: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: 'custom', ${SERVER_TOOLS.map((start) => `'${start}*'`).join(", ")}`,
        );
  }
  const path = `tools.${index}.custom`;
  const shape =
    checkExtra(path, tool, TOOL_KEYS) ??
    checkToolName(`${path}.name`, own(tool, "name")) ??
    checkShape(`${path}.description`, own(tool, "description"), { type: "string" }) ??
    checkRequired(path, tool, "input_schema", { type: "object" });
  if (shape !== null) return shape;
  const schema = own(tool, "input_schema");
  const kind = own(schema, "type");
  if (kind === undefined) return required(`${path}.input_schema.type`);
  if (kind !== "object") return refuse(`${path}.input_schema.type: Input should be 'object'`);
  const combined = ["oneOf", "allOf", "anyOf"].find((keyword) => own(schema, keyword) !== undefined);
  if (combined !== undefined)
    return refuse(`${path}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`);
  return own(tool, "strict") === true ? checkSchema(`tools.${index}.custom`, schema) : null;
}

function checkUnique(tools: readonly Json[]): Refusal | null {
  const names = tools.map((tool) => own(tool, "name")).filter((name) => name !== undefined);
  return new Set(names).size === names.length ? null : refuse("tools: Tool names must be unique.");
}

function checkToolChoice(choice: Json | undefined, tools: readonly Json[]): Refusal | null {
  if (choice === undefined) return null;
  const type = own(choice, "type");
  if (type === undefined) return required("tool_choice.type");
  if (type !== "auto" && type !== "any" && type !== "tool" && type !== "none")
    return refuse(
      `tool_choice: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'`,
    );
  const keys = {
    auto: ["type", "disable_parallel_tool_use"],
    any: ["type", "disable_parallel_tool_use"],
    tool: ["type", "name", "disable_parallel_tool_use"],
    none: ["type"],
  }[type];
  const extra = checkExtra(`tool_choice.${type}`, choice as JsonObject, keys);
  if (extra !== null) return extra;
  if (tools.length === 0)
    return type === "none" ? null : refuse("tool_choice: tool_choice may only be specified while providing tools.");
  if (type !== "tool") return null;
  const name = own(choice, "name");
  if (typeof name !== "string") return required("tool_choice.tool.name");
  return tools.some((tool) => own(tool, "name") === name)
    ? null
    : refuse(`tool_choice: Tool '${name}' not found in provided tools`);
}

function checkForced({ json, model, thinking }: MessagesRequest): Refusal | null {
  const type = own(own(json, "tool_choice"), "type");
  if (type !== "any" && type !== "tool") return null;
  if (!model.forcedTools)
    return refuse(`tool_choice: \`${type}\` is not supported for this model. Use \`auto\` or \`none\`.`);
  return own(thinking, "type") === "enabled"
    ? refuse("Thinking may not be enabled when tool_choice forces tool use.")
    : null;
}

function checkThinking({ thinking, model, json }: MessagesRequest): Refusal | null {
  if (thinking === undefined) return null;
  const type = own(thinking, "type");
  const known = ["adaptive", "enabled", "disabled", "between_tools"] as const;
  const form = known.find((name) => name === type);
  if (type === undefined) return required("thinking.type");
  if (form === undefined)
    return refuse(
      `thinking: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: ${listOr(known)}`,
    );
  const keys = {
    adaptive: ["type", "display", "block_binding"],
    enabled: ["type", "budget_tokens", "display", "block_binding"],
    disabled: ["type", "block_binding"],
    between_tools: ["type", "display", "block_binding"],
  }[form];
  const extra =
    checkExtra(`thinking.${form}`, thinking as JsonObject, keys) ??
    checkShape(`thinking.${form}.display`, own(thinking, "display"), {
      type: "string",
      oneOf: ["summarized", "omitted"],
      nullable: true,
    });
  if (extra !== null) return extra;
  if (!model.thinking.includes(form)) {
    if (form === "enabled" && model.thinking.includes("adaptive"))
      return refuse(
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
      );
    return refuse(`"thinking.type.${form}" is not supported for this model.`);
  }
  const effort = own(own(json, "output_config"), "effort");
  const quiet = form === "disabled" || form === "between_tools";
  return quiet && (effort === "xhigh" || effort === "max")
    ? refuse(`"thinking.type.${form}" is not supported at effort level '${effort}'.`)
    : null;
}

function checkBudget({ thinking, json, betas }: MessagesRequest): Refusal | null {
  if (own(thinking, "type") !== "enabled") return null;
  const budget = own(thinking, "budget_tokens");
  if (budget === undefined) return required("thinking.enabled.budget_tokens");
  const shape = checkShape("thinking.enabled.budget_tokens", budget, { type: "integer", least: 1024 });
  const most = own(json, "max_tokens");
  if (shape !== null || typeof budget !== "number" || typeof most !== "number" || budget < most) return shape;
  // With interleaved thinking the budget spans several answers.
  if (betas?.some((beta) => beta.startsWith("interleaved-thinking")) === true) return null;
  return refuse(
    "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
  );
}

function checkEffort({ json, model }: MessagesRequest): Refusal | null {
  const config = own(json, "output_config");
  if (!isObject(config)) return null;
  const extra = checkExtra("output_config", config, ["effort", "format", "task_budget"]);
  const effort = own(config, "effort");
  if (extra !== null || effort === undefined || effort === null) return extra;
  if (model.efforts.length === 0) return refuse("This model does not support the effort parameter.");
  return typeof effort === "string" && model.efforts.includes(effort)
    ? null
    : refuse(
        `This model does not support effort level '${String(effort)}'. Supported levels: ${model.efforts.toSorted().join(", ")}.`,
      );
}

const SAMPLING = ["temperature", "top_p", "top_k"] as const;
/** The values that newest models still take under the old version. */
const DEFAULTS: Readonly<Record<string, readonly Json[]>> = { temperature: [1], top_p: [1], top_k: [null] };

function checkSampling({ json, model, version }: MessagesRequest): Refusal | null {
  const sent = SAMPLING.filter((name) => own(json, name) !== undefined);
  const first = sent[0];
  if (first !== undefined && version >= NO_SAMPLING_VERSION) return refuse(`${first}: Extra inputs are not permitted`);
  if (model.sampling === "default") {
    return firstOf(sent, (name) =>
      DEFAULTS[name]?.includes(own(json, name) ?? null) === true
        ? null
        : refuse(`\`${name}\` is deprecated for this model.`),
    );
  }
  return model.sampling === "one" && sent.includes("temperature") && sent.includes("top_p")
    ? refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    : null;
}

function checkSamplingWithThinking({ json, thinking }: MessagesRequest): Refusal | null {
  if (own(thinking, "type") !== "enabled") return null;
  const temperature = own(json, "temperature");
  if (temperature !== undefined && temperature !== 1)
    return refuse(
      "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
    );
  const topP = own(json, "top_p");
  if (typeof topP === "number" && topP < 0.95)
    return refuse("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
  return typeof own(json, "top_k") === "number" ? refuse("`top_k` must be unset when thinking is enabled.") : null;
}

function checkOutputFormat({ json, model, messages }: MessagesRequest): Refusal | null {
  const format = own(own(json, "output_config"), "format") ?? own(json, "output_format");
  if (!isObject(format)) return null;
  if (own(format, "type") !== "json_schema") return refuse("output_config.format.type: Input should be 'json_schema'");
  const extra = checkExtra("output_config.format", format, ["type", "schema"]);
  if (extra !== null) return extra;
  if (!model.structuredOutputs) return refuse("This model does not support the output_format parameter.");
  const cited = messages.some((message) =>
    arrayOf(own(message, "content")).some((block) => own(own(block, "citations"), "enabled") === true),
  );
  if (cited) return refuse("output_config.format: citations are not supported with structured outputs");
  const schema = own(format, "schema");
  return schema === undefined
    ? required("output_config.format.schema")
    : checkSchema("output_config.format.schema", schema);
}

function checkMetadata(metadata: Json | undefined): Refusal | null {
  if (!isObject(metadata)) return null;
  const user = own(metadata, "user_id");
  const extra =
    checkExtra("metadata", metadata, ["user_id"]) ??
    checkShape("metadata.user_id", user, { type: "string", nullable: true });
  if (extra !== null || typeof user !== "string") return extra;
  if (user.length > 256) return refuse("metadata.user_id: String should have at most 256 characters");
  return /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(user)
    ? refuse("metadata.user_id: user_id appears to contain an email address")
    : null;
}

function checkContext(json: JsonObject, model: ClaudeModel): Refusal | null {
  const text = [own(json, "system"), own(json, "tools"), own(json, "messages")]
    .map((part) => (part === undefined ? "" : JSON.stringify(part)))
    .join("");
  // Base64 media is not text: it counts for little, whatever its length.
  const tokens = countTokens(text.replace(/[A-Za-z0-9+/=]{2000,}/g, ""));
  return tokens > model.contextTokens
    ? refuse(`prompt is too long: ${tokens} tokens > ${model.contextTokens} maximum`)
    : null;
}

/** Whether `anthropic-version` is one the vendor has. */
export function isKnownVersion(version: string): boolean {
  return ["2023-01-01", "2023-06-01", NO_SAMPLING_VERSION].includes(version);
}

/** Values of an `anthropic-beta` header. */
export function readBetas(header: string | null): readonly string[] {
  return (header ?? "")
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

/** Tokens of a count_tokens request. */
export function countRequestTokens(json: JsonObject): number {
  const parts = [own(json, "system"), own(json, "tools"), own(json, "messages")];
  return countTokens(
    parts
      .map((part) => (part === undefined || (isArray(part) && part.length === 0) ? "" : JSON.stringify(part)))
      .join(""),
  );
}
