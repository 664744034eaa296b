/** The rules of Messages, one row each. Messages of the refusals are the vendor's where recorded or quoted in public threads. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkBlock, emptyText } from "./anthropic-blocks.ts";
import { checkExtra, checkShape, refuse, required } from "./anthropic-checks.ts";
import { hasBeta, MESSAGES_FIELDS, NO_SAMPLING_VERSION, NOT_COUNTED } from "./anthropic-fields.ts";
import { checkSchema } from "./anthropic-schema.ts";
import {
  checkBudget,
  checkEffort,
  checkSampling,
  checkSamplingWithThinking,
  checkThinking,
} from "./anthropic-thinking.ts";
import { checkForced, checkTool, checkToolChoice, checkUnique } from "./anthropic-tools.ts";
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

/** What a judgement depends on beside the body. */
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

/** A request with what its rules look up. */
export interface MessagesRequest extends AnthropicJudgeOptions {
  readonly json: JsonObject;
  readonly model: ClaudeModel;
  readonly messages: readonly Json[];
  readonly tools: readonly Json[];
  readonly thinking: Json | undefined;
}

/** The table. */
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
    const allowed = beta === undefined || hasBeta(betas, beta);
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
