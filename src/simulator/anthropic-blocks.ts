/** Content blocks of Messages: which a role may hold, and what each block looks like. */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkExtra, checkRequired, checkShape, refuse, required, type Shape } from "./anthropic-checks.ts";
import { isBase64, isImageData } from "./openai-checks.ts";
import { arrayOf } from "./read-chat.ts";
import { firstOf, type Refusal } from "./refusal.ts";

const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;
const STRING: Shape = { type: "string" };

interface BlockRow {
  readonly roles: readonly ("user" | "assistant" | "system" | "tool_result")[];
  readonly keys: readonly string[];
  readonly check: (path: string, block: JsonObject) => Refusal | null;
}

const nothing = (): null => null;
/** Result blocks of server tools differ in their contents, which go back as they came. */
const serverResult: BlockRow = {
  roles: ["assistant"],
  keys: ["type", "tool_use_id", "content", "cache_control", "caller"],
  check: (path, block) => checkRequired(path, block, "tool_use_id", STRING),
};
const passive = (roles: BlockRow["roles"], keys: readonly string[]): BlockRow => ({
  roles,
  keys: ["type", "cache_control", ...keys],
  check: nothing,
});

/** Every content block: the turns that may hold it, its keys, and what is checked inside. */
export const BLOCKS: Readonly<Record<string, BlockRow>> = {
  text: {
    roles: ["user", "assistant", "system", "tool_result"],
    keys: ["type", "text", "cache_control", "citations"],
    check: (path, block) =>
      checkRequired(path, block, "text", STRING) ??
      checkShape(`${path}.citations`, own(block, "citations"), { type: "array", nullable: true }),
  },
  image: {
    roles: ["user", "tool_result"],
    keys: ["type", "source", "cache_control", "transformations"],
    check: (path, block) => checkSource(path, block, ["base64", "url", "file"]),
  },
  document: {
    roles: ["user", "assistant", "tool_result"],
    keys: ["type", "source", "cache_control", "citations", "context", "title"],
    check: (path, block) => checkSource(path, block, ["base64", "text", "content", "url", "file"]),
  },
  search_result: {
    roles: ["user", "tool_result"],
    keys: ["type", "source", "title", "content", "citations", "cache_control"],
    check: (path, block) =>
      checkRequired(path, block, "source", STRING) ??
      checkRequired(path, block, "title", STRING) ??
      checkRequired(path, block, "content", { type: "array" }),
  },
  tool_use: {
    roles: ["assistant"],
    keys: ["type", "id", "name", "input", "cache_control", "caller"],
    check: checkToolUse,
  },
  tool_result: {
    roles: ["user"],
    keys: ["type", "tool_use_id", "content", "is_error", "cache_control"],
    check: checkToolResult,
  },
  thinking: {
    roles: ["assistant"],
    keys: ["type", "thinking", "signature"],
    check: (path, block) =>
      checkRequired(path, block, "thinking", STRING) ?? checkRequired(path, block, "signature", STRING),
  },
  redacted_thinking: {
    roles: ["assistant"],
    keys: ["type", "data"],
    check: (path, block) => checkRequired(path, block, "data", STRING),
  },
  server_tool_use: {
    roles: ["assistant"],
    keys: ["type", "id", "name", "input", "cache_control", "caller"],
    check: (path, block) =>
      checkRequired(path, block, "id", STRING) ??
      checkRequired(path, block, "name", STRING) ??
      checkRequired(path, block, "input", { type: "object" }),
  },
  web_search_tool_result: serverResult,
  web_fetch_tool_result: serverResult,
  code_execution_tool_result: serverResult,
  bash_code_execution_tool_result: serverResult,
  text_editor_code_execution_tool_result: serverResult,
  tool_search_tool_result: serverResult,
  advisor_tool_result: serverResult,
  mcp_tool_use: passive(["assistant"], ["id", "name", "input", "server_name"]),
  mcp_tool_result: passive(["assistant", "user"], ["tool_use_id", "content", "is_error"]),
  container_upload: passive(["user"], ["file_id"]),
  compaction: passive(["assistant"], ["content", "encrypted_content", "signature"]),
  fallback: passive(["assistant"], ["from", "to", "trigger"]),
  tool_reference: passive(["tool_result"], ["tool_name"]),
  tool_addition: passive(["system"], ["tool"]),
  tool_removal: passive(["system"], ["tool"]),
  browser_state: passive(["user", "tool_result"], ["state", "content"]),
};

/** Refuses a block that is unknown, in the wrong turn or out of shape. `path` as `messages.0.content.1`. */
export function checkBlock(path: string, role: BlockRow["roles"][number], block: Json): Refusal | null {
  if (!isObject(block)) return refuse(`${path}: Input should be a valid dictionary or object to extract fields from`);
  const type = own(block, "type");
  if (type === undefined) return required(`${path}.type`);
  const row = typeof type === "string" && Object.hasOwn(BLOCKS, type) ? BLOCKS[type] : undefined;
  if (row === undefined) {
    return refuse(
      `${path}: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: ${Object.keys(
        BLOCKS,
      )
        .map((name) => `'${name}'`)
        .join(", ")}`,
    );
  }
  if (!row.roles.includes(role))
    return refuse(
      `${path}: \`${String(type)}\` blocks are not permitted in ${role === "tool_result" ? "`tool_result` blocks" : `\`${role}\` messages`}`,
    );
  const inner = `${path}.${String(type)}`;
  return checkExtra(inner, block, row.keys) ?? checkCacheControl(inner, block) ?? row.check(inner, block);
}

function checkCacheControl(path: string, block: JsonObject): Refusal | null {
  const control = own(block, "cache_control");
  if (control === undefined || control === null) return null;
  if (!isObject(control)) return refuse(`${path}.cache_control: Input should be a valid dictionary`);
  const kind = own(control, "type");
  if (kind === undefined) return required(`${path}.cache_control.type`);
  if (kind !== "ephemeral") return refuse(`${path}.cache_control.type: Input should be 'ephemeral'`);
  const extra = checkExtra(`${path}.cache_control.ephemeral`, control, ["type", "ttl"]);
  if (extra !== null) return extra;
  const ttl = own(control, "ttl");
  if (ttl !== undefined && ttl !== null && ttl !== "5m" && ttl !== "1h")
    return refuse(`${path}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'`);
  return own(block, "type") === "text" && own(block, "text") === ""
    ? refuse(`${path.replace(/\.text$/, "")}.text: cache_control cannot be set for empty text blocks`)
    : null;
}

