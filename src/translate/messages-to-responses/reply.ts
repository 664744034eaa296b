/** What buffered and streamed answers share. */
import { isArray, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { mintSignature } from "../maps/reasoning-signature.ts";
import { renderCitation } from "../messages-client/reply.ts";
import type { FieldRow } from "../translator.ts";

export const RESPONSES_REPLY_ROWS: readonly FieldRow[] = [
  {
    field: "answer: content",
    outcomes: ["M"],
    becomes:
      "Blocks in the order of the output items: `thinking` for reasoning, text for messages, `tool_use` for calls, `server_tool_use` and `web_search_tool_result` for a search.",
  },
  {
    field: "answer: content[].thinking",
    outcomes: ["M"],
    becomes:
      "The reasoning's summary, its parts joined by an empty line; empty without one. The signature holds the encrypted reasoning, which goes back to the provider with the next request.",
  },
  {
    field: "answer: content[].citations",
    outcomes: ["M"],
    becomes: "URL citations as `web_search_result_location`.",
  },
];

/** Signature of the thinking block for a reasoning item; it carries what the next request gives back. */
export function signatureOf(item: JsonObject, model: string): string {
  const id = own(item, "id");
  const sealed = own(item, "encrypted_content");
  return mintSignature({ id: isString(id) ? id : null, encryptedContent: isString(sealed) ? sealed : null, model });
}

/** Whether a reasoning item has something to give back. */
export function isSealed(item: JsonObject): boolean {
  return isString(own(item, "encrypted_content"));
}

/** Citations of a message item's parts. */
export function citationsOf(item: JsonObject): readonly JsonObject[] {
  const content = own(item, "content");
  return (isArray(content) ? content : []).flatMap((part) => {
    const annotations = own(part, "annotations");
    const text = own(part, "text");
    return (isArray(annotations) ? annotations : [])
      .map((annotation) => renderCitation(annotation, isString(text) ? text : ""))
      .filter((citation) => citation !== null);
  });
}

/** The blocks of a web search that the provider ran: the call, and what it found. */
export interface SearchBlocks {
  /** With an empty input. */
  readonly call: JsonObject;
  readonly input: JsonObject;
  readonly result: JsonObject;
}

/** Blocks for a `web_search_call` item; null for an item of another type. */
export function renderSearch(item: JsonObject): SearchBlocks | null {
  if (own(item, "type") !== "web_search_call") return null;
  const action = own(item, "action");
  const itemId = own(item, "id");
  const id = `srvtoolu_${isString(itemId) ? itemId.replace(/[^A-Za-z0-9]/g, "") : ""}`;
  const sources = own(action, "sources");
  const results = (isArray(sources) ? sources : []).map(renderSource).filter((result) => result !== null);
  return {
    call: { type: "server_tool_use", id, name: "web_search", input: {} },
    input: { query: queryOf(action) },
    result: { type: "web_search_tool_result", tool_use_id: id, content: results },
  };
}

/** What was searched; the address for a page that was opened. */
function queryOf(action: Json | undefined): string {
  const queries = own(action, "queries");
  const [query] = [own(action, "query"), isArray(queries) ? queries[0] : undefined, own(action, "url")].filter(
    isString,
  );
  return query ?? "";
}

function renderSource(source: Json): JsonObject | null {
  const url = own(source, "url");
  if (!isString(url)) return null;
  const title = own(source, "title");
  return {
    type: "web_search_result",
    url,
    title: isString(title) ? title : url,
    encrypted_content: "",
    page_age: null,
  };
}
