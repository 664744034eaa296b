/** Calls and their outputs in a Responses history as `tool_use` and `tool_result` blocks. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { messagesToolId } from "../maps/tool-names.ts";
import { renderFunctionCall, toolUse } from "../messages-upstream/calls.ts";
import type { Draft } from "../messages-upstream/draft.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import type { FieldRow } from "../translator.ts";
import { renderContent } from "./content.ts";
import { flatName, TOOL_SEARCH } from "./reply-plan.ts";

/** What becomes of calls and outputs. */
export const CALL_ROWS: readonly FieldRow[] = [
  {
    field: "input[] function_call",
    outcomes: ["M", "A"],
    becomes:
      '`tool_use`; empty arguments → `{}`, those that are no object → `{"value": …}`, those that are no JSON → `{"_raw_arguments": …}`; `namespace` is put before the name',
  },
  { field: "input[] custom_tool_call", outcomes: ["M"], becomes: "`tool_use` with the text as `input`" },
  {
    field: "input[].call_id",
    outcomes: ["M"],
    becomes: "the same; characters that Claude does not take are replaced and a hash is added, on both sides alike",
  },
  {
    field: "input[] function_call_output, custom_tool_call_output",
    outcomes: ["M", "A"],
    becomes:
      "`tool_result` at the beginning of the next user turn, in the order of the calls, images and files included; a missing one is made up as an error, one without a call becomes user text",
  },
  {
    field: "input[] tool_search_call, tool_search_output, additional_tools",
    outcomes: ["M", "S"],
    becomes: "a search that the client ran: call and result with the names found; tools found are added to `tools`",
  },
];

/** The `call_id` of an item. @throws GatewayError `invalid-request` when it has none */
export function readCallId(item: JsonObject, path: string): string {
  const id = own(item, "call_id");
  if (isString(id) && id !== "") return id;
  throw invalidRequest("the item needs a call_id", `${path}.call_id`, "missing_required_parameter");
}

function readCallName(item: JsonObject, path: string): string {
  const name = ownText(item, "name");
  if (name === "") throw invalidRequest("a call needs a name", `${path}.name`, "missing_required_parameter");
  const namespace = ownText(item, "namespace");
  return namespace === "" ? name : flatName(namespace, name);
}

/** `tool_use` block for a call. */
export function renderCallItem(draft: Draft, item: JsonObject, path: string): JsonObject {
  const id = messagesToolId(readCallId(item, path));
  switch (own(item, "type")) {
    case "custom_tool_call":
      return toolUse(id, draft.reply.names.send(readCallName(item, path)), { input: ownText(item, "input") });
    case TOOL_SEARCH_CALL: {
      const sought = own(item, "arguments");
      return renderFunctionCall(draft, id, TOOL_SEARCH, { arguments: sought ?? null }, `${path}.arguments`);
    }
    default:
      return renderFunctionCall(draft, id, readCallName(item, path), item, `${path}.arguments`);
  }
}

const TOOL_SEARCH_CALL = "tool_search_call";

/** `tool_result` block for an output. */
export function renderOutputItem(draft: Draft, item: JsonObject, path: string): JsonObject {
  const id = messagesToolId(readCallId(item, path));
  const content =
    own(item, "type") === "tool_search_output"
      ? foundText(own(item, "tools"))
      : renderOutput(draft, own(item, "output"), `${path}.output`);
  return { type: "tool_result", tool_use_id: id, ...(content === null ? {} : { content }) };
}

function renderOutput(draft: Draft, output: Json | undefined, path: string): Json {
  if (output === undefined || output === null || output === "") return null;
  if (isString(output)) return output;
  if (isObject(output)) return JSON.stringify(output);
  const blocks = renderContent(output, path, draft.markerTtl);
  const kept = blocks.filter((block) => own(block, "type") !== "text" || own(block, "text") !== "");
  return kept.length === 0 ? null : kept;
}

function foundText(tools: Json | undefined): string {
  const names = (isArray(tools) ? tools : []).flatMap((tool) => {
    const members = own(tool, "tools");
    if (own(tool, "type") !== "namespace" || !isArray(members)) return [ownText(tool, "name")];
    return members.map((member) => flatName(ownText(tool, "name"), ownText(member, "name")));
  });
  return names.length === 0 ? "no tool was found" : `tools found: ${names.join(", ")}`;
}
