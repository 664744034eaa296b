/** Content parts of Chat messages as those of input items. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";

export const CONTENT_ROWS: readonly FieldRow[] = [
  { field: "messages[].content[].text", outcomes: ["M"], becomes: "`input_text`, in assistant messages `output_text`" },
  {
    field: "messages[].content[].image_url",
    outcomes: ["M"],
    becomes: "`input_image` with the same URL and `detail`",
  },
  { field: "messages[].content[].file", outcomes: ["M"], becomes: "`input_file` with the same data, name or id" },
  {
    field: "messages[].content[].input_audio",
    outcomes: ["R"],
    becomes: "refused: this model takes no audio; send a transcript",
  },
  { field: "messages[].content[].refusal", outcomes: ["M"], becomes: "the same" },
  {
    field: "messages[].content[].prompt_cache_breakpoint",
    outcomes: ["M", "S"],
    becomes: "the same on that part, where the model takes them; other models cache by themselves",
  },
];

/** How the parts of a message are spelled. */
export interface PartStyle {
  readonly textType: "input_text" | "output_text";
  /** The part may carry a cache marker. */
  readonly isMarked: boolean;
}

/**
 * Parts of a message's `content`; none for null and "".
 * @throws GatewayError `invalid-request` for a wrong shape, `unsupported-translation` for audio
 */
export function renderContent(content: Json, path: string, style: PartStyle): readonly JsonObject[] {
  if (content === null || content === "") return [];
  if (isString(content)) return [{ type: style.textType, text: content }];
  if (!isArray(content)) throw invalidRequest("content must be a string or an array of parts", path);
  return content.map((part, index) => renderPart(part, `${path}[${index}]`, style));
}

function renderPart(part: Json, path: string, { textType, isMarked }: PartStyle): JsonObject {
  if (!isObject(part)) throw invalidRequest("a content part must be an object", path);
  const marker = own(part, "prompt_cache_breakpoint");
  const rendered = renderTyped(part, path, textType);
  return isObject(marker) && isMarked ? { ...rendered, prompt_cache_breakpoint: marker } : rendered;
}

function renderTyped(part: JsonObject, path: string, textType: string): JsonObject {
  switch (own(part, "type")) {
    case "text":
      return { type: textType, text: own(part, "text") ?? "" };
    case "refusal":
      return { type: "refusal", refusal: own(part, "refusal") ?? "" };
    case "image_url": {
      const holder = own(part, "image_url");
      const url = isString(holder) ? holder : own(holder, "url");
      if (!isString(url)) {
        throw invalidRequest("image_url needs a url", `${path}.image_url.url`, "missing_required_parameter");
      }
      const detail = own(holder, "detail");
      return { type: "input_image", image_url: url, ...(isString(detail) ? { detail } : {}) };
    }
    case "file":
      return { type: "input_file", ...copyFile(own(part, "file")) };
    case "input_audio":
      throw unsupported(`${path}.input_audio`, "this model takes no audio; send a transcript");
    default:
      throw invalidRequest("content part type is not known; send text, image_url or file", `${path}.type`);
  }
}

function copyFile(file: Json | undefined): JsonObject {
  const copied: Record<string, Json> = {};
  for (const key of ["file_id", "filename", "file_data"]) {
    const value = own(file, key);
    if (isString(value)) copied[key] = value;
  }
  return copied;
}
