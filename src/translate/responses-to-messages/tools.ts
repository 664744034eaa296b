/** Tools of a Responses request as Claude's. Namespaces become prefixes; what runs at OpenAI cannot run here. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Draft, ParameterRow } from "../messages-upstream/draft.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import {
  addCustom,
  addFunction,
  addNative,
  addTool,
  addWebSearch,
  NATIVE_TYPE,
  readName,
} from "../messages-upstream/tools.ts";
import type { FieldRow } from "../translator.ts";
import { flatName, foundTools, TOOL_SEARCH } from "./reply-plan.ts";

/** OpenAI's two names of its search, dated or not. */
const WEB_SEARCH = /^web_search(?:_preview)?(?:_\d{4}_\d{2}_\d{2})?$/;

const SEARCH_SCHEMA: JsonObject = {
  type: "object",
  properties: { query: { type: "string", description: "What the tool has to do." } },
  required: ["query"],
};

function applyTools(draft: Draft): void {
  addTools(draft, own(draft.source, "tools"), "tools");
  for (const { tools, path } of foundTools(draft.source)) {
    tools.forEach((tool, index) => {
      if (isObject(tool)) addFound(draft, tool, `${path}[${index}]`);
    });
  }
}

function addTools(draft: Draft, tools: Json | undefined, path: string): void {
  if (tools === undefined || tools === null) return;
  if (!isArray(tools)) throw invalidRequest("tools must be an array", path);
  tools.forEach((tool, index) => {
    if (!isObject(tool)) throw invalidRequest("a tool must be an object", `${path}[${index}]`);
    addDeclared(draft, tool, `${path}[${index}]`);
  });
}

/** Adds a tool found while the conversation went on: what is there already, or cannot be sent, is passed over. */
function addFound(draft: Draft, tool: JsonObject, path: string): void {
  const isKnown = (name: string): boolean => draft.toolNames.has(draft.reply.names.send(name));
  switch (own(tool, "type")) {
    case "function":
    case "custom":
      if (!isKnown(ownText(tool, "name"))) addDeclared(draft, tool, path);
      return;
    case "namespace": {
      const namespace = ownText(tool, "name");
      const members = own(tool, "tools");
      const isNew = (member: Json): boolean => !isKnown(flatName(namespace, ownText(member, "name")));
      addNamespace(draft, { ...tool, tools: isArray(members) ? members.filter(isNew) : [] }, path);
      return;
    }
    case "tool_search":
      if (!isKnown(TOOL_SEARCH)) addDeclared(draft, tool, path);
      return;
    default:
      if (!isKnown("web_search")) addDeclared(draft, tool, path);
  }
}

function addDeclared(draft: Draft, tool: JsonObject, path: string): void {
  const type = own(tool, "type");
  if (type === "function") addFunction(draft, tool, withoutDeferral(tool), path);
  else if (type === "custom") addCustom(draft, tool, withoutDeferral(tool), path);
  else if (type === "namespace") addNamespace(draft, tool, path);
  else if (type === "tool_search") addToolSearch(draft, tool, path);
  else if (isString(type) && WEB_SEARCH.test(type)) addSearch(draft, tool, path);
  else if (isString(type) && NATIVE_TYPE.test(type)) addNative(draft, tool, type, path);
  else if (isString(type)) leaveOut(draft, type, path);
  else throw invalidRequest("a tool needs a type", `${path}.type`, "missing_required_parameter");
}

/** `defer_loading` asks for OpenAI's own search for tools, which is not there: the tool is sent at once. */
function withoutDeferral(tool: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(tool).filter(([key]) => key !== "defer_loading"));
}

function addNamespace(draft: Draft, tool: JsonObject, path: string): void {
  const namespace = readName(tool, path);
  const members = own(tool, "tools");
  if (!isArray(members)) throw invalidRequest("a namespace needs tools", `${path}.tools`, "missing_required_parameter");
  members.forEach((member, index) => {
    const memberPath = `${path}.tools[${index}]`;
    if (!isObject(member)) throw invalidRequest("a tool must be an object", memberPath);
    const name = readName(member, memberPath);
    const flat = flatName(namespace, name);
    const add = own(member, "type") === "custom" ? addCustom : addFunction;
    const definition = withoutDeferral(member);
    add(draft, definition, definition, memberPath, flat);
  });
}

