/** Images and files in both formats: data URLs on the OpenAI side, base64 sources on the Anthropic side. */
import { unsupported } from "../../base/errors.ts";
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";

/** Bytes with their media type; `data` is padded standard base64 without line breaks. */
export interface InlineMedia {
  /** Lower case, without parameters; "" when none was given. */
  readonly mediaType: string;
  readonly data: string;
}

/**
 * Image types that Claude reads.
 * @see https://platform.claude.com/docs/en/build-with-claude/vision (read 2026-11-24)
 */
export const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** Standard base64 from what clients send: URL-safe letters, line breaks and missing padding are repaired. */
export function normalizeBase64(text: string): string {
  let data = text;
  if (/[\s=\-_%]/.test(data)) {
    data = data.replace(/%3D/gi, "=").replace(/%2B/gi, "+").replace(/%2F/gi, "/");
    data = data
      .replace(/[\s=]+/g, "")
      .replaceAll("-", "+")
      .replaceAll("_", "/");
  }
  const missing = (4 - (data.length % 4)) % 4;
  return missing === 0 ? data : data + "=".repeat(missing);
}

/**
 * Reads a `data:` URL; null when `url` is none. Text that is not base64 is percent-decoded and encoded.
 * @see https://www.rfc-editor.org/rfc/rfc2397 (read 2026-11-24)
 */
export function parseDataUrl(url: string): InlineMedia | null {
  if (url.slice(0, 5).toLowerCase() !== "data:") return null;
  const comma = url.indexOf(",");
  if (comma < 0) return null;
  const header = url.slice(5, comma).split(";");
  const mediaType = (header[0] ?? "").trim().toLowerCase();
  const payload = url.slice(comma + 1);
  const isBase64 = header.slice(1).some((parameter) => parameter.trim().toLowerCase() === "base64");
  if (isBase64) return { mediaType, data: normalizeBase64(payload) };
  try {
    return { mediaType, data: Buffer.from(decodeURIComponent(payload)).toString("base64") };
  } catch {
    return null;
  }
}

/** `data:` URL of `media`. */
export function renderDataUrl(media: InlineMedia): string {
  return `data:${media.mediaType};base64,${media.data}`;
}

/**
 * Media type by the first bytes; null when they are none of the four image types or a PDF.
 * @see https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern (read 2026-11-24)
 */
export function sniffMediaType(data: string): string | null {
  const head = Buffer.from(data.slice(0, 24), "base64").toString("latin1");
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "image/webp";
  if (head.startsWith("%PDF")) return "application/pdf";
  return null;
}

/**
 * Anthropic image block for an OpenAI `image_url.url`; nothing is fetched.
 * @throws GatewayError `unsupported-translation` for image types and URL schemes that Claude does not read
 */
export function renderImageBlock(url: string, path: string): JsonObject {
  if (/^data:/i.test(url)) {
    const media = parseDataUrl(url);
    if (media === null) throw unsupported(path, "image data URL cannot be read; send `data:image/png;base64,…`");
    return renderInlineImage(media, path);
  }
  if (/^https:/i.test(url)) return { type: "image", source: { type: "url", url } };
  if (/^http:/i.test(url)) {
    throw unsupported(path, "this model reads images from https URLs only; use https or send the image as a data URL");
  }
  throw unsupported(path, "image URL is neither https nor data; send one of the two");
}

function renderInlineImage(media: InlineMedia, path: string): JsonObject {
  const mediaType = sniffMediaType(media.data) ?? media.mediaType.replace("image/jpg", "image/jpeg");
  if (!IMAGE_TYPES.has(mediaType)) {
    throw unsupported(path, "image type is not supported by this model; send JPEG, PNG, GIF or WebP");
  }
  return { type: "image", source: { type: "base64", media_type: mediaType, data: media.data } };
}

/** OpenAI `image_url.url` for the source of an Anthropic image block; null for an uploaded file. */
export function renderImageUrl(source: Json | undefined): string | null {
  const url = own(source, "url");
  if (own(source, "type") === "url" && isString(url)) return url;
  const data = own(source, "data");
  const mediaType = own(source, "media_type");
  return isString(data) && isString(mediaType) ? renderDataUrl({ mediaType, data }) : null;
}

const TEXT_TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/x-ndjson",
  "application/markdown",
  "application/csv",
  "application/xml",
  "application/yaml",
]);

const TYPE_BY_EXTENSION: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  json: "application/json",
};

function typeByName(filename: string | null): string {
  const extension = /\.([a-z0-9]+)$/i.exec(filename ?? "")?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(TYPE_BY_EXTENSION, extension) ? (TYPE_BY_EXTENSION[extension] ?? "") : "";
}

/**
 * Anthropic document or image block for an OpenAI `file.file_data`, a data URL or bare base64.
 * PDF becomes a document, text of any kind a text document, an image an image block.
 * @throws GatewayError `unsupported-translation` for every other type
 */
export function renderFileBlock(fileData: string, filename: string | null, path: string): JsonObject {
  const media = parseDataUrl(fileData) ?? { mediaType: "", data: normalizeBase64(fileData) };
  const mediaType = sniffMediaType(media.data) ?? (media.mediaType || typeByName(filename));
  const title = filename === null ? {} : { title: filename };
  if (mediaType === "application/pdf") {
    const source = { type: "base64", media_type: "application/pdf", data: media.data };
    return { type: "document", source, ...title };
  }
  if (mediaType.startsWith("text/") || TEXT_TYPES.has(mediaType)) {
    const text = Buffer.from(media.data, "base64").toString("utf8");
    return { type: "document", source: { type: "text", media_type: "text/plain", data: text }, ...title };
  }
  if (mediaType.startsWith("image/")) return renderInlineImage({ mediaType, data: media.data }, path);
  throw unsupported(path, "file type is not supported by this model; send a PDF, a text file or an image");
}

/** OpenAI `file` part for the base64 PDF of an Anthropic document. */
export function renderFilePart(pdfData: string, title: string | null): JsonObject {
  const file_data = renderDataUrl({ mediaType: "application/pdf", data: pdfData });
  return { type: "file", file: { filename: title ?? "document.pdf", file_data } };
}
