/** Anthropic's way of refusing: `path: message`, paths with dots. @see https://docs.anthropic.com/en/api/errors (read 2026-11-22) */
import { isArray, isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { Refusal } from "./refusal.ts";

/** A refusal; status 400 and `invalid_request_error` unless named. */
export function refuse(message: string, status = 400, type = "invalid_request_error"): Refusal {
  return { status, type, message, param: null, code: null };
}

/** Shape of a value. */
export interface Shape {
  readonly type: "string" | "boolean" | "integer" | "number" | "object" | "array" | "strings" | "string or array";
  readonly least?: number;
  readonly most?: number;
  readonly oneOf?: readonly string[];
  /** Null is a value of its own, as good as absent. */
  readonly nullable?: boolean;
}

const WORDS: Readonly<Record<Shape["type"], string>> = {
  string: "a valid string",
  boolean: "a valid boolean",
  integer: "a valid integer",
  number: "a valid number",
  object: "a valid dictionary",
  array: "a valid list",
  strings: "a valid list",
  "string or array": "a valid string",
};

/** Refuses a value out of its shape; undefined counts as absent. */
export function checkShape(path: string, value: Json | undefined, shape: Shape): Refusal | null {
  if (value === undefined || (value === null && shape.nullable === true)) return null;
  if (!fits(value, shape.type)) return refuse(`${path}: Input should be ${WORDS[shape.type]}`);
  if (typeof value === "number") {
    if (shape.least !== undefined && value < shape.least)
      return refuse(`${path}: Input should be greater than or equal to ${shape.least}`);
    if (shape.most !== undefined && value > shape.most)
      return refuse(`${path}: Input should be less than or equal to ${shape.most}`);
  }
  if (typeof value === "string" && shape.oneOf !== undefined && !shape.oneOf.includes(value)) {
    return refuse(`${path}: Input should be ${listOr(shape.oneOf)}`);
  }
  return null;
}

function fits(value: Json, type: Shape["type"]): boolean {
  switch (type) {
    case "string":
    case "boolean":
    case "number":
      return typeof value === type;
    case "integer":
      return Number.isInteger(value);
    case "object":
      return isObject(value);
    case "array":
      return isArray(value);
    case "strings":
      return isArray(value) && value.every((item) => typeof item === "string");
    case "string or array":
      return typeof value === "string" || isArray(value);
    default:
      return type satisfies never;
  }
}

/** Names as the vendor lists them: `'a', 'b' or 'c'`. */
export function listOr(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

/** Refuses keys of `object` beyond `known`. */
export function checkExtra(path: string, object: JsonObject, known: readonly string[]): Refusal | null {
  const extra = Object.keys(object).find((key) => !known.includes(key));
  return extra === undefined
    ? null
    : refuse(`${path === "" ? "" : `${path}.`}${extra}: Extra inputs are not permitted`);
}

/** The refusal of a missing field. */
export function required(path: string): Refusal {
  return refuse(`${path}: Field required`);
}

/** Refuses a missing or wrong own field. */
export function checkRequired(path: string, object: Json, key: string, shape: Shape): Refusal | null {
  const value = own(object, key);
  return value === undefined ? required(`${path}.${key}`) : checkShape(`${path}.${key}`, value, shape);
}
