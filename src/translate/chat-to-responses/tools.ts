/** Tools and tool choice: the same tools, which Responses spells without an object of their own. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { parseOpenAiChoice, renderResponsesChoice, type ToolChoice } from "../maps/tool-choice.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";

/** The strings that `value` holds under `keys`. */
function pick(value: Json | undefined, keys: readonly string[]): JsonObject {
  const found = keys.map((key) => [key, own(value, key)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => isString(entry[1])));
}

function renderFunction(holder: Json | undefined, path: string): JsonObject {
  const name = own(holder, "name");
  if (!isString(name) || name === "") {
    throw invalidRequest("a function needs a name", `${path}.name`, "missing_required_parameter");
  }
  const description = own(holder, "description");
  const parameters = own(holder, "parameters");
  return {
    type: "function",
    name,
    ...(isString(description) ? { description } : {}),
    parameters: isObject(parameters) ? parameters : { type: "object", properties: {} },
    // Strict is the default here, and not on Chat.
    strict: own(holder, "strict") === true,
  };
}

function renderCustom(holder: Json | undefined, path: string): JsonObject {
  const name = own(holder, "name");
  if (!isString(name) || name === "") {
    throw invalidRequest("a custom tool needs a name", `${path}.name`, "missing_required_parameter");
  }
  const description = own(holder, "description");
  const format = own(holder, "format");
  const grammar = own(format, "grammar");
  return {
    type: "custom",
    name,
    ...(isString(description) ? { description } : {}),
    ...(isObject(format)
      ? { format: isObject(grammar) ? { type: "grammar", ...pick(grammar, ["definition", "syntax"]) } : format }
      : {}),
  };
}

function renderTool(tool: Json, path: string): JsonObject {
  switch (own(tool, "type")) {
    case "function":
      return renderFunction(own(tool, "function"), `${path}.function`);
    case "custom":
      return renderCustom(own(tool, "custom"), `${path}.custom`);
    default:
      throw invalidRequest(`${path}.type is not known; use function or custom`, `${path}.type`);
  }
}

function renderSearch(options: JsonObject): JsonObject {
  const size = own(options, "search_context_size");
  const location = own(options, "user_location");
  const approximate = own(location, "approximate");
  return {
    type: "web_search",
    ...(isString(size) ? { search_context_size: size } : {}),
    ...(isObject(location)
      ? { user_location: { type: "approximate", ...pick(approximate, ["city", "country", "region", "timezone"]) } }
      : {}),
  };
}

function applyTools(draft: Draft): void {
  const tools: JsonObject[] = [];
  const listed = own(draft.source, "tools");
  if (isArray(listed)) tools.push(...listed.map((tool, index) => renderTool(tool, `tools[${index}]`)));
  const functions = own(draft.source, "functions");
  if (isArray(functions) && functions.length > 0) {
    draft.reply.legacyFunctions = true;
    tools.push(...functions.map((tool, index) => renderFunction(tool, `functions[${index}]`)));
  }
  const search = field(draft, "web_search_options");
  if (isObject(search)) tools.push(renderSearch(search));
  if (tools.length > 0) draft.body["tools"] = tools;
}

function readChoice(draft: Draft): ToolChoice | null {
  const legacy = field(draft, "function_call");
  if (legacy === null) return parseOpenAiChoice(field(draft, "tool_choice"));
  if (legacy === "auto" || legacy === "none") return { kind: legacy };
  const name = own(legacy, "name");
  if (!isString(name)) throw invalidRequest("function_call is not known; use auto, none or a name", "function_call");
  return { kind: "named", name };
}

function applyChoice(draft: Draft): void {
  const choice = readChoice(draft);
  if (choice !== null) draft.body["tool_choice"] = renderResponsesChoice(choice);
  const parallel = field(draft, "parallel_tool_calls");
  const isSingle = draft.reply.legacyFunctions || parallel === false;
  if (draft.body["tools"] === undefined || (!isSingle && parallel === null)) return;
  if (draft.capabilities.parallelToolControl) draft.body["parallel_tool_calls"] = !isSingle;
  else if (isSingle) draft.report.drop("parallel_tool_calls");
}

/** Tools before the choice of one. */
export const TOOL_ROWS: readonly ParameterRow[] = [
  {
    field: "tools, functions, web_search_options",
    reads: ["tools", "functions", "web_search_options"],
    outcomes: ["M"],
    becomes:
      "`tools`: functions with an explicit `strict`, custom tools, `web_search`; callers of `functions` get one `function_call`",
    apply: applyTools,
  },
  {
    field: "tool_choice, function_call, parallel_tool_calls",
    // Callers of `functions` take one call, whatever they choose.
    reads: ["tool_choice", "function_call", "parallel_tool_calls", "functions"],
    outcomes: ["M", "D"],
    becomes: "the same; `parallel_tool_calls` is dropped on models that refuse it",
    apply: applyChoice,
  },
];
