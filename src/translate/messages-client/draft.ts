/** What one request is translated with, and what gathers while it is. */
import { invalidRequest } from "../../base/errors.ts";
import {
  isArray,
  isObject,
  isString,
  own,
  type Json,
  type JsonObject,
  type MutableJsonObject,
} from "../../base/json.ts";
import type { Capabilities } from "../../catalog/model.ts";
import type { ToolNames } from "../maps/tool-names.ts";
import type { Report } from "../report.ts";
import type { OwnCheck, TranslationContext } from "../translator.ts";
import type { Surface } from "./surface.ts";

/** One request on its way. Rows of the parameter table write into it; `request.ts` reads the outcome. */
export interface Draft {
  readonly context: TranslationContext;
  readonly surface: Surface;
  readonly capabilities: Capabilities;
  readonly report: Report;
  readonly names: ToolNames;
  /** The client's JSON, for scalars. */
  readonly json: JsonObject;
  /** The same with every number spelled as sent, for what is copied whole: messages, tools, schemas. */
  readonly source: JsonObject;
  /** Fields of the body to send, in any order. */
  readonly body: MutableJsonObject;
  checks: ReadonlySet<OwnCheck>;
  /** Stop sequences that the gateway matches itself. */
  scannedStops: readonly string[];
  /** Text of a final assistant turn that the answer continues; null without one. */
  prefill: string | null;
}

/** A content block with its JSON path in the request, for messages. */
export interface Located {
  readonly block: JsonObject;
  readonly path: string;
}

/**
 * Blocks of a `content` or `system` value; a string is one text block.
 * @throws GatewayError `invalid-request` when it is neither a string nor an array of objects
 */
export function readBlocks(content: Json | undefined, path: string): readonly Located[] {
  if (isString(content)) return [{ block: { type: "text", text: content }, path }];
  if (content === undefined) throw invalidRequest(`${path} is missing`, path, "missing_required_parameter");
  if (!isArray(content)) throw invalidRequest(`${path} is neither a string nor an array of content blocks`, path);
  return content.map((block, index) => {
    const blockPath = `${path}[${index}]`;
    if (!isObject(block)) throw invalidRequest(`${blockPath} is not a content block`, blockPath);
    return { block, path: blockPath };
  });
}

/** Path without indexes, under which a note on a conversation's blocks is made once, however long it is. */
export function foldPath(path: string): string {
  return path.replace(/\[\d+\]/g, "[]");
}

/** Folded path of a block with its type, where that is a plain word: these paths end up in a header. */
export function foldBlockPath({ block, path }: Located): string {
  const type = own(block, "type");
  return isString(type) && /^[a-z0-9_]{1,64}$/.test(type) ? `${foldPath(path)}.${type}` : foldPath(path);
}

/** Whether a field says something: absent and null do not. */
export function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null;
}

/** Text of a text block; "" when it has none. */
export function blockText(block: JsonObject): string {
  const text = own(block, "text");
  return isString(text) ? text : "";
}

/** The marker of a block without one. */
export const NO_MARKER: JsonObject = {};

/** `part` with the cache marker of the block it stands for. */
export function marked(part: JsonObject, marker: JsonObject): JsonObject {
  return marker === NO_MARKER ? part : { ...part, ...marker };
}

/**
 * The explicit cache marker for a block with `cache_control`; {@link NO_MARKER} when it has none or the model takes none.
 * @see https://platform.openai.com/docs/guides/prompt-caching (read 2026-11-24)
 */
export function cacheMarker(cacheControl: Json | undefined, draft: Draft): JsonObject {
  if (!isObject(cacheControl) || !draft.capabilities.cacheBreakpoints) return NO_MARKER;
  const isLong = draft.context.options.longCache && own(cacheControl, "ttl") === "1h";
  return { prompt_cache_breakpoint: isLong ? { mode: "explicit", ttl: "12h" } : { mode: "explicit" } };
}

/** A text part, with the cache marker of the block it stands for. */
export function textPart(text: string, block: JsonObject, draft: Draft): JsonObject {
  return draft.surface.textPart(text, cacheMarker(own(block, "cache_control"), draft));
}

/** Name of the role that instructs: `developer` for reasoning models, else `system`. */
export function systemRole(draft: Draft): "developer" | "system" {
  return draft.capabilities.developerRole ? "developer" : "system";
}
