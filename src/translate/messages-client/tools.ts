/** Tools and tool choice. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isRawNumber, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { findClientTool } from "../maps/client-tools.ts";
import { fitsStrictSubset } from "../maps/response-format.ts";
import { isSingleCall, parseAnthropicChoice } from "../maps/tool-choice.ts";
import type { FieldRow } from "../translator.ts";
import type { Draft } from "./draft.ts";

/** What holds on either API. */
export const TOOL_ROWS: readonly FieldRow[] = [
  {
    field: "tools[].name",
    outcomes: ["M"],
    becomes: "The function's name; over 64 characters it is shortened to 55 and a hash, and restored in answers.",
  },
  {
    field: "tools[].input_schema",
    outcomes: ["M"],
    becomes: "`parameters`, without `$schema`; an object without `properties` gets empty ones.",
  },
  { field: "tools[].input_examples", outcomes: ["M"], becomes: "Appended to the description as lines of JSON." },
  {
    field: "tools[].cache_control, defer_loading, eager_input_streaming, allowed_callers",
    outcomes: ["S"],
    becomes: "Not sent; the tool is available from the start.",
  },
  {
    field: "tools[].type = bash_*, text_editor_*, memory_*",
    outcomes: ["A"],
    becomes: "A function tool of the same name with the published schema, so that the client's executor still works.",
  },
  {
    field: "tools[].type = computer_*, browser_toolset_*",
    outcomes: ["R"],
    becomes: "Refused: the model is not trained on them.",
  },
  {
    field: "tools[].type = web_fetch_*, code_execution_*, tool_search_*, mcp_toolset, advisor_*",
    outcomes: ["D", "R"],
    becomes: 'Dropped, or refused with `server_tools = "reject"`: they run at Anthropic.',
  },
  {
    field: "tool_choice.disable_parallel_tool_use",
    outcomes: ["M", "D", "S"],
    becomes: "`parallel_tool_calls: false`; dropped on models that refuse it, without effect when there are no tools.",
  },
];

/** Renders a web search tool of the request; null when it is carried beside the tools. */
export type RenderSearch = (tool: JsonObject, path: string, isOnly: boolean, draft: Draft) => JsonObject | null;

/**
 * The tools to send, spelled by `draft.surface`.
 * @throws GatewayError `unsupported-translation` for tools that this provider cannot run, `invalid-request` for a wrong shape
 */
export function renderTools(draft: Draft, renderSearch: RenderSearch): readonly JsonObject[] {
  const tools = own(draft.source, "tools");
  if (tools === undefined || tools === null) return [];
  if (!isArray(tools)) throw invalidRequest("tools is not an array", "tools");
  const rendered: JsonObject[] = [];
  tools.forEach((tool, index) => {
    const path = `tools[${index}]`;
    if (!isObject(tool)) throw invalidRequest(`${path} is not a tool`, path);
    const type = own(tool, "type");
    const isSearch = isString(type) && type.startsWith("web_search_");
    if (isSearch && !draft.context.options.webSearch) {
      throw unsupported(`${path}.type`, "tools: web search is switched off (`web_search` in the configuration)");
    }
    const sent = isSearch ? renderSearch(tool, path, tools.length === 1, draft) : renderTool(tool, path, draft);
    if (sent !== null) rendered.push(sent);
  });
  return rendered;
}

function renderTool(tool: JsonObject, path: string, draft: Draft): JsonObject | null {
  const type = own(tool, "type");
  if (type === undefined || type === null || type === "custom") {
    return renderFunction(tool, own(tool, "description"), own(tool, "input_schema"), path, draft);
  }
  if (!isString(type)) throw invalidRequest(`${path}.type is not a string`, `${path}.type`);
  const clientTool = findClientTool(type);
  if (clientTool !== null) {
    draft.report.adapt(path);
    return renderFunction(tool, clientTool.description, clientTool.schema, path, draft);
  }
  if (/^(computer|browser)_/.test(type)) {
    throw unsupported(
      `${path}.type`,
      "tools: computer and browser tools work with Claude models only; leave them out or use one",
    );
  }
  if (draft.context.options.serverTools === "reject") {
    throw unsupported(`${path}.type`, "tools: this tool runs at Anthropic; leave it out or use a Claude model");
  }
  draft.report.drop(path);
  return null;
}

function renderFunction(
  tool: JsonObject,
  description: Json | undefined,
  inputSchema: Json | undefined,
  path: string,
  draft: Draft,
): JsonObject {
  const name = own(tool, "name");
  if (!isString(name) || name === "") {
    throw invalidRequest(`${path}.name is missing`, `${path}.name`, "missing_required_parameter");
  }
  const text = describe(description, own(tool, "input_examples"));
  const schema = renderSchema(inputSchema);
  const isStrict = own(tool, "strict") === true && fitsStrictSubset(schema);
  if (own(tool, "strict") === true && !isStrict) draft.report.adapt(`${path}.strict`, "false");
  return draft.surface.functionTool({
    name: draft.names.send(name),
    description: text,
    parameters: isStrict ? withoutUriFormat(schema) : schema,
    strict: isStrict,
  });
}

function describe(description: Json | undefined, examples: Json | undefined): string {
  const text = isString(description) ? description : "";
  if (!isArray(examples) || examples.length === 0) return text;
  const lines = examples.map((example) => JSON.stringify(example)).join("\n");
  return `${text}${text === "" ? "" : "\n\n"}Examples of input, one a line:\n${lines}`;
}

/** The schema without `$schema`; OpenAI refuses an object without `properties`. */
function renderSchema(schema: Json | undefined): JsonObject {
  if (!isObject(schema)) return { type: "object", properties: {} };
  const { $schema: _dialect, ...rest } = schema;
  const type = own(rest, "type") ?? "object";
  if (type !== "object" || isObject(own(rest, "properties"))) return rest;
  return { ...rest, type, properties: {} };
}

function withoutUriFormat(schema: JsonObject): JsonObject {
  const visit = (value: Json): Json => {
    if (isArray(value)) return value.map(visit);
    if (!isObject(value) || isRawNumber(value)) return value;
    const entries = Object.entries(value).filter(([key, item]) => key !== "format" || item !== "uri");
    return Object.fromEntries(entries.map(([key, item]) => [key, visit(item)]));
  };
  return visit(schema) as JsonObject;
}

/**
 * Sets `tool_choice` and `parallel_tool_calls` of the body; call after the tools.
 * @throws GatewayError `unsupported-translation` when it names a tool that was dropped, `invalid-request` for a wrong shape
 */
export function applyToolChoice(value: Json | undefined, draft: Draft): void {
  if (value === undefined) return;
  const choice = parseAnthropicChoice(value);
  if (choice === null)
    throw invalidRequest("tool_choice is not known; use type auto, any, tool or none", "tool_choice");
  const tools = draft.body["tools"];
  if (!isArray(tools)) {
    draft.report.drop("tool_choice");
    return;
  }
  const sent = choice.kind === "named" ? { ...choice, name: draft.names.send(choice.name) } : choice;
  const named = sent.kind === "named" ? tools.find((tool) => draft.surface.toolName(tool) === sent.name) : undefined;
  if (sent.kind === "named" && named === undefined) {
    throw unsupported(
      "tool_choice.name",
      "tool_choice names a tool that this model is not given; name another or use auto",
    );
  }
  draft.body["tool_choice"] = draft.surface.toolChoice(sent, named);
  if (!isSingleCall(value)) return;
  if (draft.capabilities.parallelToolControl) draft.body["parallel_tool_calls"] = false;
  else draft.report.drop("tool_choice.disable_parallel_tool_use");
}
