/**
 * Judges JSON values by a client's schema (draft 2020-12 and draft-07). Schema and value are both hostile: everything is
 * bounded, and what cannot be judged within the bounds is "not validated", never "wrong".
 */
import type { Clock } from "../base/clock.ts";
import { sha256Hex } from "../base/ids.ts";
import { isArray, isObject, type Json, type JsonObject } from "../base/json.ts";
import { compileDocument } from "./schema/compile.ts";
import { readDocument, type SchemaDocument } from "./schema/document.ts";
import { type Check, createRun, isNotValidated } from "./schema/run.ts";

export interface SchemaLimits {
  /** Of the schema as compact JSON, UTF-16 units. */
  readonly schemaBytes: number;
  readonly schemaDepth: number;
  /** Longer patterns are not checked. */
  readonly patternChars: number;
  /** Work of one validation. */
  readonly maxSteps: number;
  readonly maxMs: number;
}

export const DEFAULT_SCHEMA_LIMITS: SchemaLimits = {
  schemaBytes: 262_144,
  schemaDepth: 64,
  patternChars: 512,
  maxSteps: 200_000,
  maxMs: 50,
};

export type SchemaVerdict =
  | { readonly result: "valid"; readonly skippedPatterns: number }
  /** `reason`: the first thing found wrong, with its JSON path. No part of the value is in it. */
  | { readonly result: "invalid"; readonly reason: string; readonly skippedPatterns: number }
  | { readonly result: "not-validated"; readonly reason: string };

/** A schema ready for use. */
export type OpenSchema =
  | { readonly ok: true; readonly document: SchemaDocument; readonly validate: (value: Json) => SchemaVerdict }
  | { readonly ok: false; readonly reason: string };

export interface SchemaStore {
  /** The schema compiled, or why it is not used. Cheap for one that was open before. */
  readonly open: (schema: Json) => OpenSchema;
  /** Text of the schemas kept, UTF-16 units. */
  readonly keptChars: () => number;
}

const MAX_ENTRIES = 256;
/** A compiled schema takes some ten times its text. */
const MAX_KEPT_CHARS = 4 * 1024 * 1024;

/** Creates the store: compiled schemas are kept by their text, least recently used go first. */
export function createSchemaStore(limits: SchemaLimits, clock: Clock): SchemaStore {
  const byObject = new WeakMap<JsonObject, OpenSchema>();
  const byHash = new Map<string, { readonly schema: OpenSchema; readonly chars: number }>();
  let keptChars = 0;

  const openText = (schema: Json): OpenSchema => {
    if (!isShallow(schema, limits.schemaDepth)) {
      return { ok: false, reason: `the schema is nested more than ${limits.schemaDepth} levels deep` };
    }
    const text = JSON.stringify(schema);
    if (text.length > limits.schemaBytes) {
      return { ok: false, reason: `the schema is larger than ${limits.schemaBytes} bytes` };
    }
    const hash = sha256Hex(text);
    const known = byHash.get(hash);
    if (known !== undefined) {
      byHash.delete(hash);
      byHash.set(hash, known);
      return known.schema;
    }
    // From the text: what is kept may hold nothing of the request, whose long texts are views of its whole body.
    const opened = openSchema(JSON.parse(text) as Json, limits, clock);
    byHash.set(hash, { schema: opened, chars: text.length });
    keptChars += text.length;
    for (const [oldest, { chars }] of byHash) {
      if (byHash.size <= MAX_ENTRIES && keptChars <= MAX_KEPT_CHARS) break;
      byHash.delete(oldest);
      keptChars -= chars;
    }
    return opened;
  };

  return {
    open: (schema) => {
      if (!isObject(schema)) return openText(schema);
      const known = byObject.get(schema);
      if (known !== undefined) return known;
      const opened = openText(schema);
      byObject.set(schema, opened);
      return opened;
    },
    keptChars: () => keptChars,
  };
}

function openSchema(schema: Json, limits: SchemaLimits, clock: Clock): OpenSchema {
  const document = readDocument(schema);
  if (!document.isKnownDialect)
    return { ok: false, reason: "the schema declares a dialect that is not json-schema.org's" };
  const check = compileDocument(document, { maxChars: limits.patternChars });
  return { ok: true, document, validate: (value) => validate(check, value, limits, clock) };
}

function validate(check: Check, value: Json, limits: SchemaLimits, clock: Clock): SchemaVerdict {
  const run = createRun(limits, clock);
  try {
    if (run.nest(check, value, null)) return { result: "valid", skippedPatterns: run.skippedPatterns() };
  } catch (error) {
    if (isNotValidated(error)) return { result: "not-validated", reason: error.message };
    // The engine's own stack may end before our nesting limit does.
    if (error instanceof RangeError) return { result: "not-validated", reason: "schema and value nested too deeply" };
    throw error;
  }
  if (run.isUncertain())
    return { result: "not-validated", reason: "the verdict hangs on a pattern that cannot be checked" };
  return { result: "invalid", reason: run.failure() ?? "$ is not valid", skippedPatterns: run.skippedPatterns() };
}

/** Whether `value` has at most `depth` levels; looks no deeper than that. */
function isShallow(value: Json, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  const parts: readonly Json[] = isArray(value) ? value : Object.values(value);
  return parts.every((part) => isShallow(part, depth - 1));
}
