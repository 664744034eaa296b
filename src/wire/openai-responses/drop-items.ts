/** Input items taken out of a request's bytes. */
import { isArray, own, type Json } from "../../base/json.ts";
import type { ParsedRequest } from "../format.ts";
import { scanArray, scanObject } from "../scan.ts";
import { applyPatches, dropPatches } from "../splice.ts";

/**
 * The bytes of `request` without the items of its input for which `isDropped` is true. Every other byte stays as it was;
 * with nothing to take out, the same bytes come back.
 */
export function dropItems(request: ParsedRequest, isDropped: (item: Json) => boolean): Uint8Array {
  const { bytes, json } = request;
  const input = own(json, "input");
  if (!isArray(input)) return bytes;
  const dropped = input.map(isDropped);
  if (!dropped.includes(true)) return bytes;
  // Of a key that occurs twice, a JSON parser takes the last.
  const field = scanObject(bytes)?.fields.findLast((each) => each.name === "input");
  const spans = field === undefined ? null : scanArray(bytes, field.valueStart);
  return spans === null ? bytes : applyPatches(bytes, dropPatches(spans, dropped));
}
