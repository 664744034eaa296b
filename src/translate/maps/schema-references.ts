/** Where the `$ref`s of a JSON schema lead. */
import { isArray, isString, own, type Json, type JsonObject } from "../../base/json.ts";

/** Longest chain of nested and referenced schemas that is followed: it costs stack. */
const MAX_DEPTH = 256;

/** Whether a `$ref` leads back to a schema that contains it, out of the document, or too far. */
export function isRecursive(root: JsonObject): boolean {
  const finished = new Set<Json>();
  const open = new Set<Json>();
  const visit = (node: Json): boolean => {
    if (typeof node !== "object" || node === null || finished.has(node)) return false;
    if (open.has(node) || open.size > MAX_DEPTH) return true;
    open.add(node);
    const found = isArray(node) ? node.some(visit) : visitObject(node);
    open.delete(node);
    finished.add(node);
    return found;
  };
  const visitObject = (node: JsonObject): boolean => {
    const ref = own(node, "$ref");
    if (isString(ref)) {
      const target = resolvePointer(root, ref);
      if (target === null || visit(target)) return true;
    }
    // Definitions are visited where they are used; unused ones bind nothing.
    return Object.entries(node).some(([key, value]) => key !== "$defs" && key !== "definitions" && visit(value));
  };
  return visit(root);
}

function resolvePointer(root: JsonObject, ref: string): Json | null {
  if (ref !== "#" && !ref.startsWith("#/")) return null;
  let node: Json = root;
  for (const step of ref.split("/").slice(1)) {
    const key = decodeStep(step);
    const next: Json | undefined = isArray(node) ? node[Number(key)] : own(node, key);
    if (next === undefined) return null;
    node = next;
  }
  return node;
}

function decodeStep(step: string): string {
  const plain = step.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
