/** Cache markers: read from either vendor's spelling, and kept within Anthropic's limit. */
import { isArray, isObject, own, type Json, type JsonObject } from "../../base/json.ts";

/** Most `cache_control` markers a request may carry, the top-level one included. */
const MAX_MARKERS = 4;

/** The marker on a part or message; null without one. `defaultTtl` is for markers that name no lifetime. */
export function readMarker(holder: JsonObject, defaultTtl: "1h" | null): JsonObject | null {
  const marker = own(holder, "cache_control");
  if (isObject(marker)) return marker;
  const breakpoint = own(holder, "prompt_cache_breakpoint");
  if (!isObject(breakpoint)) return null;
  const asked = own(breakpoint, "ttl");
  const ttl = asked === undefined || asked === null ? defaultTtl : asked === "12h" ? "1h" : null;
  return ttl === null ? { type: "ephemeral" } : { type: "ephemeral", ttl };
}

/** Whether `block` may carry a marker: Anthropic refuses them on thinking and on empty text. */
export function takesMarker(block: JsonObject): boolean {
  const type = own(block, "type");
  return type !== "thinking" && type !== "redacted_thinking" && !(type === "text" && own(block, "text") === "");
}

/** `blocks` with `marker` on the last one that may carry it and has none. */
export function markLast(blocks: readonly JsonObject[], marker: JsonObject | null): readonly JsonObject[] {
  const last = blocks.at(-1);
  return marker === null || last === undefined ? blocks : [...blocks.slice(0, -1), withMarker(last, marker)];
}

/** `block` with `marker`, unless it has one or may have none. */
export function withMarker(block: JsonObject, marker: JsonObject): JsonObject {
  const isFree = own(block, "cache_control") === undefined || own(block, "cache_control") === null;
  return isFree && (takesMarker(block) || own(block, "type") === "text") ? { ...block, cache_control: marker } : block;
}

/** A message as it is sent. */
export type MarkedMessage = JsonObject & { readonly content: readonly JsonObject[] };

/** Parts of a request that hold markers, in the order of the prompt's prefix. */
export interface MarkedParts {
  readonly tools: readonly JsonObject[];
  readonly system: readonly JsonObject[];
  readonly messages: readonly MarkedMessage[];
}

/**
 * Brings the markers within the limit: the last one of system and tools stays, and the last others. A `1h` marker after
 * a shorter one is shortened. Returns the same object when nothing has to change.
 */
export function limitMarkers(parts: MarkedParts, hasTopLevel: boolean): MarkedParts {
  const markers: Marker[] = [];
  collect(parts.tools, true, markers);
  collect(parts.system, true, markers);
  for (const { content } of parts.messages) collect(content, false, markers);
  if (markers.length === 0) return parts;
  const changes = planChanges(markers, MAX_MARKERS - (hasTopLevel ? 1 : 0));
  if (changes.size === 0) return parts;
  return {
    tools: changeMarkers(parts.tools, changes),
    system: changeMarkers(parts.system, changes),
    messages: changeMessages(parts.messages, changes),
  };
}

function changeMessages(messages: readonly MarkedMessage[], changes: MarkerChanges): readonly MarkedMessage[] {
  return messages.map((message) => ({ ...message, content: changeMarkers(message.content, changes) }));
}

interface Marker {
  readonly block: JsonObject;
  readonly isPrefix: boolean;
  readonly isLong: boolean;
}

function collect(blocks: readonly Json[], isPrefix: boolean, markers: Marker[]): void {
  for (const block of blocks) {
    if (!isObject(block)) continue;
    const content = own(block, "type") === "tool_result" ? own(block, "content") : undefined;
    if (isArray(content)) collect(content, isPrefix, markers);
    const marker = own(block, "cache_control");
    if (isObject(marker)) markers.push({ block, isPrefix, isLong: own(marker, "ttl") === "1h" });
  }
}

/** New markers by block; null: none. */
type MarkerChanges = ReadonlyMap<Json, JsonObject | null>;

function planChanges(markers: readonly Marker[], allowed: number): MarkerChanges {
  const changes = new Map<Json, JsonObject | null>();
  let kept = markers;
  if (markers.length > allowed) {
    const lastPrefix = markers.findLast((marker) => marker.isPrefix);
    const others = markers.filter((marker) => marker !== lastPrefix);
    const room = allowed - (lastPrefix === undefined ? 0 : 1);
    const chosen = new Set([lastPrefix, ...others.slice(others.length - room)]);
    kept = markers.filter((marker) => chosen.has(marker));
    for (const marker of markers) if (!chosen.has(marker)) changes.set(marker.block, null);
  }
  let seenShort = false;
  for (const marker of kept) {
    if (!marker.isLong) seenShort = true;
    else if (seenShort) changes.set(marker.block, { type: "ephemeral" });
  }
  return changes;
}

function changeMarkers(blocks: readonly JsonObject[], changes: MarkerChanges): readonly JsonObject[] {
  return blocks.map((block) => {
    const content = own(block, "type") === "tool_result" ? own(block, "content") : undefined;
    const nested = isArray(content) ? changeMarkers(content.filter(isObject), changes) : null;
    const change = changes.get(block);
    if (nested === null && change === undefined) return block;
    const entries = Object.entries(block).filter(([key]) => key !== "cache_control" || change === undefined);
    const changed = entries.map(([key, value]): [string, Json] =>
      key === "content" && nested !== null ? [key, nested] : [key, value],
    );
    if (change !== undefined && change !== null) changed.push(["cache_control", change]);
    return Object.fromEntries(changed);
  });
}
