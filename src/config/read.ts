/** From parsed TOML to the values that were given, by key. All mistakes are reported, none stops the reading. */
import { resolve } from "node:path";
import { nearest, suggestion } from "../base/diagnostic.ts";
import { isArray, isString, type Json, type JsonObject } from "../base/json.ts";
import { createSecret, type Secret } from "../base/secret.ts";
import { interpolate, type Environment } from "./interpolate.ts";
import type { Key } from "./key.ts";
import { SCHEMA } from "./schema.ts";
import type { Fields, OptionalSection } from "./section.ts";

/** Values by dotted key, such as `retry.base`; only keys that were given and right. */
export type Given = Map<string, unknown>;

/** What reading needs to know, and where it tells what it found. */
export interface ReadContext {
  readonly environment: Environment;
  /** Folder that relative paths start at. */
  readonly folder: string;
  /** Reports an error at the key or at the value of `path`. */
  readonly report: (path: readonly string[], place: "key" | "value", text: string) => void;
  readonly secrets: Secret[];
  /** Keys whose secret stands in the file itself. */
  readonly literalSecrets: (readonly string[])[];
}

/** Reads the whole file. */
export function readGiven(root: JsonObject, context: ReadContext): Given {
  const given: Given = new Map();
  readFields(SCHEMA, root, [], given, context);
  return given;
}

/** `a.b`, with quotes around parts that are not bare keys. */
export function renderPath(path: readonly string[]): string {
  return path.map((part) => (/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part))).join(".");
}

function readFields(
  fields: Fields,
  table: JsonObject,
  path: readonly string[],
  given: Given,
  context: ReadContext,
): void {
  for (const [name, value] of Object.entries(table)) {
    const at = [...path, name];
    const node = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (node === undefined) {
      context.report(at, "key", `${renderPath(at)}: unknown key${hint(name, fields)}`);
    } else if (node.node === "key") {
      readKey(node, value, at, given, context);
    } else if (!isTable(value)) {
      context.report(at, "value", `${renderPath(at)}: must be a table`);
    } else {
      readFields(node.keys, value, at, given, context);
      if (node.node === "optional-section") requireAll(node, at, given, context);
    }
  }
}

function requireAll(
  section: OptionalSection<Fields>,
  path: readonly string[],
  given: Given,
  context: ReadContext,
): void {
  for (const name of Object.keys(section.keys)) {
    if (!isString(given.get([...path, name].join("."))))
      context.report(path, "value", `${renderPath(path)}: lacks ${name}`);
  }
}

function readKey(
  key: Key<unknown, "" | "Ms">,
  json: Json,
  path: readonly string[],
  given: Given,
  context: ReadContext,
): void {
  const filled = fill(json, path, context);
  if (filled === undefined) return;
  const read = key.read(filled);
  const name = path.join(".");
  if ("allowed" in read) {
    const { allowed, index, words = [] } = read;
    const wrong = index === undefined ? filled : isArray(filled) ? filled[index] : undefined;
    const near = isString(wrong) ? suggestion(wrong, words) : "";
    const at = index === undefined ? path : [...path, String(index)];
    context.report(at, "value", `${renderPath(path)}: must be ${allowed}${near}`);
  } else if (key.role === "secret" && isString(read.value)) {
    const secret = createSecret(read.value);
    context.secrets.push(secret);
    if (isString(json) && !json.includes("${")) context.literalSecrets.push(path);
    given.set(name, secret);
  } else {
    given.set(name, key.role === "path" && isString(read.value) ? resolve(context.folder, read.value) : read.value);
  }
}

/** `json` with the variables of every string in it replaced; undefined once one cannot be. */
function fill(json: Json, path: readonly string[], context: ReadContext): Json | undefined {
  if (isString(json)) {
    const result = interpolate(json, context.environment);
    if ("text" in result) return result.text;
    context.report(path, "value", `${renderPath(path)}: ${result.problem}`);
    return undefined;
  }
  if (isArray(json)) {
    const items = json.map((item, index) => fill(item, [...path, String(index)], context));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (isTable(json)) {
    const entries = Object.entries(json).map(([name, value]) => [name, fill(value, [...path, name], context)] as const);
    const whole = entries.filter((entry): entry is [string, Json] => entry[1] !== undefined);
    return whole.length === entries.length ? Object.fromEntries(whole) : undefined;
  }
  return json;
}

/** A table and nothing else: TOML's dates are objects too. */
function isTable(value: Json): value is JsonObject {
  if (typeof value !== "object" || value === null || isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The nearest key of this table, else the tables where a key of that name belongs. */
function hint(name: string, fields: Fields): string {
  const near = suggestion(name, Object.keys(fields));
  if (near !== "") return near;
  const paths = allPaths(SCHEMA, []);
  const meant = nearest(
    name,
    paths.map((path) => path.at(-1) ?? ""),
  );
  const homes = paths.filter((path) => path.at(-1) === meant);
  return homes.length > 0 && homes.length <= 3
    ? `; did you mean ${homes.map((home) => `"${renderPath(home)}"`).join(" or ")}?`
    : "";
}

function allPaths(fields: Fields, path: readonly string[]): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([name, node]) => {
    const here = [...path, name];
    return node.node === "key" ? [here] : [here, ...allPaths(node.keys, here)];
  });
}
