/** What Chat Completions demands of tools and the choice among them. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkField, invalidValue, missing, refuse, tooLong } from "./openai-checks.ts";
import type { Refusal } from "./refusal.ts";
import { strictSchemaProblem } from "./strict-schema.ts";

/** One tool. */
export function checkTool(tool: Json, index: number): Refusal | null {
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
export function checkFunction(path: string, fn: Json): Refusal | null {
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

/** A tool's or schema's name: at most 64 characters of a small alphabet. */
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

/** The choice: its form, and that its tool is there. */
export function checkToolChoice(choice: Json | undefined, tools: readonly Json[]): Refusal | null {
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
