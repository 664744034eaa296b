/** The rules of Responses: fewer than Chat's, for what the gateway's bridge sends. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { RESPONSES_FIELDS } from "./openai-chat-fields.ts";
import {
  checkEffort,
  checkContext,
  checkMaxOutput,
  checkMetadata,
  checkName,
  checkParameters,
  checkSchemaFormat,
  effortOf,
  judgeModel,
  unrecognized,
  type OpenAiJudgeOptions,
} from "./openai-chat-rules.ts";
import {
  checkField,
  given,
  invalidValue,
  isImageData,
  missing,
  readDataUrl,
  refuse,
  tooLong,
  unknownParameter,
  unsupportedParameter,
  wrongType,
} from "./openai-checks.ts";
import type { OpenAiModel } from "./openai-models.ts";
import { arrayOf } from "./read-chat.ts";
import { firstOf, judgeBy, type Judgement, type Refusal, type Rule } from "./refusal.ts";
import type { Signer } from "./signature.ts";

interface ResponsesRequest {
  readonly json: JsonObject;
  readonly model: OpenAiModel;
  readonly items: readonly Json[];
  readonly tools: readonly Json[];
  readonly effort: string | null;
  readonly signer: Signer | null;
}

const MAX_CALL_ID = 64;
const TOOL_KEYS = [
  "type",
  "name",
  "description",
  "parameters",
  "strict",
  "defer_loading",
  "output_schema",
  "format",
  "allowed_callers",
];
/** Content part types by role. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  user: ["input_text", "input_image", "input_file", "input_audio"],
  system: ["input_text", "input_image", "input_file"],
  developer: ["input_text", "input_image", "input_file"],
  assistant: ["output_text", "refusal"],
};

const RESPONSES_RULES: readonly Rule<ResponsesRequest>[] = [
  { name: "unknown field", check: ({ json }) => unrecognized(json, RESPONSES_FIELDS) },
  {
    name: "field types and bounds",
    check: ({ json }) =>
      firstOf(Object.entries(RESPONSES_FIELDS), ([name, field]) => checkField(name, own(json, name), field)),
  },
  {
    name: "input is there",
    check: ({ json }) =>
      (given(json, "input") ??
        given(json, "prompt") ??
        given(json, "previous_response_id") ??
        given(json, "conversation")) === undefined
        ? missing("input")
        : null,
  },
  { name: "input items", check: ({ items }) => firstOf(items, checkItem) },
  {
    name: "tool outputs have their calls",
    check: ({ json, items }) =>
      given(json, "previous_response_id") === undefined && given(json, "conversation") === undefined
        ? checkCallOrder(items)
        : null,
  },
  { name: "reasoning is followed", check: ({ items }) => checkReasoningFollowed(items) },
  { name: "tools", check: ({ tools }) => firstOf(tools, checkTool) },
  { name: "tool_choice needs its tool", check: ({ json, tools }) => checkToolChoice(own(json, "tool_choice"), tools) },
  {
    name: "parallel_tool_calls by model",
    check: ({ json, model }) =>
      own(json, "parallel_tool_calls") === false && !model.parallelControl
        ? unsupportedParameter("parallel_tool_calls")
        : null,
  },
  {
    name: "sampling by model",
    check: ({ json, model, effort }) =>
      model.sampling === "any" || (model.sampling === "effort-none" && effort === "none")
        ? null
        : firstOf(["temperature", "top_p"], (name) =>
            given(json, name) === undefined || (own(json, name) === 1 && model.sampling !== "refused")
              ? null
              : unsupportedParameter(name),
          ),
  },
  { name: "effort by model", check: ({ json, model }) => checkReasoning(own(json, "reasoning"), model) },
  {
    name: "encrypted reasoning",
    check: ({ items, signer }) => (signer === null ? null : firstOf(items, (item) => checkReasoningItem(item, signer))),
  },
  { name: "text.format", check: ({ json }) => checkFormat(own(own(json, "text"), "format")) },
  { name: "metadata", check: ({ json }) => checkMetadata(own(json, "metadata")) },
  {
    name: "max output",
    check: ({ json, model }) => checkMaxOutput("max_output_tokens", own(json, "max_output_tokens"), model),
  },
  {
    name: "context length",
    check: ({ json, model }) =>
      checkContext(JSON.stringify(own(json, "input") ?? "") + JSON.stringify(own(json, "tools") ?? ""), model),
  },
];

/** Judges a Responses body: the first rule that refuses it, or null. `signer` null: encrypted reasoning is not verified. */
export function judgeResponses(json: JsonObject, options: OpenAiJudgeOptions, signer: Signer | null): Judgement | null {
  const found = judgeModel(json, options, "responses");
  if ("status" in found) return found;
  const reasoning = own(json, "reasoning");
  return judgeBy(RESPONSES_RULES, {
    json,
    model: found,
    items: arrayOf(own(json, "input")),
    tools: arrayOf(own(json, "tools")),
    effort: effortOf(own(reasoning, "effort"), found),
    signer,
  });
}

