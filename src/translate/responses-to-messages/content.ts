/** Content parts of Responses items as Anthropic blocks. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderFileBlock, renderImageBlock } from "../maps/media.ts";
import { readMarker } from "../messages-upstream/cache-markers.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import type { FieldRow } from "../translator.ts";

/** What becomes of content parts. */
export const CONTENT_ROWS: readonly FieldRow[] = [
  {
    field: "input[].content[] input_text, output_text, refusal",
    outcomes: ["M"],
    becomes: "a text block; blank ones are left out; annotations have no effect",
  },
  {
    field: "input[].content[] input_image",
    outcomes: ["M", "R"],
    becomes:
      "an image block, base64 or https URL, or `file_id` of an Anthropic upload; JPEG, PNG, GIF and WebP; OpenAI ids and other schemes are refused; `detail` has no effect",
  },
  {
    field: "input[].content[] input_file",
    outcomes: ["M", "R"],
    becomes:
      "a document (PDF, text) or an image; `file_url` a document by https URL; `file_id` of an Anthropic upload; OpenAI ids and other types are refused",
  },
  { field: "input[].content[] input_audio", outcomes: ["R"], becomes: "refused: Claude does not listen" },
  {
    field: "input[].content[].prompt_cache_breakpoint",
    outcomes: ["M"],
    becomes: "`cache_control` of that block; `ttl: 12h` → `1h`; of more than four the last ones are kept",
  },
];

/** An upload does not say what it holds; its name may. */
const IMAGE_NAME = /\.(?:png|jpe?g|gif|webp)$/i;

/**
 * Blocks of a `content` or `output`: a string, an array of parts, or nothing.
 * @throws GatewayError `invalid-request` or `unsupported-translation` naming the part
 */
export function renderContent(content: Json | undefined, path: string, markerTtl: "1h" | null): readonly JsonObject[] {
  if (content === undefined || content === null) return [];
  if (isString(content)) return [{ type: "text", text: content }];
  if (!isArray(content)) throw invalidRequest("content must be a string or an array of parts", path);
  return content.map((part, index) => {
    const partPath = `${path}[${index}]`;
    if (isString(part)) return { type: "text", text: part };
    if (!isObject(part)) throw invalidRequest("a content part must be an object", partPath);
    const block = renderPart(part, partPath);
    const marker = readMarker(part, markerTtl);
    return marker === null ? block : { ...block, cache_control: marker };
  });
}

function renderPart(part: JsonObject, path: string): JsonObject {
  const type = own(part, "type");
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
    case "summary_text":
      return { type: "text", text: readText(part, "text", path) };
    case "refusal":
      return { type: "text", text: readText(part, "refusal", path) };
    case "input_image":
      return renderImage(part, path);
    case "input_file":
      return renderFile(part, path);
    case "input_audio":
      throw unsupported(path, "this model takes no audio; send a transcript");
    default:
      throw invalidRequest(
        "content part type is not known; send input_text, input_image or input_file",
        `${path}.type`,
      );
  }
}

function readText(part: JsonObject, name: string, path: string): string {
  const text = own(part, name);
  if (!isString(text)) throw invalidRequest(`${name} must be a string`, `${path}.${name}`);
  return text;
}

function renderUpload(id: string, type: "image" | "document", path: string): JsonObject {
  if (id.startsWith("file_")) return { type, source: { type: "file", file_id: id } };
  throw unsupported(
    `${path}.file_id`,
    "the file is stored at OpenAI, where this model cannot read it; send its content",
  );
}

function renderImage(part: JsonObject, path: string): JsonObject {
  const fileId = own(part, "file_id");
  if (isString(fileId)) return renderUpload(fileId, "image", path);
  const url = own(part, "image_url");
  if (isString(url)) return renderImageBlock(url, `${path}.image_url`);
  throw invalidRequest("input_image needs image_url or file_id", `${path}.image_url`, "missing_required_parameter");
}

function renderFile(part: JsonObject, path: string): JsonObject {
  const filename = ownText(part, "filename");
  const fileId = own(part, "file_id");
  if (isString(fileId)) return renderUpload(fileId, IMAGE_NAME.test(filename) ? "image" : "document", path);
  const data = own(part, "file_data");
  if (isString(data) && data !== "")
    return renderFileBlock(data, filename === "" ? null : filename, `${path}.file_data`);
  const url = own(part, "file_url");
  if (!isString(url)) {
    throw invalidRequest(
      "input_file needs file_data, file_url or file_id",
      `${path}.file_data`,
      "missing_required_parameter",
    );
  }
  if (!/^https:/i.test(url)) {
    throw unsupported(`${path}.file_url`, "this model reads files from https URLs only; send file_data");
  }
  const title = filename === "" ? {} : { title: filename };
  return { type: "document", source: { type: "url", url }, ...title };
}
