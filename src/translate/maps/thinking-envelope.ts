/**
 * Claude's thinking blocks in the `encrypted_content` of OpenAI's reasoning items. An envelope holds its block whole, text
 * included: Claude takes a block back only as it gave it, and clients shorten or drop the summary beside it.
 */
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { SIGNATURE_PREFIX } from "./reasoning-signature.ts";

/** The `encrypted_content` for a `thinking` or `redacted_thinking` block. */
export function sealThinking(block: JsonObject): string {
  const json =
    own(block, "type") === "redacted_thinking" ? pick(block, ["data"]) : pick(block, ["thinking", "signature"]);
  return SIGNATURE_PREFIX + Buffer.from(JSON.stringify(json)).toString("base64url");
}

function pick(block: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.map((key) => [key, own(block, key) ?? ""]));
}

/** Whether the gateway sealed it: another vendor cannot read it. */
export function isSealedThinking(encrypted: Json | undefined): encrypted is string {
  return isString(encrypted) && encrypted.startsWith(SIGNATURE_PREFIX);
}

/** The block in an `encrypted_content`; null where it is another vendor's, or damaged. */
export function openThinking(encrypted: Json | undefined): JsonObject | null {
  if (!isSealedThinking(encrypted)) return null;
  try {
    const json: unknown = JSON.parse(Buffer.from(encrypted.slice(SIGNATURE_PREFIX.length), "base64url").toString());
    if (!isObject(json)) return null;
    const data = own(json, "data");
    if (isString(data)) return { type: "redacted_thinking", data };
    const thinking = own(json, "thinking");
    const signature = own(json, "signature");
    if (!isString(thinking) || !isString(signature) || signature === "") return null;
    return { type: "thinking", thinking, signature };
  } catch {
    return null;
  }
}
