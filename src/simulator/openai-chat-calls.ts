/** Tool calls in `messages`: their shape, and their answers directly behind them. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { invalidValue, missing, refuse, tooLong, wrongType } from "./openai-checks.ts";
import { arrayOf } from "./read-chat.ts";
import { firstOf, type Refusal } from "./refusal.ts";

/** Longest tool call id Chat takes; seen as 40 and 64, the smaller is the judge. */
const MAX_ID = 40;

/** The calls of an assistant message, or the call that a tool message answers. */
export function checkCalls(path: string, role: string, message: JsonObject): Refusal | null {
  if (role === "tool" && typeof own(message, "tool_call_id") !== "string") return missing(`${path}.tool_call_id`);
  if (role === "tool" && String(own(message, "tool_call_id")).length > MAX_ID)
    return tooLong(`${path}.tool_call_id`, MAX_ID, String(own(message, "tool_call_id")).length);
  if (role === "function" && typeof own(message, "name") !== "string") return missing(`${path}.name`);
  const calls = own(message, "tool_calls");
  if (calls === undefined || calls === null) return null;
  if (!isArray(calls)) return wrongType(`${path}.tool_calls`, "an array of objects", calls);
  if (calls.length === 0) {
    return refuse(
      `Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${path}.tool_calls`,
      "empty_array",
    );
  }
  return firstOf(calls, (call, index) => checkCall(`${path}.tool_calls[${index}]`, call));
}

function checkCall(path: string, call: Json): Refusal | null {
  if (!isObject(call)) return wrongType(path, "an object", call);
  const id = own(call, "id");
  if (typeof id !== "string") return missing(`${path}.id`);
  if (id.length > MAX_ID) return tooLong(`${path}.id`, MAX_ID, id.length);
  const type = own(call, "type");
  if (type === undefined) return missing(`${path}.type`);
  if (type === "custom")
    return typeof own(own(call, "custom"), "input") === "string" ? null : missing(`${path}.custom.input`);
  if (type !== "function")
    return invalidValue(
      `${path}.type`,
      `Invalid value: '${String(type)}'. Supported values are: 'function' and 'custom'.`,
    );
  const fn = own(call, "function");
  if (!isObject(fn)) return missing(`${path}.function`);
  const name = own(fn, "name");
  if (typeof name !== "string") return missing(`${path}.function.name`);
  if (!/^[a-zA-Z0-9_-]+$/.test(name))
    return invalidValue(
      `${path}.function.name`,
      `Invalid '${path}.function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
    );
  if (name.length > 64) return tooLong(`${path}.function.name`, 64, name.length);
  const text = own(fn, "arguments");
  if (text === undefined) return missing(`${path}.function.arguments`);
  return typeof text === "string" ? null : wrongType(`${path}.function.arguments`, "a string", text);
}

/** Refuses tool messages without their call, and calls without their answer directly behind them. */
export function checkToolOrder(messages: readonly Json[]): Refusal | null {
  let open: Set<string> | null = null;
  let owner = 0;
  for (const [index, message] of messages.entries()) {
    const role = own(message, "role");
    if (role === "tool") {
      const id = String(own(message, "tool_call_id"));
      if (open === null) {
        return refuse(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
          null,
        );
      }
      if (!callIds(messages[owner]).includes(id)) {
        return refuse(
          `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`,
          `messages.[${index}].tool_call_id`,
          null,
        );
      }
      open.delete(id);
      continue;
    }
    if (open !== null && open.size > 0) return unanswered(open, owner + 1);
    const ids = role === "assistant" ? callIds(message) : [];
    open = ids.length === 0 ? null : new Set(ids);
    owner = index;
  }
  return open !== null && open.size > 0 ? unanswered(open, messages.length) : null;
}

function callIds(message: Json | undefined): readonly string[] {
  return arrayOf(own(message, "tool_calls")).map((call) => String(own(call, "id")));
}

function unanswered(ids: ReadonlySet<string>, at: number): Refusal {
  return refuse(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(", ")}`,
    `messages.[${at}].role`,
    null,
  );
}
