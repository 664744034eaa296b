/** User turns: text, images, documents and search results as content parts. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderBrowserStateText, renderDocumentText, renderSearchResultText } from "../maps/content-text.ts";
import { renderImageUrl } from "../maps/media.ts";
import type { FieldRow } from "../translator.ts";
import {
  blockText,
  cacheMarker,
  foldBlockPath,
  foldPath,
  isPresent,
  NO_MARKER,
  readBlocks,
  textPart,
  type Draft,
  type Located,
} from "./draft.ts";
import type { Surface } from "./surface.ts";

/** What holds on either API; the rest is in the rows of its surface. */
export const USER_ROWS: readonly FieldRow[] = [
  {
    field: "messages[].content[].image.source.file_id",
    outcomes: ["R"],
    becomes: "Refused, in documents too: the file lies with another provider. Send the bytes.",
  },
  { field: "messages[].content[].transformations", outcomes: ["D"], becomes: "Not sent." },
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
  return draft.surface.imagePart(url, cacheMarker(own(block, "cache_control"), draft));
}

function renderDocument(block: JsonObject, path: string, draft: Draft): readonly JsonObject[] {
  if (own(own(block, "citations"), "enabled") === true) draft.report.drop(foldPath(`${path}.citations`));
  const source = own(block, "source");
  const data = own(source, "data");
  const title = own(block, "title");
  const marker = cacheMarker(own(block, "cache_control"), draft);
  switch (own(source, "type")) {
    case "base64": {
      if (!isString(data)) throw unsupported(`${path}.source.data`, "document: data is not a base64 string");
      return [draft.surface.pdfPart(data, isString(title) ? title : null, marker)];
    }
    case "text":
      return [textPart(renderDocumentText(block, isString(data) ? data : ""), block, draft)];
    case "content":
      return renderContentDocument(block, own(source, "content"), `${path}.source.content`, draft);
    case "url": {
      const url = own(source, "url");
      const part = isString(url) ? draft.surface.pdfUrlPart(url, marker) : null;
      if (part !== null) return [part];
      throw unsupported(`${path}.source`, "document: this model reads no PDF by URL; send its bytes as base64");
    }
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
    if (texts.length > 0) parts.push(draft.surface.textPart(renderDocumentText(document, texts.join("\n")), NO_MARKER));
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

/** Marks the end of the prompt for a top-level `cache_control`: the last message or result that can carry a marker. */
export function markLastPart(messages: JsonObject[], marker: JsonObject, { textPart }: Surface): void {
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index];
    const field = message !== undefined && Object.hasOwn(message, "output") ? "output" : "content";
    const content = own(message, field);
    if (message === undefined || content === "" || content === undefined) continue;
    const parts = isString(content) ? [textPart(content, NO_MARKER)] : isArray(content) ? content : [];
    const last = parts.at(-1);
    if (!isObject(last) || own(last, "type") === "output_text") continue;
    messages[index] = { ...message, [field]: [...parts.slice(0, -1), { ...last, ...marker }] };
    return;
  }
}
