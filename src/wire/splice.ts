/**
 * Edits of JSON bytes that leave every other byte as it was: spacing, key order, number forms, escapes, duplicates.
 */
import type { Json } from "../base/json.ts";
import { arrayTail, scanObject } from "./scan.ts";
import type { FieldSpan, ObjectSpans, Span } from "./scan.ts";

/** One change of a top-level field: set to a value (added when absent) or dropped. */
export type FieldEdit =
  { readonly field: string; readonly value: Json } | { readonly field: string; readonly drop: true };

/** Replaces the bytes `start`…`end` by `text`. */
export interface Patch extends Span {
  readonly text: string;
}

/** `bytes` with `patches`, which do not overlap. */
export function applyPatches(bytes: Uint8Array, patches: readonly Patch[]): Uint8Array {
  if (patches.length === 0) return bytes;
  const ordered = patches.length === 1 ? patches : patches.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const texts = ordered.map((patch) => Buffer.from(patch.text));
  let size = bytes.length;
  ordered.forEach((patch, index) => {
    size += (texts[index]?.length ?? 0) - (patch.end - patch.start);
  });
  const result = new Uint8Array(size);
  let from = 0;
  let to = 0;
  ordered.forEach((patch, index) => {
    const kept = bytes.subarray(from, patch.start);
    result.set(kept, to);
    to += kept.length;
    const text = texts[index];
    if (text !== undefined) {
      result.set(text, to);
      to += text.length;
    }
    from = patch.end;
  });
  result.set(bytes.subarray(from), to);
  return result;
}

/**
 * Patches that take out those of the neighbouring `spans` (fields of an object, elements of an array, in source order) for
 * which `dropped` is true, each with the comma that no longer separates anything.
 */
export function dropPatches(spans: readonly Span[], dropped: readonly boolean[]): readonly Patch[] {
  const patches: Patch[] = [];
  const lastKept = dropped.lastIndexOf(false);
  spans.forEach((span, index) => {
    if (dropped[index] !== true) return;
    const next = spans[index + 1];
    const previous = spans[index - 1];
    if (index < lastKept && next !== undefined) {
      patches.push({ start: span.start, end: next.start, text: "" });
    } else {
      patches.push({ start: previous === undefined ? span.start : previous.end, end: span.end, text: "" });
    }
  });
  return patches;
}

function fieldSpan({ keyStart, valueEnd }: FieldSpan): Span {
  return { start: keyStart, end: valueEnd };
}

/**
 * Sets or drops top-level fields of the JSON object in `bytes`; every occurrence of a duplicated key is changed.
 * An absent field that is set is added behind the last one. The last of several edits of one field wins.
 * Linear in the size of `bytes`, which is not changed; bytes that hold no JSON object come back as they are.
 */
export function spliceFields(bytes: Uint8Array, edits: readonly FieldEdit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  const spans = scanObject(bytes);
  return spans === null ? bytes : spliceSpans(bytes, spans, edits);
}

function spliceSpans(bytes: Uint8Array, spans: ObjectSpans, edits: readonly FieldEdit[]): Uint8Array {
  const byField = new Map(edits.map((edit) => [edit.field, edit]));
  const patches: Patch[] = [];
  const dropped: boolean[] = [];
  const found = new Set<string>();
  for (const field of spans.fields) {
    const edit = byField.get(field.name);
    found.add(field.name);
    dropped.push(edit !== undefined && "drop" in edit);
    if (edit !== undefined && "value" in edit) {
      patches.push({ start: field.valueStart, end: field.valueEnd, text: JSON.stringify(edit.value) });
    }
  }
  patches.push(...dropPatches(spans.fields.map(fieldSpan), dropped));
  const lastKept = dropped.lastIndexOf(false);
  const added = [...byField.values()].flatMap((edit) =>
    "value" in edit && !found.has(edit.field) ? [`${JSON.stringify(edit.field)}:${JSON.stringify(edit.value)}`] : [],
  );
  if (added.length > 0) {
    const at = spans.fields.at(-1)?.valueEnd ?? spans.open + 1;
    patches.push({ start: at, end: at, text: (lastKept < 0 ? "" : ",") + added.join(",") });
  }
  return applyPatches(bytes, patches);
}

/**
 * Appends `value` to the top-level array `field` (its last occurrence, the one a JSON parser takes).
 * @returns null when `bytes` hold no such array
 */
export function appendToArray(bytes: Uint8Array, field: string, value: Json): Uint8Array | null {
  const span = scanObject(bytes)?.fields.findLast((each) => each.name === field);
  if (span === undefined) return null;
  const tail = arrayTail(bytes, span.valueStart, span.valueEnd);
  if (tail === null) return null;
  return applyPatches(bytes, [{ start: tail.at, end: tail.at, text: (tail.empty ? "" : ",") + JSON.stringify(value) }]);
}

/** Objects that hold the model name of an answer: Messages' `message_start`, Responses' stream events. */
const MODEL_HOLDERS: ReadonlySet<string> = new Set(["message", "response"]);

function modelPatches(bytes: Uint8Array, from: number, name: string): readonly Patch[] {
  const text = JSON.stringify(name);
  const patches: Patch[] = [];
  const visit = (spans: ObjectSpans | null, nested: boolean): void => {
    for (const field of spans?.fields ?? []) {
      if (field.name === "model") patches.push({ start: field.valueStart, end: field.valueEnd, text });
      else if (!nested && MODEL_HOLDERS.has(field.name)) visit(scanObject(bytes, field.valueStart), true);
    }
  };
  visit(scanObject(bytes, from), false);
  return patches;
}

/**
 * Shows `name` as the model of an answer (`router.echo_requested_model`): the existing `model` at the top level, or in the
 * `message` or `response` of a stream event's data. `bytes` is one JSON document; without such a field it comes back as is.
 */
export function spliceModelInReply(bytes: Uint8Array, name: string): Uint8Array {
  return applyPatches(bytes, modelPatches(bytes, 0, name));
}

const DATA = Buffer.from("data:");

/** The same over the bytes of one whole SSE event whose JSON stands on one `data:` line, framing included. */
export function spliceModelInEvent(bytes: Uint8Array, name: string): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(DATA); at >= 0; at = buffer.indexOf(DATA, at + 1)) {
    const before = buffer[at - 1];
    const lineStart = at === 0 || before === 0x0a || before === 0x0d || (at === 3 && before === 0xbf);
    if (lineStart) return applyPatches(bytes, modelPatches(bytes, at + DATA.length, name));
  }
  return bytes;
}
