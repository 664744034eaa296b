/** Anthropic content that OpenAI has no shape for, as text: documents, search results, what server tools did. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";

function attribute(name: string, value: Json | undefined): string {
  return isString(value) && value !== "" ? ` ${name}="${value.replaceAll('"', "&quot;")}"` : "";
}

/** A text document with its title and context in the opening tag. */
export function renderDocumentText(document: JsonObject, text: string): string {
  const tag = `<document${attribute("title", own(document, "title"))}${attribute("context", own(document, "context"))}>`;
  return `${tag}\n${text}\n</document>`;
}

/** Texts of an array of blocks, one a line; a string is itself. */
export function joinTexts(content: Json | undefined): string {
  if (isString(content)) return content;
  if (!isArray(content)) return "";
  return content
    .map((block) => own(block, "text"))
    .filter(isString)
    .join("\n");
}

/** A `search_result` block with source, title and texts. */
export function renderSearchResultText(block: JsonObject): string {
  const tag = `<search_result${attribute("source", own(block, "source"))}${attribute("title", own(block, "title"))}>`;
  return `${tag}\n${joinTexts(own(block, "content"))}\n</search_result>`;
}

/** A `browser_state` block: its open tabs, the active one marked. */
export function renderBrowserStateText(block: JsonObject): string {
  const tabs = own(block, "tabs");
  const lines = (isArray(tabs) ? tabs : []).map((tab) => {
    const active = own(tab, "active") === true ? " (active)" : "";
    return `${linkText(tab)}${active}`;
  });
  return `[browser tabs: ${lines.length === 0 ? "none" : lines.join(", ")}]`;
}

function linkText(value: Json | undefined): string {
  const title = own(value, "title");
  const url = own(value, "url");
  const name = isString(title) ? title : "";
  if (!isString(url) || url === "") return name;
  return name === "" ? url : `${name} (${url})`;
}

/** What a server tool was asked: its query, address, code or command, else its input as JSON. */
function inputText(input: Json | undefined): string {
  for (const key of ["query", "url", "code", "command"]) {
    const value = own(input, key);
    if (isString(value)) return value;
  }
  return isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
}

/** What a server tool gave back, without encrypted parts. Unknown shapes give "". */
function outputText(output: Json | undefined): string {
  if (isString(output)) return output;
  if (isArray(output)) return output.map(outputText).filter(Boolean).join(", ");
  if (!isObject(output)) return "";
  const errorCode = own(output, "error_code");
  if (isString(errorCode)) return `error ${errorCode}`;
  const found: string[] = [];
  const link = linkText(output);
  if (link !== "") found.push(link);
  for (const key of ["text", "stdout", "stderr", "tool_name"]) {
    const value = own(output, key);
    if (isString(value) && value !== "") found.push(value);
  }
  const source = own(output, "source");
  if (own(source, "type") === "text") found.push(outputText(own(source, "data")));
  found.push(outputText(own(output, "content")), outputText(own(output, "tool_references")));
  return found.filter(Boolean).join(" ");
}

/** Types of a server tool's call in an assistant turn. */
const SERVER_CALLS: ReadonlySet<Json | undefined> = new Set(["server_tool_use", "mcp_tool_use"]);

/** Whether `block` is a call of a tool that ran at the provider. */
export function isServerCall(block: JsonObject): boolean {
  return SERVER_CALLS.has(own(block, "type"));
}

/** Whether `block` is the result of a tool that ran at the provider. */
export function isServerResult(block: JsonObject): boolean {
  const type = own(block, "type");
  return isString(type) && /^[a-z0-9_]+_tool_result$/.test(type);
}

/** Call and result of a server tool as one line, either possibly missing: `[web_search: query → titles and urls]`. */
export function renderServerToolText(call: JsonObject | null, result: JsonObject | null): string {
  const callName = own(call, "name");
  const resultType = own(result, "type");
  const name = isString(callName) ? callName : isString(resultType) ? resultType.replace(/_tool_result$/, "") : "tool";
  const asked = inputText(own(call, "input"));
  const given = result === null ? "" : outputText(own(result, "content"));
  const arrow = given === "" ? "" : asked === "" ? given : ` → ${given}`;
  return asked === "" && arrow === "" ? `[${name}]` : `[${name}: ${asked}${arrow}]`;
}

/** A `compaction` or `fallback` block of an assistant turn; null for other types. */
export function renderMarkerText(block: JsonObject): string | null {
  switch (own(block, "type")) {
    case "compaction": {
      const summary = own(block, "content");
      return isString(summary) && summary !== "" ? `[summary of the conversation so far: ${summary}]` : "";
    }
    case "fallback": {
      const from = own(own(block, "from"), "model");
      const to = own(own(block, "to"), "model");
      return isString(from) && isString(to) ? `[continued by ${to} after ${from}]` : "";
    }
    default:
      return null;
  }
}
