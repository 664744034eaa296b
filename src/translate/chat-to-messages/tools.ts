/** Tools of a Chat request as Claude's: functions, custom tools, legacy functions, web search. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";
import { renderInputSchema, renderStrict } from "./input-schema.ts";

/** Extension fields of a tool that Anthropic knows. */
const TOOL_EXTENSIONS = [
  "cache_control",
  "defer_loading",
  "input_examples",
  "eager_input_streaming",
  "allowed_callers",
] as const;

/** Anthropic's own tools carry the day of their version, or are toolsets. */
const NATIVE_TYPE = /_\d{8}$|^mcp_toolset$/;

/** Native tools that the caller runs, so that an answer never pauses for them. */
const CLIENT_RUN_TYPE = /^(bash|text_editor|computer|memory)_/;

function extensions(...holders: readonly JsonObject[]): JsonObject {
  const found: [string, Json][] = [];
  for (const name of TOOL_EXTENSIONS) {
    for (const holder of holders) {
      const value = own(holder, name);
      if (value === undefined || value === null) continue;
      found.push([name, value]);
      break;
    }
  }
  return Object.fromEntries(found);
}

function readName(definition: JsonObject, path: string): string {
  const name = own(definition, "name");
  if (!isString(name) || name === "")
    throw invalidRequest("a tool needs a name", `${path}.name`, "missing_required_parameter");
  return name;
}

function addTool(draft: Draft, callerName: string, wireName: string, tool: JsonObject, path: string): void {
  if (draft.toolNames.has(wireName)) {
    throw unsupported(path, `two tools are called "${callerName.slice(0, 64)}"; names must be different`);
  }
  draft.toolNames.add(wireName);
  draft.tools.push({ tool, wireName });
}

function addFunction(draft: Draft, definition: JsonObject, holder: JsonObject, path: string): void {
  const name = readName(definition, path);
  const wireName = draft.reply.names.send(name);
  const description = own(definition, "description");
  const input = renderInputSchema(own(definition, "parameters"));
  if (input.wrapped) {
    draft.reply.wrappedTools.add(wireName);
    draft.report.adapt(`${path}.parameters`);
  }
  const isStrict = own(definition, "strict") === true;
  const { schema, strict } = isStrict
    ? renderStrict(draft, input.schema, path)
    : { schema: input.schema, strict: null };
  const tool = {
    name: wireName,
    ...(isString(description) ? { description } : {}),
    input_schema: schema,
    ...(strict === null ? {} : { strict }),
    ...extensions(holder, definition),
  };
  addTool(draft, name, wireName, tool, path);
}

function addCustom(draft: Draft, definition: JsonObject, holder: JsonObject, path: string): void {
  const name = readName(definition, path);
  const wireName = draft.reply.names.send(name);
  draft.reply.customTools.add(wireName);
  const description = own(definition, "description");
  const grammar = grammarText(own(definition, "format"));
  if (grammar !== null) draft.report.adapt(`${path}.format`);
  const text = [isString(description) ? description : "", grammar ?? ""].filter(Boolean).join("\n\n");
  const tool = {
    name: wireName,
    ...(text === "" ? {} : { description: text }),
    input_schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
    ...extensions(holder, definition),
  };
  addTool(draft, name, wireName, tool, path);
}

function grammarText(format: Json | undefined): string | null {
  if (own(format, "type") !== "grammar") return null;
  const grammar = own(format, "grammar") ?? format;
  const syntax = own(grammar, "syntax");
  const definition = own(grammar, "definition");
  const kind = isString(syntax) ? `${syntax} ` : "";
  return `The input must match this ${kind}grammar:\n${isString(definition) ? definition : JSON.stringify(grammar)}`;
}

function addNative(draft: Draft, tool: JsonObject, type: string, path: string): void {
  const name = own(tool, "name");
  if (!CLIENT_RUN_TYPE.test(type)) draft.reply.serverTools = true;
  if (isString(name)) addTool(draft, name, name, tool, path);
  else draft.tools.push({ tool, wireName: null });
}

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
  if (functions.length === 0) return;
  draft.reply.legacyFunctions = true;
  draft.singleCall = true;
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
  const approximate = own(own(search, "user_location"), "approximate");
  const location: [string, Json][] = [];
  for (const part of ["city", "region", "country", "timezone"]) {
    const value = own(approximate, part);
    if (isString(value)) location.push([part, value]);
  }
  const user_location = { type: "approximate", ...Object.fromEntries(location) };
  const tool = {
    type: "web_search_20250305",
    name: "web_search",
    ...(location.length === 0 ? {} : { user_location }),
  };
  addTool(draft, "web_search", "web_search", tool, "web_search_options");
  draft.reply.serverTools = true;
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
