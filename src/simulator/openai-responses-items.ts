/** What Responses demands of its input items: shapes, and the order of calls, outputs and reasoning. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import {
  checkField,
  checkKeys,
  invalidValue,
  isImageData,
  missing,
  readDataUrl,
  refuse,
  tooLong,
  unsupportedParameter,
  wrongType,
} from "./openai-checks.ts";
import { checkName } from "./openai-tools.ts";
import { arrayOf } from "./read-chat.ts";
import { firstOf, type Refusal } from "./refusal.ts";
import type { Signer } from "./signature.ts";

const MAX_CALL_ID = 64;

/** Content part types by role. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  user: ["input_text", "input_image", "input_file", "input_audio"],
  system: ["input_text", "input_image", "input_file"],
  developer: ["input_text", "input_image", "input_file"],
  assistant: ["output_text", "refusal"],
};

const MARKED = "prompt_cache_breakpoint";

/** Keys of a content part by its type. */
const PART_KEYS: Readonly<Record<string, readonly string[]>> = {
  input_text: ["type", "text", MARKED],
  input_image: ["type", "image_url", "file_id", "detail", MARKED],
  input_file: ["type", "filename", "file_data", "file_id", "file_url", "detail", MARKED],
  input_audio: ["type", "input_audio"],
  output_text: ["type", "text", "annotations", "logprobs"],
  refusal: ["type", "refusal"],
};

const CALL_KEYS = ["type", "id", "call_id", "name", "status", "namespace", "async", "caller"];
const OUTPUT_KEYS = ["type", "id", "call_id", "output", "status", "caller"];

/** Keys of an item by its type; items of other types are not looked into. */
const ITEM_KEYS: Readonly<Record<string, readonly string[]>> = {
  message: ["type", "role", "content", "id", "status", "phase"],
  function_call: [...CALL_KEYS, "arguments"],
  custom_tool_call: [...CALL_KEYS, "input"],
  function_call_output: OUTPUT_KEYS,
  custom_tool_call_output: OUTPUT_KEYS,
  reasoning: ["type", "id", "summary", "content", "encrypted_content", "status"],
};

/** Types of items, most of them made by the provider's own tools. */
const ITEM_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(ITEM_KEYS),
  "web_search_call",
  "file_search_call",
  "image_generation_call",
  "code_interpreter_call",
  "computer_call",
  "computer_call_output",
  "local_shell_call",
  "local_shell_call_output",
  "shell_call",
  "shell_call_output",
  "apply_patch_call",
  "apply_patch_call_output",
  "mcp_list_tools",
  "mcp_call",
  "mcp_approval_request",
  "mcp_approval_response",
  "tool_search_call",
  "tool_search_output",
  "additional_tools",
  "compaction",
  "item_reference",
]);

/** Shape of one input item. */
export function checkItem(item: Json, index: number): Refusal | null {
  const path = `input[${index}]`;
  if (!isObject(item)) return wrongType(path, "an object", item);
  const type = own(item, "type") ?? "message";
  if (typeof type !== "string" || !ITEM_TYPES.has(type))
    return invalidValue(path, `Invalid value: '${JSON.stringify(type)}'. Supported values are the types of items.`);
  const extra = Object.hasOwn(ITEM_KEYS, type) ? checkKeys(path, item, ITEM_KEYS[type] ?? []) : null;
  if (extra !== null) return extra;
  if (type === "message") return checkMessage(path, item);
  if (type === "reasoning") return own(item, "summary") === undefined ? missing(`${path}.summary`) : null;
  if (type === "function_call" || type === "custom_tool_call") {
    const text = type === "function_call" ? "arguments" : "input";
    return (
      checkCallId(path, item) ??
      checkName(`${path}.name`, own(item, "name")) ??
      (own(item, text) === undefined
        ? missing(`${path}.${text}`)
        : checkField(`${path}.${text}`, own(item, text), { type: "string" }))
    );
  }
  if (type === "function_call_output" || type === "custom_tool_call_output") {
    if (own(item, "output") === undefined) return missing(`${path}.output`);
    return (
      checkCallId(path, item) ??
      firstOf(arrayOf(own(item, "output")), (part, at) => checkPart(`${path}.output[${at}]`, "user", part))
    );
  }
  return null;
}

