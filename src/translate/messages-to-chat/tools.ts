/** Tools on Chat Completions: function tools, where the model takes them there, and the search models' own search. */
import { unsupported } from "../../base/errors.ts";
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { isPresent, type Draft } from "../messages-client/draft.ts";
import { renderTools } from "../messages-client/tools.ts";
import type { FieldRow } from "../translator.ts";

export const CHAT_TOOL_ROWS: readonly FieldRow[] = [
  {
    field: "tools[].strict",
    outcomes: ["M", "A"],
    becomes: "`strict: true` when the schema fits OpenAI's subset (`format: uri` is left out), else not sent.",
  },
  {
    field: "tools[].type = web_search_*",
    outcomes: ["M", "R"],
    becomes:
      "`web_search_options` where it is the only tool of a search model; otherwise refused. Its domain lists and `max_uses` are dropped.",
  },
];

/**
 * Sets `tools` (or `web_search_options`) of the body, and `reasoning_effort: none` where the model takes function tools
 * only so.
 * @throws GatewayError `unsupported-translation` for tools that this provider cannot run, `invalid-request` for a wrong shape
 */
export function applyTools(draft: Draft): void {
  const tools = renderTools(draft, applyWebSearch);
  if (tools.length === 0) return;
  draft.body["tools"] = tools;
  requireToolsOnChat(draft);
}

function requireToolsOnChat(draft: Draft): void {
  const { toolsOnChat, efforts, defaultEffort } = draft.capabilities;
  if (toolsOnChat === "yes") return;
  if (toolsOnChat === "no" || !efforts.includes("none")) {
    throw unsupported("tools", "tools: this model takes no function tools on Chat Completions; use another model");
  }
  draft.body["reasoning_effort"] = "none";
  const thinking = own(own(draft.json, "thinking"), "type");
  const isNoneAnyway = thinking === "disabled" || thinking === "between_tools" || defaultEffort === "none";
  if (!isNoneAnyway || isPresent(own(own(draft.json, "output_config"), "effort"))) {
    draft.report.adapt("output_config.effort", "none");
  }
}

const SEARCH_LIMITS = ["allowed_domains", "blocked_domains", "max_uses"] as const;

/** A search model searches by itself and is served on Chat only; elsewhere web search needs another surface. */
function applyWebSearch(tool: JsonObject, path: string, isOnly: boolean, draft: Draft): null {
  const isSearchModel = draft.capabilities.webSearch && !draft.context.model.formats.includes("responses");
  if (!isSearchModel || !isOnly) {
    throw unsupported(
      `${path}.type`,
      "tools: this model cannot search the web here; use a search model with no other tool",
    );
  }
  for (const limit of SEARCH_LIMITS) {
    if (isPresent(own(tool, limit))) draft.report.drop(`${path}.${limit}`);
  }
  const location = own(tool, "user_location");
  draft.body["web_search_options"] = isObject(location) ? { user_location: renderLocation(location) } : {};
  return null;
}

function renderLocation(location: JsonObject): JsonObject {
  const approximate: Record<string, Json> = {};
  for (const key of ["city", "country", "region", "timezone"]) {
    const value = own(location, key);
    if (isString(value)) approximate[key] = value;
  }
  return { type: "approximate", approximate };
}
