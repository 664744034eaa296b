/** Tool choice in both formats, by way of one small union. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";

/** What the caller allows the model to do about tools. `custom` marks a named custom tool (OpenAI only). */
export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "named"; readonly name: string; readonly custom?: boolean }
  /** OpenAI's `allowed_tools`: a subset of the tools sent. */
  | { readonly kind: "allowed"; readonly required: boolean; readonly names: readonly string[] };

function toolName(value: Json | undefined): string | null {
  for (const holder of [own(value, "function"), own(value, "custom"), value]) {
    const name = own(holder, "name");
    if (isString(name) && name !== "") return name;
  }
  return null;
}

/**
 * Reads OpenAI's `tool_choice`; null when it is absent or null.
 * @throws GatewayError `invalid-request` for a shape that OpenAI does not know
 */
export function parseOpenAiChoice(value: Json | undefined, path = "tool_choice"): ToolChoice | null {
  if (value === undefined || value === null) return null;
  if (value === "auto" || value === "none" || value === "required") return { kind: value };
  const type = own(value, "type");
  if (type === "function" || type === "custom") {
    const name = toolName(value);
    if (name === null) throw invalidRequest("tool_choice names no tool; set its `name`", `${path}.${type}.name`);
    return type === "custom" ? { kind: "named", name, custom: true } : { kind: "named", name };
  }
  if (type === "allowed_tools") {
    const allowed = own(value, "allowed_tools") ?? value;
    const tools = own(allowed, "tools");
    const names = isArray(tools) ? tools.map(toolName).filter(isString) : [];
    if (names.length === 0) {
      throw invalidRequest("allowed_tools lists no tool; name at least one", `${path}.allowed_tools.tools`);
    }
    return { kind: "allowed", required: own(allowed, "mode") === "required", names };
  }
  throw invalidRequest("tool_choice is not known; use auto, none, required or name a function", path);
}

/** Anthropic's `tool_choice`. `single`: at most one call (`parallel_tool_calls: false`). */
export function renderAnthropicChoice(choice: ToolChoice, single: boolean): JsonObject {
  const parallel = single ? { disable_parallel_tool_use: true } : {};
  switch (choice.kind) {
    case "auto":
      return { type: "auto", ...parallel };
    case "none":
      return { type: "none" };
    case "required":
      return { type: "any", ...parallel };
    case "named":
      return { type: "tool", name: choice.name, ...parallel };
    case "allowed": {
      const [only] = choice.names;
      if (!choice.required) return { type: "auto", ...parallel };
      return choice.names.length === 1 && only !== undefined
        ? { type: "tool", name: only, ...parallel }
        : { type: "any", ...parallel };
    }
    default:
      return choice satisfies never;
  }
}

/** Reads Anthropic's `tool_choice`; null when it is absent or of an unknown type. */
export function parseAnthropicChoice(value: Json | undefined): ToolChoice | null {
  const name = own(value, "name");
  switch (own(value, "type")) {
    case "auto":
      return { kind: "auto" };
    case "none":
      return { kind: "none" };
    case "any":
      return { kind: "required" };
    case "tool":
      return isString(name) ? { kind: "named", name } : null;
    default:
      return null;
  }
}

/** Whether an Anthropic `tool_choice` asks for at most one call. */
export function isSingleCall(value: Json | undefined): boolean {
  return isObject(value) && own(value, "disable_parallel_tool_use") === true;
}

/** OpenAI's `tool_choice` on Chat Completions. */
export function renderOpenAiChoice(choice: ToolChoice): Json {
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind;
    case "named":
      return choice.custom === true
        ? { type: "custom", custom: { name: choice.name } }
        : { type: "function", function: { name: choice.name } };
    case "allowed": {
      const tools = choice.names.map((name) => ({ type: "function", function: { name } }));
      const mode = choice.required ? "required" : "auto";
      return { type: "allowed_tools", allowed_tools: { mode, tools } };
    }
    default:
      return choice satisfies never;
  }
}

/** OpenAI's `tool_choice` on Responses, where a named tool stands without an object of its own. */
export function renderResponsesChoice(choice: ToolChoice): Json {
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind;
    case "named":
      return { type: choice.custom === true ? "custom" : "function", name: choice.name };
    case "allowed": {
      const tools = choice.names.map((name) => ({ type: "function", name }));
      return { type: "allowed_tools", mode: choice.required ? "required" : "auto", tools };
    }
    default:
      return choice satisfies never;
  }
}
