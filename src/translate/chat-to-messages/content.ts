/** Content parts of Chat messages as Anthropic blocks. Blocks in Anthropic's own shape are taken as they are. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderFileBlock, renderImageBlock } from "../maps/media.ts";
import type { FieldRow } from "../translator.ts";
import { markLast, readMarker } from "../messages-upstream/cache-markers.ts";
import { ownText } from "../messages-upstream/own-text.ts";

/** Block types of Anthropic that clients mix into Chat messages. */
const NATIVE_BLOCKS: ReadonlySet<string> = new Set([
  "image",
  "document",
  "search_result",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
  "server_tool_use",
  "mcp_tool_use",
  "container_upload",
  "tool_reference",
  "compaction",
]);

/** An upload does not say what it holds; its name may. */
const IMAGE_NAME = /\.(?:png|jpe?g|gif|webp)$/i;

/** What becomes of content parts. */
export const CONTENT_ROWS: readonly FieldRow[] = [
  { field: "messages[].content[].text", outcomes: ["M"], becomes: "a text block; blank ones are left out" },
  {
    field: "messages[].content[].image_url",
    outcomes: ["M", "R"],
    becomes:
      "an image block, base64 or https URL; JPEG, PNG, GIF and WebP, told by their first bytes; other types and schemes are refused; `detail` has no effect",
  },
  { field: "messages[].content[].input_audio", outcomes: ["R"], becomes: "refused: Claude does not listen" },
  {
    field: "messages[].content[].file",
    outcomes: ["M", "R"],
    becomes:
      "a document (PDF, text) or an image; `file_id` of an Anthropic upload; OpenAI ids and other types are refused",
  },
  {
    field: "messages[].content[].refusal",
    outcomes: ["M"],
    becomes: "a text block",
  },
  {
    field: "messages[].content[] in Anthropic's shape",
    outcomes: ["M"],
    becomes: "the same; a tool result is put where Claude wants it",
  },
];

/** What becomes of cache markers. */
export const CACHE_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content[].prompt_cache_breakpoint",
    outcomes: ["M"],
    becomes: "`cache_control` of that block; `ttl: 12h` → `1h`; of more than four the last ones are kept",
  },
  {
    field: "messages[].cache_control, messages[].content[].cache_control",
    outcomes: ["M"],
    becomes: "the same (extension) on that block, or on the last block of the message",
  },
];

/** Where a part stands, and the lifetime of markers that name none. */
export interface PartContext {
  readonly path: string;
  readonly markerTtl: "1h" | null;
}

/**
 * Blocks of the message at `index` of the history. A marker on the message goes to its last block.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the part
 */
export function renderMessageContent(
  message: JsonObject,
  index: number,
  markerTtl: "1h" | null,
): readonly JsonObject[] {
  const content = own(message, "content");
  const marker = readMarker(message, markerTtl);
  // Most messages are a text, in which nothing can be wrong that would have to be named.
  if (isString(content)) return markLast([{ type: "text", text: content }], marker);
  return markLast(renderContent(content, { path: `messages[${index}].content`, markerTtl }), marker);
}

/**
 * Blocks of a `content`: a string, an array of parts, or nothing.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the part
 */
export function renderContent(content: Json | undefined, context: PartContext): readonly JsonObject[] {
  if (content === undefined || content === null) return [];
  if (isString(content)) return [{ type: "text", text: content }];
  if (!isArray(content)) throw invalidRequest("content must be a string or an array of parts", context.path);
  return content.map((part, index) =>
    renderPart(part, { path: `${context.path}[${index}]`, markerTtl: context.markerTtl }),
  );
}

function renderPart(part: Json, context: PartContext): JsonObject {
  if (isString(part)) return { type: "text", text: part };
  if (!isObject(part)) throw invalidRequest("a content part must be an object", context.path);
  const type = own(part, "type") ?? (isString(own(part, "text")) ? "text" : null);
  const block = isString(type) ? renderTyped(part, type, context) : null;
  if (block === null) {
    throw invalidRequest("content part type is not known; send text, image_url or file", `${context.path}.type`);
  }
  if (block === part) return block;
  const marker = readMarker(part, context.markerTtl);
  return marker === null ? block : { ...block, cache_control: marker };
}

function renderTyped(part: JsonObject, type: string, context: PartContext): JsonObject | null {
  switch (type) {
    case "text":
    case "input_text":
    case "output_text":
      return { type: "text", text: readText(part, "text", context.path) };
    case "refusal":
      return { type: "text", text: readText(part, "refusal", context.path) };
    case "image_url": {
      const holder = own(part, "image_url");
      const url = isString(holder) ? holder : own(holder, "url");
      const path = `${context.path}.image_url.url`;
      if (!isString(url)) throw invalidRequest("image_url needs a url", path, "missing_required_parameter");
      return renderImageBlock(url, path);
    }
    case "input_audio":
      throw unsupported(`${context.path}.input_audio`, "this model takes no audio; send a transcript");
    case "file":
      return renderFile(own(part, "file"), `${context.path}.file`);
    default:
      return NATIVE_BLOCKS.has(type) || type.endsWith("_tool_result") ? part : null;
  }
}

function readText(part: JsonObject, name: string, path: string): string {
  const text = own(part, name);
  if (!isString(text)) throw invalidRequest(`${name} must be a string`, `${path}.${name}`);
  return text;
}

function renderFile(file: Json | undefined, path: string): JsonObject {
  const fileId = own(file, "file_id");
  if (isString(fileId)) {
    if (fileId.startsWith("file_")) {
      const type = IMAGE_NAME.test(ownText(file, "filename")) ? "image" : "document";
      return { type, source: { type: "file", file_id: fileId } };
    }
    throw unsupported(
      `${path}.file_id`,
      "the file is stored at OpenAI, where this model cannot read it; send file_data",
    );
  }
  const data = own(file, "file_data");
  if (!isString(data) || data === "") {
    throw invalidRequest("file needs file_data or file_id", `${path}.file_data`, "missing_required_parameter");
  }
  const filename = own(file, "filename");
  return renderFileBlock(data, isString(filename) && filename !== "" ? filename : null, `${path}.file_data`);
}
