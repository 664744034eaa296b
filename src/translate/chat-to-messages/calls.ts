/** Tool calls and tool results of a Chat history as `tool_use` and `tool_result` blocks. */
import { invalidRequest } from "../../base/errors.ts";
import {
  isArray,
  isObject,
  isRawNumber,
  isString,
  own,
  parseLossless,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import type { FieldRow } from "../translator.ts";
import { readMarker } from "./cache-markers.ts";
import { renderContent } from "./content.ts";
import type { Draft } from "./draft.ts";

/** What becomes of calls and results. */
export const CALL_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].tool_calls[].function",
    outcomes: ["M", "A"],
    becomes:
      '`tool_use`; empty arguments → `{}`, those that are no object → `{"value": …}`, those that are no JSON → `{"_raw_arguments": …}`; a bad call never fails the request',
  },
  { field: "messages[].tool_calls[].custom", outcomes: ["M"], becomes: "`tool_use` with the text as `input`" },
  {
    field: "messages[].tool_calls[].id, messages[].tool_call_id",
    outcomes: ["M"],
    becomes: "the same; characters that Claude does not take are replaced and a hash is added, on both sides alike",
  },
  {
    field: "messages[].function_call",
    outcomes: ["M"],
    becomes: "`tool_use` with the id `call_fn_N`; the next `function` message is its result",
  },
  {
    field: "messages[] with role tool or function",
    outcomes: ["M", "A"],
    becomes:
      "one user turn that begins with the results in the order of the calls; a missing result is made up as an error, one without a call becomes user text",
  },
];

/** Deepest nesting of arguments that is written out as JSON: deeper text would exhaust the stack. */
const MAX_ARGUMENT_DEPTH = 128;

function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) isInString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_ARGUMENT_DEPTH) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

/** Arguments text of a call as `input`; `isExact` is false when it is no JSON, or nested too deep. */
export function parseArguments(value: Json | undefined, wrapped: boolean): { input: JsonObject; isExact: boolean } {
  let parsed: Json;
  if (isString(value)) {
    if (value.trim() === "") return { input: {}, isExact: true };
    if (isTooDeep(value)) return { input: { _raw_arguments: value }, isExact: false };
    try {
      parsed = parseLossless(value);
    } catch {
      return { input: { _raw_arguments: value }, isExact: false };
    }
  } else {
    if (value === undefined || value === null) return { input: {}, isExact: true };
    parsed = value;
  }
  const isPlain = isObject(parsed) && !isRawNumber(parsed);
  return { input: isPlain && !wrapped ? (parsed as JsonObject) : { value: parsed }, isExact: true };
}

/** `tool_use` block for one entry of `tool_calls`. */
export function renderCall(draft: Draft, call: Json, path: string): JsonObject {
  const custom = own(call, "custom");
  const holder = isObject(custom) ? custom : own(call, "function");
  const id = own(call, "id");
  const name = own(holder, "name");
  if (!isString(id) || id === "")
    throw invalidRequest("a tool call needs an id", `${path}.id`, "missing_required_parameter");
  if (!isString(name) || name === "") {
    throw invalidRequest("a tool call needs a name", `${path}.function.name`, "missing_required_parameter");
  }
  if (isObject(custom)) {
    const text = own(custom, "input");
    return toolUse(messagesToolId(id), draft.reply.names.send(name), { input: isString(text) ? text : "" });
  }
  return renderFunctionCall(draft, messagesToolId(id), name, holder, `${path}.function.arguments`);
}

/** `tool_use` block for a function's name and arguments in `holder`. */
export function renderFunctionCall(
  draft: Draft,
  id: string,
  name: string,
  holder: Json | undefined,
  path: string,
): JsonObject {
  const wireName = draft.reply.names.send(name);
  const parsed = parseArguments(own(holder, "arguments"), draft.reply.wrappedTools.has(wireName));
  if (!parsed.isExact) draft.report.adapt(path);
  return toolUse(id, wireName, parsed.input);
}

function toolUse(id: string, name: string, input: JsonObject): JsonObject {
  return { type: "tool_use", id, name, input };
}

/** `tool_result` block for a `tool` or `function` message. */
export function renderResult(draft: Draft, message: JsonObject, id: string, path: string): JsonObject {
  const content = own(message, "content") ?? null;
  const marker = readMarker(message, draft.markerTtl);
  const isError = own(message, "is_error") === true;
  return {
    type: "tool_result",
    tool_use_id: id,
    ...resultContent(draft, content, path),
    ...(isError ? { is_error: true } : {}),
    ...(marker === null ? {} : { cache_control: marker }),
  };
}

function resultContent(draft: Draft, content: Json, path: string): JsonObject {
  if (content === null || content === "") return {};
  if (isString(content)) return { content };
  const blocks = renderContent({ content }, { path, markerTtl: draft.markerTtl });
  const kept = blocks.filter((block) => own(block, "type") !== "text" || own(block, "text") !== "");
  return kept.length === 0 ? {} : { content: kept };
}

/** The result that stands in for one that never came. */
export function missingResult(id: string): JsonObject {
  return { type: "tool_result", tool_use_id: id, content: "no result was provided", is_error: true };
}

/** All results for one call as one, contents in order. */
export function mergeResults(results: readonly JsonObject[]): JsonObject {
  const [first, second] = results;
  if (first !== undefined && second === undefined) return first;
  const content = results.flatMap(contentBlocks);
  const isError = results.some((result) => own(result, "is_error") === true);
  const marker = results.findLast((result) => isObject(own(result, "cache_control")));
  return {
    type: "tool_result",
    tool_use_id: own(first, "tool_use_id") ?? "",
    ...(content.length === 0 ? {} : { content }),
    ...(isError ? { is_error: true } : {}),
    ...(marker === undefined ? {} : { cache_control: own(marker, "cache_control") ?? null }),
  };
}

function contentBlocks(result: JsonObject): readonly Json[] {
  const content = own(result, "content");
  if (isString(content)) return [{ type: "text", text: content }];
  return isArray(content) ? content : [];
}

/** User blocks for a result whose call is not there: Anthropic refuses orphans. */
export function orphanBlocks(id: string, result: JsonObject): readonly JsonObject[] {
  const content = own(result, "content");
  const label = `[result of unknown tool call ${id}]`;
  if (isString(content)) return [{ type: "text", text: `${label} ${content}` }];
  return [{ type: "text", text: label }, ...contentBlocks(result).filter(isObject)];
}
