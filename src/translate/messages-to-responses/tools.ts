/** Tools on Responses: function tools, and OpenAI's own web search in place of Anthropic's. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { isPresent, type Draft } from "../messages-client/draft.ts";
import { renderTools } from "../messages-client/tools.ts";
import type { FieldRow } from "../translator.ts";

export const RESPONSES_TOOL_ROWS: readonly FieldRow[] = [
  {
    field: "tools[].strict",
    outcomes: ["M", "A"],
    becomes: "`strict: true` when the schema fits OpenAI's subset (`format: uri` is left out), else `false`.",
  },
  {
    field: "tools[].type = web_search_*",
    outcomes: ["M", "R"],
    becomes:
      "`web_search` with the domain lists and the user's location; refused on models that cannot search. `max_uses` is dropped.",
  },
];

/** What the answer must hold besides the sources that it cites. */
export const SEARCH_INCLUDE = "web_search_call.action.sources";

/**
 * Sets `tools` of the body.
 * @throws GatewayError `unsupported-translation` for tools that this provider cannot run, `invalid-request` for a wrong shape
 */
export function applyTools(draft: Draft): void {
  const tools = renderTools(draft, renderSearch);
  if (tools.length > 0) draft.body["tools"] = tools;
}

/** Whether a web search is among the tools that are sent. */
export function searchesWeb(draft: Draft): boolean {
  const tools = draft.body["tools"];
  return isArray(tools) && tools.some((tool) => own(tool, "type") === "web_search");
}

function domains(value: Json | undefined): readonly string[] {
  return isArray(value) ? value.filter(isString) : [];
}

function renderSearch(tool: JsonObject, path: string, _isOnly: boolean, draft: Draft): JsonObject {
  if (!draft.capabilities.webSearch) {
    throw unsupported(
      `${path}.type`,
      "tools: this model cannot search the web; leave the tool out or use another model",
    );
  }
  if (isPresent(own(tool, "max_uses"))) draft.report.drop(`${path}.max_uses`);
  const allowed = domains(own(tool, "allowed_domains"));
  const blocked = domains(own(tool, "blocked_domains"));
  const filters = {
    ...(allowed.length > 0 ? { allowed_domains: allowed } : {}),
    ...(blocked.length > 0 ? { blocked_domains: blocked } : {}),
  };
  const location = own(tool, "user_location");
  return {
    type: "web_search",
    ...(Object.keys(filters).length > 0 ? { filters } : {}),
    ...(isObject(location) ? { user_location: renderLocation(location) } : {}),
  };
}

function renderLocation(location: JsonObject): JsonObject {
  const approximate: Record<string, Json> = { type: "approximate" };
  for (const key of ["city", "country", "region", "timezone"]) {
    const value = own(location, key);
    if (isString(value)) approximate[key] = value;
  }
  return approximate;
}
