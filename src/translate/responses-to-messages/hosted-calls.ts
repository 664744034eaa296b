/** Calls of tools that ran at OpenAI, or that Claude is not given, in a history: what they did, as text. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";

/** What becomes of such items. */
export const HOSTED_CALL_ROWS: readonly FieldRow[] = [
  {
    field: "input[] web_search_call, file_search_call, code_interpreter_call, image_generation_call, mcp_call, …",
    outcomes: ["A"],
    becomes:
      "text of the assistant that says what was asked and what came of it, without images; `mcp_list_tools` has no effect",
  },
];

/** What each kind was asked, and what it gave back. */
const PARTS: Readonly<Record<string, readonly [asked: string, given: string]>> = {
  web_search_call: ["action", "results"],
  file_search_call: ["queries", "results"],
  code_interpreter_call: ["code", "outputs"],
  image_generation_call: ["revised_prompt", ""],
  mcp_call: ["arguments", "output"],
  mcp_approval_request: ["arguments", ""],
  mcp_approval_response: ["approve", "reason"],
  computer_call: ["action", ""],
  local_shell_call: ["action", ""],
  local_shell_call_output: ["", "output"],
  shell_call: ["action", ""],
  shell_call_output: ["", "output"],
  apply_patch_call: ["operation", ""],
  apply_patch_call_output: ["status", "output"],
};

/** One line for the item, such as `[web_search: query → results]`; null for an item of another type. */
export function renderHostedCall(item: JsonObject): string | null {
  const type = own(item, "type");
  if (!isString(type) || !Object.hasOwn(PARTS, type)) return null;
  const [asked, given] = PARTS[type] ?? ["", ""];
  const name = own(item, "name");
  const label = isString(name) ? name : type.replace(/_call(?=_|$)/, "");
  const question = tell(own(item, asked));
  const answer = tell(own(item, given) ?? own(item, "error"));
  const arrow = answer === "" ? "" : question === "" ? answer : ` → ${answer}`;
  return question === "" && arrow === "" ? `[${label}]` : `[${label}: ${question}${arrow}]`;
}

/** Fields that say what a value is about, the most telling one first. */
const TELLING = ["query", "command", "commands", "code", "text", "logs", "stdout", "url", "path", "diff", "filename"];

function tell(value: Json | undefined): string {
  if (isString(value)) return value;
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (isArray(value)) return value.map(tell).filter(Boolean).join(", ");
  if (!isObject(value)) return "";
  for (const key of TELLING) {
    const text = tell(own(value, key));
    if (text !== "") return text;
  }
  return "";
}
