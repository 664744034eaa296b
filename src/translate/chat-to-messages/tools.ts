/** Tools of a Chat request as Claude's: functions, custom tools, legacy functions, web search. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own } from "../../base/json.ts";
import { field, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";
import {
  addCustom,
  addFunction,
  addNative,
  addTool,
  addWebSearch,
  NATIVE_TYPE,
  readName,
  TOOL_EXTENSIONS,
} from "../messages-upstream/tools.ts";
import type { FieldRow } from "../translator.ts";
import { hasLegacyFunctions } from "./reply-plan.ts";

function applyTools(draft: Draft): void {
  const tools = own(draft.source, "tools") ?? null;
  if (tools === null) return;
  if (!isArray(tools)) throw invalidRequest("tools must be an array", "tools");
  tools.forEach((tool, index) => {
    const path = `tools[${index}]`;
    if (!isObject(tool)) throw invalidRequest("a tool must be an object", path);
    const type = own(tool, "type") ?? null;
    const functionPart = own(tool, "function");
    const customPart = own(tool, "custom");
    if ((type === "function" || type === null) && isObject(functionPart)) {
      addFunction(draft, functionPart, tool, `${path}.function`);
    } else if (type === "custom" && isObject(customPart)) {
      addCustom(draft, customPart, tool, `${path}.custom`);
    } else if ((type === "custom" || type === null) && isObject(own(tool, "input_schema"))) {
      const name = readName(tool, path);
      const wireName = draft.reply.names.send(name);
      addTool(draft, name, wireName, { ...tool, name: wireName }, path);
    } else if (isString(type) && NATIVE_TYPE.test(type)) {
      addNative(draft, tool, type, path);
    } else {
      throw unsupported(path, "tool type is not known here; send function or custom tools");
    }
  });
}

function applyFunctions(draft: Draft): void {
  const functions = own(draft.source, "functions") ?? null;
  if (functions === null) return;
  if (!isArray(functions)) throw invalidRequest("functions must be an array", "functions");
  functions.forEach((definition, index) => {
    const path = `functions[${index}]`;
    if (!isObject(definition)) throw invalidRequest("a function must be an object", path);
    addFunction(draft, definition, definition, path);
  });
  if (hasLegacyFunctions(draft)) draft.singleCall = true;
}

function applyWebSearch(draft: Draft): void {
  const search = field(draft, "web_search_options");
  if (search === null) return;
  if (!draft.options.webSearch) {
    throw unsupported("web_search_options", "web search is switched off in this gateway; leave it out");
  }
  if (!draft.model.capabilities.webSearch) {
    throw unsupported("web_search_options", "this model cannot search the web; choose another or leave it out");
  }
  if (own(search, "search_context_size") !== undefined) draft.report.drop("web_search_options.search_context_size");
  const location = own(own(search, "user_location"), "approximate");
  addWebSearch(draft, { location, allowedDomains: [] }, "web_search_options");
}

/** Rows for what may be called; run before tool choice. */
export const TOOL_ROWS: readonly ParameterRow[] = [
  {
    field: "tools",
    reads: ["tools"],
    outcomes: ["M", "A", "R"],
    becomes: "`tools`; Anthropic's own tool types as they are, other unknown types are refused",
    apply: applyTools,
  },
  {
    field: "functions",
    reads: ["functions"],
    outcomes: ["M"],
    becomes: "one tool each; at most one call, answered in `function_call`",
    apply: applyFunctions,
  },
  {
    field: "web_search_options",
    reads: ["web_search_options"],
    outcomes: ["M", "D", "R"],
    becomes: "the server tool `web_search` with the approximate location; `search_context_size` is not sent",
    apply: applyWebSearch,
  },
];

/** What becomes of the parts of a tool. */
export const TOOL_PART_ROWS: readonly FieldRow[] = [
  {
    field: "tools[].function.name",
    outcomes: ["M", "R"],
    becomes:
      "`name`; characters that Claude does not take and names over 128 characters are hashed, and restored in answers; duplicates are refused",
  },
  {
    field: "tools[].function.parameters",
    outcomes: ["M", "A"],
    becomes:
      "`input_schema` with `type: object`; a root that is no object, or combines schemas, travels as the property `value`",
  },
  {
    field: "tools[].function.strict",
    outcomes: ["M", "A"],
    becomes: "`strict` with a closed schema; `false` where the schema says more than Claude can be held to",
  },
  {
    field: "tools[].custom",
    outcomes: ["M"],
    becomes: "a tool with one string `input`; answers are `custom` calls",
  },
  { field: "tools[].custom.format", outcomes: ["A"], becomes: "a grammar is added to the description" },
  {
    field: `tools[].{${TOOL_EXTENSIONS.join(",")}}`,
    outcomes: ["M"],
    becomes: "the same (extensions)",
  },
];
