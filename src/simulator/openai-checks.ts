/** OpenAI's way of refusing: messages, params and codes as recorded. @see https://platform.openai.com/docs/guides/error-codes (read 2026-11-22) */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { Refusal } from "./refusal.ts";

/** A refusal of type `invalid_request_error`. */
export function refuse(message: string, param: string | null, code: string | null, status = 400): Refusal {
  return { status, type: "invalid_request_error", message, param, code };
}

/** The refusal of a missing field. */
export function missing(param: string): Refusal {
  return refuse(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
}

/** The refusal of a field that does not exist there. */
export function unknownParameter(param: string): Refusal {
  return refuse(`Unknown parameter: '${param}'.`, param, "unknown_parameter");
}

/** The refusal of a field that this model does not take. */
export function unsupportedParameter(param: string, hint = ""): Refusal {
  return refuse(
    `Unsupported parameter: '${param}' is not supported with this model.${hint}`,
    param,
    "unsupported_parameter",
  );
}

/** The refusal of a value that this model does not take. */
export function unsupportedValue(param: string, value: Json, supported: string): Refusal {
  return refuse(
    `Unsupported value: '${param}' does not support ${JSON.stringify(value)} with this model. ${supported}`,
    param,
    "unsupported_value",
  );
}

/** A refusal with code `invalid_value`. */
export function invalidValue(param: string, message: string): Refusal {
  return refuse(message, param, "invalid_value");
}

/** Types of fields, with the words of the vendor's message. */
export const FIELD_TYPES = {
  string: ["a string", (value: Json) => typeof value === "string"],
  boolean: ["a boolean", (value: Json) => typeof value === "boolean"],
  integer: ["an integer", (value: Json) => Number.isInteger(value)],
  decimal: ["a decimal", (value: Json) => typeof value === "number"],
  object: ["an object", isObject],
  array: ["an array", isArray],
  objects: ["an array of objects", (value: Json) => isArray(value) && value.every(isObject)],
  strings: ["an array of strings", (value: Json) => isArray(value) && value.every((item) => typeof item === "string")],
  "string or array": [
    "a string or an array of strings",
    (value: Json) => typeof value === "string" || (isArray(value) && value.every((item) => typeof item === "string")),
  ],
  "string or object": ["one of a string or an object", (value: Json) => typeof value === "string" || isObject(value)],
  "string or objects": [
    "one of a string or an array of objects",
    (value: Json) => typeof value === "string" || (isArray(value) && value.every(isObject)),
  ],
} as const satisfies Readonly<Record<string, readonly [string, (value: Json) => boolean]>>;

/** A field: its type and, for numbers, its bounds. */
export interface Field {
  readonly type: keyof typeof FIELD_TYPES;
  readonly least?: number;
  readonly most?: number;
  /** Longest text, or most items. */
  readonly length?: number;
  readonly oneOf?: readonly string[];
}

/** Refuses a value that is not what its field takes. Null stands for absent. */
export function checkField(param: string, value: Json | undefined, field: Field): Refusal | null {
  if (value === undefined || value === null) return null;
  const [expected, accepts] = FIELD_TYPES[field.type];
  if (!accepts(value)) return wrongType(param, expected, value);
  if (typeof value === "number") return checkBounds(param, value, field);
  if (typeof value === "string") {
    if (field.oneOf !== undefined && !field.oneOf.includes(value)) {
      const names = field.oneOf.map((name) => `'${name}'`);
      return invalidValue(param, `Invalid value: '${value}'. Supported values are: ${names.join(", ")}.`);
    }
    const most = field.type === "string" ? field.length : undefined;
    if (most !== undefined && value.length > most) return tooLong(param, most, value.length);
  }
  if (isArray(value) && field.length !== undefined && value.length > field.length) {
    return refuse(
      `Invalid '${param}': array too long. Expected an array with maximum length ${field.length}, but got an array with length ${value.length} instead.`,
      param,
      "array_above_max_length",
    );
  }
  return null;
}

/** The refusal of a text over its longest length. */
export function tooLong(param: string, most: number, length: number): Refusal {
  return refuse(
    `Invalid '${param}': string too long. Expected a string with maximum length ${most}, but got a string with length ${length} instead.`,
    param,
    "string_above_max_length",
  );
}

/** The refusal of a value of another type. */
export function wrongType(param: string, expected: string, value: Json): Refusal {
  return refuse(
    `Invalid type for '${param}': expected ${expected}, but got ${kindOf(value)} instead.`,
    param,
    "invalid_type",
  );
}

function checkBounds(param: string, value: number, field: Field): Refusal | null {
  const kind = field.type === "integer" ? "integer" : "decimal";
  if (field.least !== undefined && value < field.least) {
    return refuse(
      `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${field.least}, but got ${value} instead.`,
      param,
      `${kind}_below_min_value`,
    );
  }
  if (field.most !== undefined && value > field.most) {
    return refuse(
      `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${field.most}, but got ${value} instead.`,
      param,
      `${kind}_above_max_value`,
    );
  }
  return null;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "number") return Number.isInteger(value) ? "an integer" : "a decimal";
  return typeof value === "boolean" ? "a boolean" : "a string";
}

/** Refuses keys of `object` that are not in `known`. */
export function checkKeys(path: string, object: JsonObject, known: readonly string[]): Refusal | null {
  const extra = Object.keys(object).find((key) => !known.includes(key));
  return extra === undefined ? null : unknownParameter(`${path}.${extra}`);
}

/** Own property `key`, null counted as absent. */
export function given(value: Json | undefined, key: string): Json | undefined {
  return own(value, key) ?? undefined;
}

/** A data URL's media type and whether its base64 is whole; null: not a data URL. */
export function readDataUrl(url: string): { readonly mediaType: string; readonly valid: boolean } | null {
  if (!url.startsWith("data:")) return null;
  const comma = url.indexOf(",");
  const head = comma === -1 ? "" : url.slice(5, comma);
  const data = comma === -1 ? "" : url.slice(comma + 1);
  return { mediaType: head.replace(/;base64$/, ""), valid: head.endsWith(";base64") && isBase64(data) };
}

/** First base64 characters of JPEG, PNG, GIF and WebP (RIFF) files. */
const IMAGE_STARTS = ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR"] as const;

/** Whether base64 data starts as a picture does: providers look at the bytes, not at the name. */
export function isImageData(data: string): boolean {
  return IMAGE_STARTS.some((start) => data.startsWith(start));
}

/** Padded standard base64, as the providers demand. */
export function isBase64(data: string): boolean {
  return data.length > 0 && data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data);
}
