/** Chat messages as input items, in their order. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { chatToolId } from "../maps/tool-names.ts";
import type { FieldRow } from "../translator.ts";
import { renderContent, type PartStyle } from "./content.ts";
import type { Draft } from "./draft.ts";
import { restoreReasoning } from "./reasoning.ts";

export const MESSAGE_ROWS: readonly FieldRow[] = [
  { field: "messages[] with role system, developer or user", outcomes: ["M"], becomes: "a message item of that role" },
  {
    field: "messages[] with role assistant",
    outcomes: ["M"],
    becomes: "its reasoning, a message item for its text, an item for each call",
  },
  {
    field: "messages[].tool_calls",
    outcomes: ["M"],
    becomes: "`function_call` or `custom_tool_call`; ids over 40 characters are shortened by hash, on both sides alike",
  },
  {
    field: "messages[].function_call",
    outcomes: ["M"],
    becomes: "`function_call` with the id `call_fn_N`; the next `function` message is its output",
  },
  {
    field: "messages[] with role tool or function",
    outcomes: ["M"],
    becomes: "`function_call_output` or `custom_tool_call_output` with the same text",
  },
  { field: "messages[].audio", outcomes: ["R"], becomes: "refused: this model keeps no audio" },
  { field: "messages[].name", outcomes: ["S"], becomes: "not sent" },
];

/** Calls of the messages so far, by what their outputs need. */
interface Calls {
  /** Ids of custom tools' calls, as the client named them. */
  readonly custom: Set<string>;
  /** Ids given to `function_call`s; the last is the one that a `function` message answers. */
  legacy: number;
}

/**
 * The input items of a request.
 * @throws GatewayError `invalid-request` for a wrong shape, `unsupported-translation` for content that cannot be sent
 */
export function renderInput(draft: Draft): readonly JsonObject[] {
  const messages = own(draft.source, "messages");
  if (!isArray(messages)) {
    throw invalidRequest("messages is not an array of messages", "messages", "missing_required_parameter");
  }
  if (messages.length === 0) throw invalidRequest("messages is empty; send at least one message", "messages");
  const calls: Calls = { custom: new Set(), legacy: 0 };
  return messages.flatMap((message, index) => renderMessage(message, `messages[${index}]`, calls, draft));
}

/** What the model said carries no markers. */
const ANSWERED: PartStyle = { textType: "output_text", isMarked: false };

function inputStyle({ capabilities }: Draft): PartStyle {
  return { textType: "input_text", isMarked: capabilities.cacheBreakpoints };
}

function renderMessage(message: Json, path: string, calls: Calls, draft: Draft): readonly JsonObject[] {
  if (!isObject(message)) throw invalidRequest(`${path} is not a message`, path);
  const role = own(message, "role");
  const content = own(message, "content") ?? null;
  switch (role) {
    case "system":
    case "developer":
    case "user": {
      const parts = renderContent(content, `${path}.content`, inputStyle(draft));
      return [{ type: "message", role, content: parts.length === 0 ? "" : parts }];
    }
    case "assistant":
      return restoreReasoning(renderAssistant(message, path, calls), message, draft);
    case "tool":
    case "function":
      return [renderOutput(message, path, calls, draft)];
    default:
      throw invalidRequest(`${path}.role is not known; use system, developer, user, assistant or tool`, `${path}.role`);
  }
}

function renderAssistant(message: JsonObject, path: string, calls: Calls): readonly JsonObject[] {
  if (isObject(own(message, "audio"))) {
    throw unsupported(`${path}.audio`, "this model keeps no audio; send a transcript as content");
  }
  const items: JsonObject[] = [];
  const refusal = own(message, "refusal");
  const content = [
    ...renderContent(own(message, "content") ?? null, `${path}.content`, ANSWERED),
    ...(isString(refusal) && refusal !== "" ? [{ type: "refusal", refusal }] : []),
  ];
  if (content.length > 0) items.push({ type: "message", role: "assistant", content });
  const toolCalls = own(message, "tool_calls");
  for (const [index, call] of (isArray(toolCalls) ? toolCalls : []).entries()) {
    items.push(renderCall(call, `${path}.tool_calls[${index}]`, calls));
  }
  const legacy = own(message, "function_call");
  if (isObject(legacy)) {
    calls.legacy++;
    items.push({
      type: "function_call",
      call_id: legacyId(calls),
      name: own(legacy, "name") ?? "",
      arguments: own(legacy, "arguments") ?? "",
    });
  }
  return items;
}

function legacyId({ legacy }: Calls): string {
  return `call_fn_${legacy}`;
}

function renderCall(call: Json, path: string, calls: Calls): JsonObject {
  const id = own(call, "id");
  const custom = own(call, "custom");
  const holder = isObject(custom) ? custom : own(call, "function");
  const name = own(holder, "name");
  if (!isString(id) || id === "") {
    throw invalidRequest("a tool call needs an id", `${path}.id`, "missing_required_parameter");
  }
  if (!isString(name)) {
    throw invalidRequest("a tool call needs a name", `${path}.function.name`, "missing_required_parameter");
  }
  const call_id = chatToolId(id);
  if (!isObject(custom)) {
    return { type: "function_call", call_id, name, arguments: own(holder, "arguments") ?? "" };
  }
  calls.custom.add(id);
  return { type: "custom_tool_call", call_id, name, input: own(custom, "input") ?? "" };
}

function renderOutput(message: JsonObject, path: string, calls: Calls, draft: Draft): JsonObject {
  const parts = renderContent(own(message, "content") ?? null, `${path}.content`, inputStyle(draft));
  const [first] = parts;
  const isPlain = parts.length === 1 && Object.keys(first ?? {}).length === 2 && own(first, "type") === "input_text";
  const output = first === undefined ? "" : isPlain ? (own(first, "text") ?? "") : parts;
  if (own(message, "role") === "function") return { type: "function_call_output", call_id: legacyId(calls), output };
  const id = own(message, "tool_call_id");
  if (!isString(id) || id === "") {
    throw invalidRequest("a tool message needs its call's id", `${path}.tool_call_id`, "missing_required_parameter");
  }
  const type = calls.custom.has(id) ? "custom_tool_call_output" : "function_call_output";
  return { type, call_id: chatToolId(id), output };
}
