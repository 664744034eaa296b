/** Tools as Claude's: functions, custom tools, Anthropic's own, web search. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { withItem } from "../small-sets.ts";
import type { Draft } from "./draft.ts";
import { renderInputSchema, renderStrict } from "./input-schema.ts";

/** Extension fields of a tool that Anthropic knows. */
export const TOOL_EXTENSIONS = [
  "cache_control",
  "defer_loading",
  "input_examples",
  "eager_input_streaming",
  "allowed_callers",
] as const;

/** Anthropic's own tools carry the day of their version, or are toolsets. */
export const NATIVE_TYPE = /_\d{8}$|^mcp_toolset$/;

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

/** @throws GatewayError `invalid-request` when the tool has none */
export function readName(definition: JsonObject, path: string): string {
  const name = own(definition, "name");
  if (!isString(name) || name === "")
    throw invalidRequest("a tool needs a name", `${path}.name`, "missing_required_parameter");
  return name;
}

/** Adds a tool. @throws GatewayError `unsupported-translation` when its name is taken */
export function addTool(draft: Draft, callerName: string, wireName: string, tool: JsonObject, path: string): void {
  if (draft.toolNames.has(wireName)) {
    throw unsupported(path, `two tools are called "${callerName.slice(0, 64)}"; names must be different`);
  }
  draft.toolNames = withItem(draft.toolNames, wireName);
  draft.tools.push({ tool, wireName });
}

/** Adds a function as the caller defined it; `holder` may carry extensions, `name` is what it is called. */
export function addFunction(
  draft: Draft,
  definition: JsonObject,
  holder: JsonObject,
  path: string,
  name = readName(definition, path),
): void {
  const wireName = draft.reply.names.send(name);
  const description = own(definition, "description");
  const input = renderInputSchema(own(definition, "parameters"));
  if (input.wrapped) {
    draft.reply.wrappedTools = withItem(draft.reply.wrappedTools, wireName);
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

/** Adds a tool that takes free text: for Claude a string in an object. */
export function addCustom(
  draft: Draft,
  definition: JsonObject,
  holder: JsonObject,
  path: string,
  name = readName(definition, path),
): void {
  const wireName = draft.reply.names.send(name);
  draft.reply.customTools = withItem(draft.reply.customTools, wireName);
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

/** Adds a tool of Anthropic's own as it is. */
export function addNative(draft: Draft, tool: JsonObject, type: string, path: string): void {
  const name = own(tool, "name");
  if (!CLIENT_RUN_TYPE.test(type)) draft.reply.serverTools = true;
  if (isString(name)) addTool(draft, name, name, tool, path);
  else draft.tools.push({ tool, wireName: null });
}

/** What a client may set about a web search. */
export interface WebSearch {
  /** Where the user is, in OpenAI's fields. */
  readonly location: Json | undefined;
  readonly allowedDomains: readonly Json[];
}

/** Adds the search tool that runs at Anthropic. */
export function addWebSearch(draft: Draft, { location, allowedDomains }: WebSearch, path: string): void {
  const parts: [string, Json][] = [];
  for (const part of ["city", "region", "country", "timezone"]) {
    const value = own(location, part);
    if (isString(value)) parts.push([part, value]);
  }
  const tool = {
    type: "web_search_20250305",
    name: "web_search",
    ...(allowedDomains.length === 0 ? {} : { allowed_domains: allowedDomains }),
    ...(parts.length === 0 ? {} : { user_location: { type: "approximate", ...Object.fromEntries(parts) } }),
  };
  addTool(draft, "web_search", "web_search", tool, path);
  draft.reply.serverTools = true;
}