function checkMessage(path: string, item: JsonObject): Refusal | null {
  const role = own(item, "role");
  if (typeof role !== "string") return missing(`${path}.role`);
  if (!Object.hasOwn(PARTS, role))
    return invalidValue(
      `${path}.role`,
      `Invalid value: '${role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
    );
  const content = own(item, "content");
  if (content === undefined || content === null) return missing(`${path}.content`);
  return firstOf(arrayOf(content), (part, at) => checkPart(`${path}.content[${at}]`, role, part));
}

function checkPart(path: string, role: string, part: Json): Refusal | null {
  const type = own(part, "type");
  if (typeof type !== "string") return missing(`${path}.type`);
  const known = PARTS[role] ?? [];
  if (!known.includes(type))
    return invalidValue(
      path,
      `Invalid value: '${type}'. Supported values are: ${known.map((name) => `'${name}'`).join(", ")}.`,
    );
  const extra = isObject(part) ? checkKeys(path, part, PART_KEYS[type] ?? []) : null;
  if (extra !== null) return extra;
  if (type === "input_text" || type === "output_text")
    return typeof own(part, "text") === "string" ? null : missing(`${path}.text`);
  const url = type === "input_image" ? own(part, "image_url") : own(part, "file_data");
  if (typeof url !== "string") return null;
  const data = readDataUrl(url);
  if (type === "input_image")
    return data === null || (data.valid && isImageData(url.slice(url.indexOf(",") + 1)))
      ? null
      : refuse(
          "The image data you provided does not represent a valid image. Please check your input and try again with one of the supported image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
          "input",
          "invalid_image_format",
        );
  return data !== null && data.valid && !/^(audio|video)\//.test(data.mediaType)
    ? null
    : invalidValue(
        `${path}.file_data`,
        `Invalid file data: '${path}.file_data'. Expected a base64-encoded data URL with a valid file MIME type.`,
      );
}

function checkCallId(path: string, item: JsonObject): Refusal | null {
  const id = own(item, "call_id");
  if (typeof id !== "string") return missing(`${path}.call_id`);
  return id.length > MAX_CALL_ID ? tooLong(`${path}.call_id`, MAX_CALL_ID, id.length) : null;
}

/** Explicit cache markers, which older models do not know. */
export function checkMarkers(items: readonly Json[], takesMarkers: boolean): Refusal | null {
  if (takesMarkers) return null;
  return firstOf(items, (item, index) =>
    firstOf(["content", "output"], (field) =>
      firstOf(arrayOf(own(item, field)), (part, at) =>
        own(part, MARKED) === undefined ? null : unsupportedParameter(`input[${index}].${field}[${at}].${MARKED}`),
      ),
    ),
  );
}

/** A reasoning item belongs to the output behind it and cannot stand alone. */
export function checkReasoningFollowed(items: readonly Json[]): Refusal | null {
  return firstOf(items, (item, index) => {
    if (own(item, "type") !== "reasoning") return null;
    const next = items[index + 1];
    const role = own(next, "role");
    const follows =
      next !== undefined &&
      (role === "assistant" || role === undefined) &&
      !String(own(next, "type")).endsWith("_output");
    return follows
      ? null
      : refuse(
          `Item '${String(own(item, "id"))}' of type 'reasoning' was provided without its required following item.`,
          "input",
          null,
        );
  });
}

/** Every output has its call and every call its output. */
export function checkCallOrder(items: readonly Json[]): Refusal | null {
  // A reference stands for an item that the provider kept: what it was cannot be seen here.
  if (items.some((item) => own(item, "type") === "item_reference")) return null;
  const ids = (ending: string): readonly string[] =>
    items
      .filter((item) => [`function_call${ending}`, `custom_tool_call${ending}`].includes(String(own(item, "type"))))
      .map((item) => String(own(item, "call_id")));
  const calls = new Set(ids(""));
  const outputs = new Set(ids("_output"));
  // A client-side tool search is answered by a function call's output too.
  const searches = new Set(
    items.filter((item) => own(item, "type") === "tool_search_call").map((item) => String(own(item, "call_id"))),
  );
  const orphan = [...outputs].find((id) => !calls.has(id) && !searches.has(id));
  if (orphan !== undefined)
    return refuse(`No tool call found for function call output with call_id ${orphan}.`, "input", null);
  const open = [...calls].find((id) => !outputs.has(id));
  return open === undefined ? null : refuse(`No tool output found for function call ${open}.`, "input", null);
}

/** Encrypted reasoning must be the provider's own, unchanged. */
export function checkReasoningItem(item: Json, signer: Signer): Refusal | null {
  const sealed = own(item, "encrypted_content");
  if (own(item, "type") !== "reasoning" || typeof sealed !== "string") return null;
  const state = signer.verify(sealed, { model: "", thinking: "", prefixes: null });
  if (state !== "foreign" && state !== "modified") return null;
  return refuse(
    `The encrypted content for item ${String(own(item, "id"))} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
    null,
    "invalid_encrypted_content",
  );
}
