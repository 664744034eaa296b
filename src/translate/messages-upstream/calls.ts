/** Tool calls and tool results as `tool_use` and `tool_result` blocks. */
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
import type { Draft } from "./draft.ts";

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

/** A `tool_use` block. */
export function toolUse(id: string, name: string, input: JsonObject): JsonObject {
  return { type: "tool_use", id, name, input };
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
