/** What the reply side of a Responses request has to know. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Draft, ReplyPlan } from "../messages-upstream/draft.ts";

/** A tool of a namespace, by the caller's two names. */
export interface NamespacedTool {
  readonly namespace: string;
  readonly name: string;
}

/** How the answer is turned back for a Responses client. */
export interface ResponsesReplyPlan extends ReplyPlan {
  /** Tools of namespaces by flattened name. */
  readonly namespaced: ReadonlyMap<string, NamespacedTool>;
  /** The caller runs the search for tools itself. */
  readonly searchesTools: boolean;
  /** Fields of the request that a Response repeats. */
  readonly echo: JsonObject;
}

/** Name of the tool by which Claude asks for the caller's search for tools. */
export const TOOL_SEARCH = "tool_search";

/** The flattened name of a tool in a namespace. */
export function flatName(namespace: string, name: string): string {
  return `${namespace}__${name}`;
}

/** Fields as Responses repeats them, with what holds where the caller named none. */
const ECHOED: readonly (readonly [name: string, fallback: Json])[] = [
  ["background", false],
  ["instructions", null],
  ["max_output_tokens", null],
  ["max_tool_calls", null],
  ["metadata", {}],
  ["parallel_tool_calls", true],
  ["previous_response_id", null],
  ["prompt_cache_key", null],
  ["reasoning", { effort: null, summary: null }],
  ["safety_identifier", null],
  ["temperature", 1],
  ["text", { format: { type: "text" } }],
  ["tool_choice", "auto"],
  ["tools", []],
  ["top_p", 1],
  ["truncation", "disabled"],
  ["user", null],
];

/** Item types of a history that bring tools. */
const BRINGS_TOOLS: ReadonlySet<Json | undefined> = new Set(["tool_search_output", "additional_tools"]);

/** A list of tools in a request, and where it stands. */
export interface ToolList {
  readonly tools: readonly Json[];
  readonly path: string;
}

/** Lists of tools that the conversation brought after the request's own. */
export function foundTools(source: JsonObject): readonly ToolList[] {
  const input = own(source, "input");
  if (!isArray(input)) return [];
  return input.flatMap((item, index) => {
    const tools = BRINGS_TOOLS.has(own(item, "type")) ? own(item, "tools") : undefined;
    return isArray(tools) ? [{ tools, path: `input[${index}].tools` }] : [];
  });
}

function readNamespaces(tools: readonly Json[]): ReadonlyMap<string, NamespacedTool> {
  const found = new Map<string, NamespacedTool>();
  for (const tool of tools) {
    const namespace = own(tool, "name");
    const members = own(tool, "tools");
    if (own(tool, "type") !== "namespace" || !isString(namespace) || !isArray(members)) continue;
    for (const member of members) {
      const name = own(member, "name");
      if (isString(name)) found.set(flatName(namespace, name), { namespace, name });
    }
  }
  return found;
}

/** The plan of a finished draft. */
export function planReply(draft: Draft): ResponsesReplyPlan {
  const declared = own(draft.source, "tools");
  const tools = [...(isArray(declared) ? declared : []), ...foundTools(draft.source).flatMap((list) => list.tools)];
  return {
    ...draft.reply,
    namespaced: readNamespaces(tools),
    searchesTools: draft.toolNames.has(TOOL_SEARCH) && tools.some((tool) => own(tool, "type") === TOOL_SEARCH),
    echo: readEcho(draft.source),
  };
}

function readEcho(source: JsonObject): JsonObject {
  const echo: [string, Json][] = ECHOED.map(([name, fallback]) => {
    const value = own(source, name) ?? fallback;
    return [name, name === "text" && isObject(value) ? { format: { type: "text" }, ...value } : value];
  });
  return Object.fromEntries(echo);
}
