/** A schema as a document: the resources in it, their anchors, and where a `$ref` leads. Nothing is ever fetched. */
import { isArray, isObject, isString, type Json, type JsonObject, own } from "../../base/json.ts";

export type Draft = "draft-07" | "2020-12";

/** A schema with an `$id` of its own, or the document itself. */
export interface Resource {
  readonly uri: string;
  readonly root: Json;
  readonly anchors: ReadonlyMap<string, JsonObject>;
  readonly dynamicAnchors: ReadonlyMap<string, JsonObject>;
}

interface MutableResource extends Resource {
  readonly anchors: Map<string, JsonObject>;
  readonly dynamicAnchors: Map<string, JsonObject>;
}

/** What a reference points at. */
export interface Target {
  readonly schema: Json;
  readonly resource: Resource;
  /** Set when the reference named a `$dynamicAnchor`. */
  readonly dynamicAnchor: string | null;
}

export interface SchemaDocument {
  readonly root: Json;
  readonly draft: Draft;
  /** The `$schema` it declares is one of json-schema.org's, or it declares none. */
  readonly isKnownDialect: boolean;
  /** Some schema in it uses `unevaluated…`: only then are looked-at properties and items noted. */
  readonly hasUnevaluated: boolean;
  readonly hasDynamicRef: boolean;
  readonly resourceOf: (schema: JsonObject) => Resource;
  /** null for a reference that leads out of the document or nowhere. */
  readonly resolve: (reference: string, from: Resource) => Target | null;
}

/** Base of relative references in a document without an absolute `$id`. */
const BASE_URI = "schema://local/";

const SINGLE = [
  "not",
  "if",
  "then",
  "else",
  "additionalProperties",
  "propertyNames",
  "contains",
  "additionalItems",
  "unevaluatedItems",
  "unevaluatedProperties",
  "contentSchema",
  "items",
] as const;
const LISTS = ["allOf", "anyOf", "oneOf", "prefixItems", "items"] as const;
const MAPS = ["properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"] as const;

/** The subschemas of `schema`, by the keywords that hold schemas: an `enum` holds values only. */
export function* subschemas(schema: JsonObject): Generator<Json> {
  for (const keyword of SINGLE) {
    const value = own(schema, keyword);
    if (isObject(value)) yield value;
  }
  for (const keyword of LISTS) {
    const value = own(schema, keyword);
    if (isArray(value)) yield* value;
  }
  for (const keyword of MAPS) {
    const value = own(schema, keyword);
    if (isObject(value)) yield* Object.values(value);
  }
}

/** Reads `root` as a document. Linear in its size. */
export function readDocument(root: Json): SchemaDocument {
  const draft = draftOf(root);
  const resources = new Map<string, MutableResource>();
  const owners = new Map<JsonObject, MutableResource>();
  let hasUnevaluated = false;
  let hasDynamicRef = false;

  const openResource = (uri: string, schema: Json): MutableResource => {
    const resource: MutableResource = { uri, root: schema, anchors: new Map(), dynamicAnchors: new Map() };
    if (!resources.has(uri)) resources.set(uri, resource);
    return resource;
  };

  const index = (schema: Json, parent: MutableResource): void => {
    if (!isObject(schema) || owners.has(schema)) return;
    const id = draft === "draft-07" && own(schema, "$ref") !== undefined ? undefined : own(schema, "$id");
    let resource = parent;
    if (isString(id)) {
      const uri = joinUri(id, parent.uri);
      const { base, fragment } = uri === null ? { base: parent.uri, fragment: "" } : splitUri(uri);
      if (base !== parent.uri) resource = openResource(base, schema);
      // Draft 7 spells an anchor as an `$id` that is only a fragment.
      if (fragment !== "" && !fragment.startsWith("/")) resource.anchors.set(fragment, schema);
    }
    owners.set(schema, resource);
    const anchor = own(schema, "$anchor");
    if (isString(anchor) && draft === "2020-12") resource.anchors.set(anchor, schema);
    const dynamicAnchor = own(schema, "$dynamicAnchor");
    if (isString(dynamicAnchor) && draft === "2020-12") {
      resource.anchors.set(dynamicAnchor, schema);
      resource.dynamicAnchors.set(dynamicAnchor, schema);
    }
    hasDynamicRef ||= Object.hasOwn(schema, "$dynamicRef");
    hasUnevaluated ||= Object.hasOwn(schema, "unevaluatedItems") || Object.hasOwn(schema, "unevaluatedProperties");
    for (const child of subschemas(schema)) index(child, resource);
  };

  const rootResource = openResource(BASE_URI, root);
  index(root, rootResource);

  /** Walks a JSON pointer, changing resource at each `$id` it passes. */
  const follow = (resource: MutableResource, pointer: string): Target | null => {
    let schema: Json = resource.root;
    let owner = resource;
    for (const raw of pointer.split("/").slice(1)) {
      const token = raw.replaceAll("~1", "/").replaceAll("~0", "~");
      const next: Json | undefined = isArray(schema) ? schema[Number(token)] : own(schema, token);
      if (next === undefined) return null;
      schema = next;
      if (isObject(schema)) owner = owners.get(schema) ?? owner;
    }
    index(schema, owner);
    return { schema, resource: isObject(schema) ? (owners.get(schema) ?? owner) : owner, dynamicAnchor: null };
  };

  return {
    root,
    draft,
    isKnownDialect: isKnownDialect(root),
    hasUnevaluated,
    hasDynamicRef,
    resourceOf: (schema) => owners.get(schema) ?? rootResource,
    resolve: (reference, from) => {
      const uri = joinUri(reference, from.uri);
      if (uri === null) return null;
      const { base, fragment } = splitUri(uri);
      const resource = resources.get(base);
      if (resource === undefined) return null;
      if (fragment === "" || fragment.startsWith("/")) return follow(resource, fragment);
      const schema = resource.anchors.get(fragment);
      if (schema === undefined) return null;
      return { schema, resource, dynamicAnchor: resource.dynamicAnchors.has(fragment) ? fragment : null };
    },
  };
}

const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[4-7]\/schema#?$/;

function draftOf(root: Json): Draft {
  const declared = own(root, "$schema");
  return isString(declared) && DRAFT_7.test(declared) ? "draft-07" : "2020-12";
}

const OFFICIAL = /^https?:\/\/json-schema\.org\//;

function isKnownDialect(root: Json): boolean {
  const declared = own(root, "$schema");
  return !isString(declared) || OFFICIAL.test(declared);
}

function joinUri(reference: string, base: string): string | null {
  return URL.canParse(reference, base) ? new URL(reference, base).href : null;
}

function splitUri(uri: string): { readonly base: string; readonly fragment: string } {
  const hash = uri.indexOf("#");
  if (hash < 0) return { base: uri, fragment: "" };
  const encoded = uri.slice(hash + 1);
  try {
    return { base: uri.slice(0, hash), fragment: decodeURIComponent(encoded) };
  } catch {
    return { base: uri.slice(0, hash), fragment: encoded };
  }
}
