/** Tool calls of a Chat message or delta, in either of the forms that Chat has had. */
import { isArray, isObject, isString, own, type Json } from "../../base/json.ts";

/** `tool_calls`, or the one call of the older `function_call` in their shape (it has no id). */
export function callsOf(holder: Json | undefined): readonly Json[] {
  const calls = own(holder, "tool_calls");
  if (isArray(calls) && calls.length > 0) return calls;
  const legacy = own(holder, "function_call");
  return isObject(legacy) ? [{ index: 0, type: "function", function: legacy }] : NO_CALLS;
}

const NO_CALLS: readonly Json[] = [];

/** Name and arguments of a whole call. A custom tool takes text, which Anthropic has no form for: it is the field `input`. */
export function readCall(call: Json): { readonly name: string; readonly argumentsText: string } {
  const custom = own(call, "custom");
  const called = isObject(custom) ? custom : own(call, "function");
  const name = own(called, "name");
  const text = isObject(custom) ? JSON.stringify({ input: own(custom, "input") ?? "" }) : own(called, "arguments");
  return { name: isString(name) ? name : "", argumentsText: isString(text) ? text : "" };
}
