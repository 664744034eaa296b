/** What Chat Completions demands of `messages`: roles, contents, parts, and the order of tool calls and their answers. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkCalls } from "./openai-chat-calls.ts";
import {
  checkKeys,
  invalidValue,
  isBase64,
  isImageData,
  missing,
  readDataUrl,
  refuse,
  unsupportedValue,
  wrongType,
} from "./openai-checks.ts";
import type { OpenAiModel } from "./openai-models.ts";
import { firstOf, type Refusal } from "./refusal.ts";

const ROLES = ["system", "assistant", "user", "function", "tool", "developer"] as const;

const MESSAGE_KEYS = {
  system: ["role", "content", "name"],
  developer: ["role", "content", "name"],
  user: ["role", "content", "name"],
  assistant: ["role", "content", "name", "refusal", "tool_calls", "function_call", "audio", "annotations"],
  tool: ["role", "content", "tool_call_id", "name"],
  function: ["role", "content", "name"],
} as const;

const PART_TYPES: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  system: ["text"],
  developer: ["text"],
  user: ["text", "image_url", "input_audio", "file"],
  assistant: ["text", "refusal"],
  tool: ["text"],
  function: ["text"],
};

const PART_KEYS: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "prompt_cache_breakpoint"],
  refusal: ["type", "refusal"],
  image_url: ["type", "image_url", "prompt_cache_breakpoint"],
  input_audio: ["type", "input_audio", "prompt_cache_breakpoint"],
  file: ["type", "file", "prompt_cache_breakpoint"],
};

const IMAGE_TYPES: readonly string[] = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"];

/** Refuses a single message that is out of shape. */
export function checkMessage(message: Json, index: number, model: OpenAiModel): Refusal | null {
  const path = `messages[${index}]`;
  if (!isObject(message)) return wrongType(path, "an object", message);
  const role = own(message, "role");
  if (role === undefined) return missing(`${path}.role`);
  const known = ROLES.find((name) => name === role);
  if (known === undefined) {
    return invalidValue(
      `${path}.role`,
      `Invalid value: '${String(role)}'. Supported values are: ${ROLES.map((name) => `'${name}'`).join(", ")}.`,
    );
  }
  if ((known === "system" && !model.systemRole) || (known === "developer" && !model.developerRole)) {
    return refuse(
      `Unsupported value: '${path}.role' does not support '${known}' with this model.`,
      `${path}.role`,
      "unsupported_value",
    );
  }
  return (
    checkKeys(path, message, MESSAGE_KEYS[known]) ??
    checkContent(path, known, message, model) ??
    checkCalls(path, known, message)
  );
}

function checkContent(
  path: string,
  role: (typeof ROLES)[number],
  message: JsonObject,
  model: OpenAiModel,
): Refusal | null {
  const content = own(message, "content");
  if (content === undefined || content === null) {
    // Recorded as accepted: an assistant message without content, even without calls.
    if (role === "assistant" || (role === "function" && content === null)) return null;
    return content === null
      ? refuse(`Invalid value for 'content': expected a string, got null.`, path.replace("[", ".[") + ".content", null)
      : missing(`${path}.content`);
  }
  if (typeof content === "string") return null;
  if (!isArray(content)) return wrongType(`${path}.content`, "one of a string or array of objects", content);
  if (content.length === 0) {
    return refuse(
      `Invalid '${path}.content': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${path}.content`,
      "empty_array",
    );
  }
  return firstOf(content, (part, index) => checkPart(`${path}.content[${index}]`, path, role, part, model));
}

