/** User turns: text, images, documents and search results as content parts. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderBrowserStateText, renderDocumentText, renderSearchResultText } from "../maps/content-text.ts";
import { renderFilePart, renderImageUrl } from "../maps/media.ts";
import type { FieldRow } from "../translator.ts";
import {
  blockText,
  cacheMarker,
  foldBlockPath,
  foldPath,
  isPresent,
  readBlocks,
  textPart,
  type Draft,
  type Located,
} from "./draft.ts";

export const USER_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content (user)",
    outcomes: ["M"],
    becomes: "A text part for each text block; a single text block is a plain string.",
  },
  {
    field: "messages[].content[].image",
    outcomes: ["M"],
    becomes: "`image_url` with a data URL or the URL; nothing is fetched.",
  },
  {
    field: "messages[].content[].image.source.file_id",
    outcomes: ["R"],
    becomes: "Refused, in documents too: the file lies with another provider. Send the bytes.",
  },
  { field: "messages[].content[].transformations", outcomes: ["D"], becomes: "Not sent." },
  {
    field: "messages[].content[].document (PDF)",
    outcomes: ["M", "R"],
    becomes: "A `file` part with the title as file name. A PDF by URL is refused: nothing is fetched. Send its bytes.",
  },
  {
    field: "messages[].content[].document (text, content)",
    outcomes: ["M"],
    becomes:
      "A text part in `<document>` tags with title and context in the opening tag; images inside as parts, in order.",
  },
  {
    field: "messages[].content[].citations",
    outcomes: ["D"],
    becomes: "Not sent: there are no citations of documents.",
  },
  {
    field: "messages[].content[].search_result",
    outcomes: ["M"],
    becomes: "A text part with source, title and texts.",
  },
  { field: "messages[].content[].container_upload", outcomes: ["R"], becomes: "Refused: there is no container." },
  {
    field: "messages[].content[].tool_reference, browser_state",
    outcomes: ["M"],
    becomes: "`tool loaded: <name>`; the open tabs as text.",
  },
  {
    field: "messages[].content[].cache_control",
    outcomes: ["M", "S"],
    becomes:
      "`prompt_cache_breakpoint` on the part where the model takes them (`1h` becomes `12h` with `long_cache`); other models cache by themselves.",
  },
];

/**
 * Content parts of one block, in order.
 * @throws GatewayError `unsupported-translation` for what the other provider cannot be given
 */
export function renderParts(located: Located, draft: Draft): readonly JsonObject[] {
  const { block, path } = located;
  switch (own(block, "type")) {
    case "text":
      return [textPart(blockText(block), block, draft)];
    case "image":
      return [renderImage(block, path, draft)];
    case "document":
      return renderDocument(block, path, draft);
    case "search_result":
      return [textPart(renderSearchResultText(block), block, draft)];
    case "tool_reference":
      return [textPart(`tool loaded: ${nameOf(block)}`, block, draft)];
    case "browser_state":
      return [textPart(renderBrowserStateText(block), block, draft)];
    case "container_upload":
      throw unsupported(path, "container_upload: this model has no container to upload to; send the file's content");
    default:
      draft.report.drop(foldBlockPath(located));
      return [];
  }
}

function nameOf(block: JsonObject): string {
  const name = own(block, "tool_name") ?? own(block, "name");
  return isString(name) ? name : "";
}

function renderImage(block: JsonObject, path: string, draft: Draft): JsonObject {
  const url = renderImageUrl(own(block, "source"));
  if (url === null) {
    throw unsupported(
      `${path}.source`,
      "image: an uploaded file lies with another provider; send the image's bytes or URL",
    );
  }
  if (isPresent(own(block, "transformations"))) draft.report.drop(foldPath(`${path}.transformations`));
  return { type: "image_url", image_url: { url }, ...cacheMarker(own(block, "cache_control"), draft) };
}

function renderDocument(block: JsonObject, path: string, draft: Draft): readonly JsonObject[] {
  if (own(own(block, "citations"), "enabled") === true) draft.report.drop(foldPath(`${path}.citations`));
  const source = own(block, "source");
  const data = own(source, "data");
  const title = own(block, "title");
  switch (own(source, "type")) {
    case "base64": {
      if (!isString(data)) throw unsupported(`${path}.source.data`, "document: data is not a base64 string");
      return [
        { ...renderFilePart(data, isString(title) ? title : null), ...cacheMarker(own(block, "cache_control"), draft) },
      ];
    }
    case "text":
      return [textPart(renderDocumentText(block, isString(data) ? data : ""), block, draft)];
    case "content":
      return renderContentDocument(block, own(source, "content"), `${path}.source.content`, draft);
    case "url":
      throw unsupported(`${path}.source`, "document: this model reads no PDF by URL; send its bytes as base64");
    default:
      throw unsupported(`${path}.source`, "document: an uploaded file lies with another provider; send its bytes");
  }
}

/** Texts between images are gathered into one tagged text, so that text and images keep their order. */
function renderContentDocument(
  document: JsonObject,
  content: Json | undefined,
  path: string,
  draft: Draft,
): readonly JsonObject[] {
  const parts: JsonObject[] = [];
  let texts: string[] = [];
  const flush = (): void => {
    if (texts.length > 0) parts.push({ type: "text", text: renderDocumentText(document, texts.join("\n")) });
    texts = [];
  };
  for (const located of readBlocks(content, path)) {
    if (own(located.block, "type") === "image") {
      flush();
      parts.push(renderImage(located.block, located.path, draft));
    } else {
      texts.push(blockText(located.block));
    }
  }
  flush();
  const last = parts.pop();
  return last === undefined ? [] : [...parts, { ...last, ...cacheMarker(own(document, "cache_control"), draft) }];
}

/** `content` of a user message: a plain string for a single unmarked text, else parts; "" for none. */
export function renderUserContent(parts: readonly JsonObject[]): Json {
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && isPlainText(first) ? (own(first, "text") ?? "") : parts;
}

function isPlainText(part: JsonObject): boolean {
  return own(part, "type") === "text" && !Object.hasOwn(part, "prompt_cache_breakpoint");
}

/** Marks the end of the prompt for a top-level `cache_control`: the last message that can carry a marker. */
export function markLastPart(messages: JsonObject[], marker: JsonObject): void {
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index];
    const content = own(message, "content");
    if (message === undefined || content === "" || content === undefined) continue;
    const parts = isString(content) ? [{ type: "text", text: content }] : isArray(content) ? content : [];
    const last = parts.at(-1);
    if (!isObject(last)) continue;
    messages[index] = { ...message, content: [...parts.slice(0, -1), { ...last, ...marker }] };
    return;
  }
}