function checkToolUse(path: string, block: JsonObject): Refusal | null {
  const id =
    checkRequired(path, block, "id", STRING) ??
    (/^[a-zA-Z0-9_-]+$/.test(String(own(block, "id")))
      ? null
      : refuse(`${path}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`));
  return (
    id ??
    checkRequired(path, block, "name", STRING) ??
    checkToolName(`${path}.name`, own(block, "name")) ??
    checkRequired(path, block, "input", { type: "object" })
  );
}

/** Tool names: 1 to 128 characters of a small alphabet. */
export function checkToolName(path: string, name: Json | undefined): Refusal | null {
  if (typeof name !== "string") return required(path);
  return /^[a-zA-Z0-9_-]{1,128}$/.test(name)
    ? null
    : refuse(`${path}: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
}

function checkToolResult(path: string, block: JsonObject): Refusal | null {
  const shape =
    checkRequired(path, block, "tool_use_id", STRING) ??
    (/^[a-zA-Z0-9_-]+$/.test(String(own(block, "tool_use_id")))
      ? null
      : refuse(`${path}.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'`)) ??
    checkShape(`${path}.is_error`, own(block, "is_error"), { type: "boolean", nullable: true }) ??
    checkShape(`${path}.content`, own(block, "content"), { type: "string or array", nullable: true });
  if (shape !== null) return shape;
  return firstOf(
    arrayOf(own(block, "content")),
    (inner, index) =>
      checkBlock(`${path}.content.${index}`, "tool_result", inner) ?? emptyText(`${path}.content.${index}`, inner),
  );
}

/** Empty text is no block. */
export function emptyText(path: string, block: Json): Refusal | null {
  return own(block, "type") === "text" && own(block, "text") === ""
    ? refuse(`${path === "" ? "messages" : path.split(".")[0]}: text content blocks must be non-empty`)
    : null;
}

/** Refuses text that is only blanks, as the vendor does beside other blocks. */
export function blankText(block: Json): Refusal | null {
  const text = own(block, "text");
  return own(block, "type") === "text" && typeof text === "string" && text.trim() === ""
    ? refuse("messages: text content blocks must contain non-whitespace text")
    : null;
}

const SOURCE_KEYS: Readonly<Record<string, readonly string[]>> = {
  base64: ["type", "media_type", "data"],
  text: ["type", "media_type", "data"],
  content: ["type", "content"],
  url: ["type", "url"],
  file: ["type", "file_id"],
};

function checkSource(path: string, block: JsonObject, kinds: readonly string[]): Refusal | null {
  const source = own(block, "source");
  if (source === undefined) return required(`${path}.source`);
  if (!isObject(source)) return refuse(`${path}.source: Input should be a valid dictionary`);
  const kind = own(source, "type");
  if (typeof kind !== "string" || !kinds.includes(kind))
    return refuse(
      `${path}.source: Input tag '${String(kind)}' found using 'type' does not match any of the expected tags: ${kinds.map((name) => `'${name}'`).join(", ")}`,
    );
  const at = `${path}.source.${kind}`;
  const extra = checkExtra(at, source, SOURCE_KEYS[kind] ?? []);
  if (extra !== null) return extra;
  if (kind === "url") return checkUrl(at, source);
  if (kind === "file") return checkFileId(at, source);
  if (kind === "content")
    return isArray(own(source, "content")) || typeof own(source, "content") === "string"
      ? null
      : required(`${at}.content`);
  const image = own(block, "type") === "image";
  const media: readonly string[] = kind === "text" ? ["text/plain"] : image ? IMAGE_TYPES : ["application/pdf"];
  const shape =
    checkRequired(at, source, "media_type", { type: "string", oneOf: media }) ??
    checkRequired(at, source, "data", STRING);
  if (shape !== null || kind === "text") return shape;
  const data = String(own(source, "data"));
  if (!isBase64(data)) return refuse(`${at}.data: The ${image ? "image" : "PDF"} was not valid base64 data`);
  if (image)
    return isImageData(data)
      ? null
      : refuse(`${path.replace(/\.image$/, "")}.image.source.base64: Could not process image`);
  return data.startsWith("JVBER") ? null : refuse(`${at}.data: The PDF specified was not valid.`);
}

function checkUrl(path: string, source: JsonObject): Refusal | null {
  const shape = checkRequired(path, source, "url", STRING);
  if (shape !== null) return shape;
  return String(own(source, "url")).startsWith("https://")
    ? null
    : refuse(`${path}.url: Only HTTPS URLs are supported.`);
}

function checkFileId(path: string, source: JsonObject): Refusal | null {
  const shape = checkRequired(path, source, "file_id", STRING);
  if (shape !== null) return shape;
  return String(own(source, "file_id")).startsWith("file_")
    ? null
    : refuse(`File not found: ${String(own(source, "file_id"))}`, 404, "not_found_error");
}
