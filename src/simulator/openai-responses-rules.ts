/** The rules of Responses: fewer than Chat's, for what the gateway's bridge sends. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { RESPONSES_FIELDS } from "./openai-chat-fields.ts";
import {
  checkField,
  checkKeys,
  given,
  invalidValue,
  missing,
  refuse,
  unknownParameter,
  unsupportedParameter,
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
import {
  checkCallOrder,
  checkItem,
  checkMarkers,
  checkReasoningFollowed,
  checkReasoningItem,
} from "./openai-responses-items.ts";
import { checkName, checkParameters } from "./openai-tools.ts";
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

const SUMMARIES = ["auto", "concise", "detailed"];

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

/** The table. */
export const RESPONSES_RULES: readonly Rule<ResponsesRequest>[] = [
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
  { name: "cache breakpoints by model", check: ({ items, model }) => checkMarkers(items, model.cacheBreakpoints) },
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
  { name: "include by model", check: ({ json, model }) => checkInclude(own(json, "include"), model) },
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
  const extra = checkKeys("reasoning", reasoning, ["effort", "summary", "generate_summary", "context", "mode"]);
  if (extra !== null) return extra;
  const summary = given(reasoning, "summary");
  if (summary !== undefined && !SUMMARIES.includes(String(summary)))
    return invalidValue(
      "reasoning.summary",
      `Invalid value: '${String(summary)}'. Supported values are: 'auto', 'concise', and 'detailed'.`,
    );
  if (!model.reasoning && given(reasoning, "effort") !== undefined) return unsupportedParameter("reasoning.effort");
  return checkEffort("reasoning.effort", own(reasoning, "effort"), model);
}

/** Sealed reasoning is given by models that reason. */
function checkInclude(include: Json | undefined, model: OpenAiModel): Refusal | null {
  return model.reasoning || !arrayOf(include).includes("reasoning.encrypted_content")
    ? null
    : refuse("Encrypted content is not supported with this model.", "include", null);
}

function checkFormat(format: Json | undefined): Refusal | null {
  if (!isObject(format) || own(format, "type") !== "json_schema") return null;
  const extra = checkKeys("text.format", format, ["type", "name", "description", "schema", "strict"]);
  if (extra !== null) return extra;
  if (own(format, "schema") === undefined) return missing("text.format.schema");
  return checkSchemaFormat("text.format", format, "text.format");
}