function checkItem(item: Json, index: number): Refusal | null {
  const path = `input[${index}]`;
  if (!isObject(item)) return wrongType(path, "an object", item);
  const type = own(item, "type") ?? "message";
  if (type === "message") return checkMessage(path, item);
  if (type === "function_call" || type === "custom_tool_call") {
    const text = type === "function_call" ? "arguments" : "input";
    return (
      checkCallId(path, item) ??
      checkName(`${path}.name`, own(item, "name")) ??
      (own(item, text) === undefined
        ? missing(`${path}.${text}`)
        : checkField(`${path}.${text}`, own(item, text), { type: "string" }))
    );
  }
  if (type === "function_call_output" || type === "custom_tool_call_output") {
    if (own(item, "output") === undefined) return missing(`${path}.output`);
    return (
      checkCallId(path, item) ??
      firstOf(arrayOf(own(item, "output")), (part, at) => checkPart(`${path}.output[${at}]`, "user", part))
    );
  }
  return null;
}

function checkMessage(path: string, item: JsonObject): Refusal | null {
  const role = own(item, "role");
  if (typeof role !== "string") return missing(`${path}.role`);
  if (!Object.hasOwn(PARTS, role))
    return invalidValue(
      `${path}.role`,
      `Invalid value: '${role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
    );
  const content = own(item, "content");
  if (content === undefined || content === null) return missing(`${path}.content`);
  const extra = Object.keys(item).find((key) => !["type", "role", "content", "id", "status", "phase"].includes(key));
  if (extra !== undefined) return unknownParameter(`${path}.${extra}`);
  return firstOf(arrayOf(content), (part, at) => checkPart(`${path}.content[${at}]`, role, part));
}

function checkPart(path: string, role: string, part: Json): Refusal | null {
  const type = own(part, "type");
  if (typeof type !== "string") return missing(`${path}.type`);
  const known = PARTS[role] ?? [];
  if (!known.includes(type))
    return invalidValue(
      path,
      `Invalid value: '${type}'. Supported values are: ${known.map((name) => `'${name}'`).join(", ")}.`,
    );
  if (type === "input_text" || type === "output_text")
    return typeof own(part, "text") === "string" ? null : missing(`${path}.text`);
  const url = type === "input_image" ? own(part, "image_url") : own(part, "file_data");
  if (typeof url !== "string") return null;
  const data = readDataUrl(url);
  if (type === "input_image")
    return data === null || (data.valid && isImageData(url.slice(url.indexOf(",") + 1)))
      ? null
      : refuse(
          "The image data you provided does not represent a valid image. Please check your input and try again with one of the supported image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
          "input",
          "invalid_image_format",
        );
  return data !== null && data.valid && !/^(audio|video)\//.test(data.mediaType)
    ? null
    : invalidValue(
        `${path}.file_data`,
        `Invalid file data: '${path}.file_data'. Expected a base64-encoded data URL with a valid file MIME type.`,
      );
}

function checkCallId(path: string, item: JsonObject): Refusal | null {
  const id = own(item, "call_id");
  if (typeof id !== "string") return missing(`${path}.call_id`);
  return id.length > MAX_CALL_ID ? tooLong(`${path}.call_id`, MAX_CALL_ID, id.length) : null;
}

/** A reasoning item belongs to the output behind it and cannot stand alone. */
function checkReasoningFollowed(items: readonly Json[]): Refusal | null {
  return firstOf(items, (item, index) => {
    if (own(item, "type") !== "reasoning") return null;
    const next = items[index + 1];
    const role = own(next, "role");
    const follows =
      next !== undefined &&
      (role === "assistant" || role === undefined) &&
      !String(own(next, "type")).endsWith("_output");
    return follows
      ? null
      : refuse(
          `Item '${String(own(item, "id"))}' of type 'reasoning' was provided without its required following item.`,
          "input",
          null,
        );
  });
}

function checkCallOrder(items: readonly Json[]): Refusal | null {
  // A reference stands for an item that the provider kept: what it was cannot be seen here.
  if (items.some((item) => own(item, "type") === "item_reference")) return null;
  const ids = (ending: string): readonly string[] =>
    items
      .filter((item) => [`function_call${ending}`, `custom_tool_call${ending}`].includes(String(own(item, "type"))))
      .map((item) => String(own(item, "call_id")));
  const calls = new Set(ids(""));
  const outputs = new Set(ids("_output"));
  // A client-side tool search is answered by a function call's output too.
  const searches = new Set(
    items.filter((item) => own(item, "type") === "tool_search_call").map((item) => String(own(item, "call_id"))),
  );
  const orphan = [...outputs].find((id) => !calls.has(id) && !searches.has(id));
  if (orphan !== undefined)
    return refuse(`No tool call found for function call output with call_id ${orphan}.`, "input", null);
  const open = [...calls].find((id) => !outputs.has(id));
  return open === undefined ? null : refuse(`No tool output found for function call ${open}.`, "input", null);
}

function checkTool(tool: Json, index: number): Refusal | null {
  const path = `tools[${index}]`;
  const type = own(tool, "type");
  if (typeof type !== "string") return missing(`${path}.type`);
  if (type !== "function" && type !== "custom") return null;
  const extra = Object.keys(isObject(tool) ? tool : {}).find((key) => !TOOL_KEYS.includes(key));
  if (extra !== undefined) return unknownParameter(`${path}.${extra}`);
  const name = String(own(tool, "name"));
  // Strict is the default on this surface: absent counts as asked for, and schemas outside the subset fall back silently.
  return (
    checkName(`${path}.name`, own(tool, "name")) ??
    checkParameters(path, name, own(tool, "parameters"), own(tool, "strict"))
  );
}

function checkToolChoice(choice: Json | undefined, tools: readonly Json[]): Refusal | null {
  if (choice === "required" && tools.length === 0)
    return invalidValue("tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.");
  const name = own(choice, "name");
  if (typeof name !== "string" || own(choice, "type") === "mcp") return null;
  return tools.some((tool) => own(tool, "name") === name)
    ? null
    : refuse(`Tool choice '${name}' not found in 'tools' parameter.`, "tool_choice", null);
}

function checkReasoning(reasoning: Json | undefined, model: OpenAiModel): Refusal | null {
  if (!isObject(reasoning)) return null;
  if (!model.reasoning && given(reasoning, "effort") !== undefined) return unsupportedParameter("reasoning.effort");
  return checkEffort("reasoning.effort", own(reasoning, "effort"), model);
}

/** Encrypted reasoning must be the provider's own, unchanged. */
function checkReasoningItem(item: Json, signer: Signer): Refusal | null {
  const sealed = own(item, "encrypted_content");
  if (own(item, "type") !== "reasoning" || typeof sealed !== "string") return null;
  const state = signer.verify(sealed, { model: "", thinking: "", prefixes: null });
  if (state !== "foreign" && state !== "modified") return null;
  return refuse(
    `The encrypted content for item ${String(own(item, "id"))} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
    null,
    "invalid_encrypted_content",
  );
}

function checkFormat(format: Json | undefined): Refusal | null {
  if (!isObject(format) || own(format, "type") !== "json_schema") return null;
  return checkSchemaFormat("text.format", format, "text.format");
}
