/** Tool calls and tool results of a Chat history. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { readMarker } from "../messages-upstream/cache-markers.ts";
import { renderFunctionCall, toolUse } from "../messages-upstream/calls.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import type { FieldRow } from "../translator.ts";
import { renderContent } from "./content.ts";

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
  const blocks = renderContent(content, { path, markerTtl: draft.markerTtl });
  const kept = blocks.filter((block) => own(block, "type") !== "text" || own(block, "text") !== "");
  return kept.length === 0 ? {} : { content: kept };
}
