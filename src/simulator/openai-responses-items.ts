/** What Responses demands of its input items: shapes, and the order of calls, outputs and reasoning. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import {
  checkField,
  invalidValue,
  isImageData,
  missing,
  readDataUrl,
  refuse,
  tooLong,
  unknownParameter,
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

/** Shape of one input item. */
export function checkItem(item: Json, index: number): Refusal | null {
  const path = `input[${index}]`;
  if (!isObject(item)) return wrongType(path, "an object", item);
  const type = own(item, "type") ?? "message";
  if (type === "message") return checkMessage(path, item);
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
  const extra = Object.keys(item).find((key) => !["type", "role", "content", "id", "status", "phase"].includes(key));
  if (extra !== undefined) return unknownParameter(`${path}.${extra}`);
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