/** A search that the caller runs is one of its tools; one that OpenAI runs is not needed where all tools are sent. */
function addToolSearch(draft: Draft, tool: JsonObject, path: string): void {
  if (own(tool, "execution") !== "client") return;
  const description = ownText(tool, "description");
  const parameters = own(tool, "parameters");
  const definition = {
    name: TOOL_SEARCH,
    description: description === "" ? "Searches for further tools; those found can be called afterwards." : description,
    input_schema: isObject(parameters) ? { type: "object", ...parameters } : SEARCH_SCHEMA,
  };
  addTool(draft, TOOL_SEARCH, TOOL_SEARCH, definition, path);
}

function addSearch(draft: Draft, tool: JsonObject, path: string): void {
  // Pages as OpenAI keeps them are all that the caller wants to reach: a live search would reach further.
  const isOffline = own(tool, "external_web_access") === false;
  if (isOffline || !draft.options.webSearch || !draft.model.capabilities.webSearch) {
    leaveOut(draft, "web_search", path);
    return;
  }
  const domains = own(own(tool, "filters"), "allowed_domains");
  const size = own(tool, "search_context_size") ?? null;
  if (size !== null) draft.report.drop(`${path}.search_context_size`);
  addWebSearch(
    draft,
    { location: own(tool, "user_location"), allowedDomains: isArray(domains) ? domains.filter(isString) : [] },
    path,
  );
}

function leaveOut(draft: Draft, type: string, path: string): void {
  if (draft.options.serverTools === "reject") {
    throw unsupported(path, `the tool ${type.slice(0, 64)} runs at OpenAI and not for this model; leave it out`);
  }
  draft.report.drop(path);
}

/** The row for what may be called; run before tool choice. */
export const TOOL_ROWS: readonly ParameterRow[] = [
  {
    field: "tools",
    reads: ["tools"],
    // The input may bring tools of its own.
    always: true,
    outcomes: ["M", "D", "R"],
    becomes:
      '`tools`; tools that run at OpenAI are left out, or refused with `server_tools = "reject"`; Anthropic\'s own tool types as they are',
    apply: applyTools,
  },
];

/** What becomes of the kinds of tools. */
export const TOOL_PART_ROWS: readonly FieldRow[] = [
  {
    field: "tools[] function",
    outcomes: ["M", "A", "R"],
    becomes:
      "a tool; parameters that are no object, or combine schemas, travel as the property `value`; `strict: true` where Claude can be held to the schema, absent is not strict; duplicate names are refused; `defer_loading` has no effect",
  },
  {
    field: "tools[] custom",
    outcomes: ["M", "A"],
    becomes:
      "a tool with one string `input`; answers are `custom_tool_call` items; a grammar is added to the description",
  },
  {
    field: "tools[] namespace",
    outcomes: ["M"],
    becomes:
      "its tools, called `namespace__name`; calls come back with `namespace` and `name`; its description is not sent",
  },
  {
    field: "tools[] web_search, web_search_preview",
    outcomes: ["M", "D"],
    becomes:
      "the server tool `web_search` with allowed domains and location; left out where it is switched off or may not reach the live web; `search_context_size` is not sent",
  },
  {
    field: "tools[] tool_search",
    outcomes: ["M", "S"],
    becomes:
      "with `execution: client` a tool whose calls are `tool_search_call` items, and tools found are added; else without effect, as all tools are sent",
  },
  {
    field: "tools[] file_search, code_interpreter, image_generation, mcp, computer, local_shell, shell, apply_patch",
    outcomes: ["D", "R"],
    becomes: 'left out, or refused with `server_tools = "reject"`',
  },
];
