/** What Messages demands of tools and the choice among them. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkToolName } from "./anthropic-blocks.ts";
import { checkExtra, checkRequired, checkShape, refuse, required } from "./anthropic-checks.ts";
import { SERVER_TOOLS, TOOL_KEYS } from "./anthropic-fields.ts";
import type { MessagesRequest } from "./anthropic-rules.ts";
import { checkSchema } from "./anthropic-schema.ts";
import type { Refusal } from "./refusal.ts";

/** One tool: a client tool with its schema, or a server tool of a known type. */
export function checkTool(tool: Json, index: number, json: JsonObject): Refusal | null {
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

/** No two tools of one name. */
export function checkUnique(tools: readonly Json[]): Refusal | null {
  const names = tools.map((tool) => own(tool, "name")).filter((name) => name !== undefined);
  return new Set(names).size === names.length ? null : refuse("tools: Tool names must be unique.");
}

/** The choice: its form, and that its tool is there. */
export function checkToolChoice(choice: Json | undefined, tools: readonly Json[]): Refusal | null {
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

/** A forced choice, by model and thinking. */
export function checkForced({ json, model, thinking }: MessagesRequest): Refusal | null {
  const type = own(own(json, "tool_choice"), "type");
  if (type !== "any" && type !== "tool") return null;
  if (!model.forcedTools)
    return refuse(`tool_choice: \`${type}\` is not supported for this model. Use \`auto\` or \`none\`.`);
  return own(thinking, "type") === "enabled"
    ? refuse("Thinking may not be enabled when tool_choice forces tool use.")
    : null;
}