function checkPart(
  path: string,
  messagePath: string,
  role: (typeof ROLES)[number],
  part: Json,
  model: OpenAiModel,
): Refusal | null {
  if (!isObject(part)) return wrongType(path, "an object", part);
  const type = own(part, "type");
  if (type === undefined) return missing(`${path}.type`);
  if (typeof type !== "string" || !PART_TYPES[role].includes(type) || (type === "input_audio" && !model.audio)) {
    return role === "user" || role === "tool"
      ? refuse(
          `Invalid '${messagePath}'. Content blocks are expected to be either text or image_url type.`,
          messagePath,
          "invalid_value",
        )
      : invalidValue(
          `${path}.type`,
          `Invalid value: '${String(type)}'. Supported values are: ${PART_TYPES[role].map((name) => `'${name}'`).join(", ")}.`,
        );
  }
  const keys = checkKeys(path, part, PART_KEYS[type] ?? []);
  if (keys !== null) return keys;
  if (own(part, "prompt_cache_breakpoint") !== undefined && !model.cacheBreakpoints) {
    return refuse(
      `Unsupported parameter: '${path}.prompt_cache_breakpoint' is not supported with this model.`,
      `${path}.prompt_cache_breakpoint`,
      "unsupported_parameter",
    );
  }
  if (type === "text" && typeof own(part, "text") !== "string")
    return own(part, "text") === undefined
      ? missing(`${path}.text`)
      : wrongType(`${path}.text`, "a string", part["text"] ?? null);
  if (type === "image_url") return checkImage(path, part, model);
  if (type === "file") return checkFile(path, part);
  return type === "input_audio" ? checkAudio(path, part) : null;
}

function checkImage(path: string, part: JsonObject, model: OpenAiModel): Refusal | null {
  const sent = own(part, "image_url");
  if (sent === undefined) return missing(`${path}.image_url`);
  // Recorded as accepted: the bare address.
  const image: Json = typeof sent === "string" ? { url: sent } : sent;
  if (!isObject(image)) return wrongType(`${path}.image_url`, "an object", image);
  const keys = checkKeys(`${path}.image_url`, image, ["url", "detail"]);
  if (keys !== null) return keys;
  const url = own(image, "url");
  if (url === undefined) return missing(`${path}.image_url.url`);
  if (typeof url !== "string") return wrongType(`${path}.image_url.url`, "a string", url);
  if (!model.vision)
    return refuse(
      "Invalid content type. image_url is only supported by certain models.",
      `messages.[${path.match(/\d+/)?.[0] ?? 0}].content.[0].type`,
      null,
    );
  const data = readDataUrl(url);
  if (data === null) {
    return /^https?:\/\//.test(url)
      ? null
      : refuse(
          `Invalid '${path}.image_url.url'. Expected a valid URL, but got a value with an invalid format.`,
          `${path}.image_url.url`,
          "invalid_value",
        );
  }
  if (!data.valid)
    return refuse(
      `Invalid '${path}.image_url.url'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid base64-encoded value.`,
      `${path}.image_url.url`,
      "invalid_base64",
    );
  return IMAGE_TYPES.includes(data.mediaType) && isImageData(url.slice(url.indexOf(",") + 1))
    ? null
    : refuse(
        "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
        null,
        "invalid_image_format",
      );
}

function checkFile(path: string, part: JsonObject): Refusal | null {
  const file = own(part, "file");
  if (!isObject(file)) return missing(`${path}.file`);
  const keys = checkKeys(`${path}.file`, file, ["file_data", "file_id", "filename"]);
  if (keys !== null) return keys;
  const data = own(file, "file_data");
  const id = own(file, "file_id");
  if (typeof id === "string")
    return id.startsWith("file-")
      ? null
      : invalidValue(
          `${path}.file.file_id`,
          `Invalid '${path}.file.file_id': '${id}'. Expected an ID that begins with 'file-'.`,
        );
  if (typeof data !== "string") return missing(`${path}.file.file_id`);
  const url = readDataUrl(data);
  if (url === null || !url.valid)
    return invalidValue(
      `${path}.file.file_data`,
      `Invalid file data: '${path}.file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix.`,
    );
  if (typeof own(file, "filename") !== "string") return missing(`${path}.file.filename`);
  return url.mediaType === "application/pdf"
    ? null
    : invalidValue(
        `${path}.file.file_data`,
        `Invalid file data: '${path}.file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type, but got unsupported MIME type '${url.mediaType}'.`,
      );
}

function checkAudio(path: string, part: JsonObject): Refusal | null {
  const audio = own(part, "input_audio");
  const data = own(audio, "data");
  if (typeof data !== "string") return missing(`${path}.input_audio.data`);
  if (!isBase64(data))
    return invalidValue(
      `${path}.input_audio.data`,
      `Invalid '${path}.input_audio.data'. Expected base64-encoded data.`,
    );
  const format = own(audio, "format");
  return format === "wav" || format === "mp3"
    ? null
    : unsupportedValue(`${path}.input_audio.format`, format ?? null, "Supported values are: 'wav' and 'mp3'.");
}
