/** Content blocks taken out of a request's bytes. */
import { isArray, own, type Json } from "../../base/json.ts";
import type { ParsedRequest } from "../format.ts";
import { scanArray, scanObject, type Span } from "../scan.ts";
import { applyPatches, dropPatches, type Patch } from "../splice.ts";

/**
 * The bytes of `request` without the content blocks of its messages for which `isDropped` is true, and without turns that
 * have no block left. Every other byte stays as it was; with nothing to take out, the same bytes come back.
 */
export function dropBlocks(request: ParsedRequest, isDropped: (block: Json) => boolean): Uint8Array {
  const { bytes, json } = request;
  const turns = own(json, "messages");
  const spans = findArray(bytes, 0, "messages");
  if (!isArray(turns) || spans === null) return bytes;
  const patches: Patch[] = [];
  const emptied = turns.map((turn, index) => {
    const blocks = own(turn, "content");
    if (!isArray(blocks)) return false;
    const dropped = blocks.map(isDropped);
    if (!dropped.includes(true)) return false;
    if (!dropped.includes(false)) return true;
    const inner = findArray(bytes, spans[index]?.start ?? 0, "content");
    if (inner !== null) patches.push(...dropPatches(inner, dropped));
    return false;
  });
  return applyPatches(bytes, [...patches, ...dropPatches(spans, emptied)]);
}

/** Elements of the array `name` in the object at `from`: of its last occurrence, the one that a JSON parser takes. */
function findArray(bytes: Uint8Array, from: number, name: string): readonly Span[] | null {
  const field = scanObject(bytes, from)?.fields.findLast((each) => each.name === name);
  return field === undefined ? null : scanArray(bytes, field.valueStart);
}
