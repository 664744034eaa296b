/** Tool calls of a Chat message or delta, in either of the forms that Chat has had. */
import { isArray, isObject, own, type Json } from "../../base/json.ts";

/** `tool_calls`, or the one call of the older `function_call` in their shape (it has no id). */
export function callsOf(holder: Json | undefined): readonly Json[] {
  const calls = own(holder, "tool_calls");
  if (isArray(calls) && calls.length > 0) return calls;
  const legacy = own(holder, "function_call");
  return isObject(legacy) ? [{ index: 0, type: "function", function: legacy }] : [];
}
