/** Thinking in a history that another vendor's model did, and that the gateway signed or sealed. */
import { own, type Json } from "../base/json.ts";
import { SIGNATURE_PREFIX } from "../translate/maps/reasoning-signature.ts";
import { isSealedThinking } from "../translate/maps/thinking-envelope.ts";
import { isForeign } from "../translate/messages-upstream/thinking-blocks.ts";
import { dropBlocks } from "../wire/anthropic-messages/drop-blocks.ts";
import type { ParsedRequest } from "../wire/format.ts";
import { dropItems } from "../wire/openai-responses/drop-items.ts";

/**
 * The bytes of a request that passes through, without such blocks (Messages) or items (Responses): both vendors refuse a
 * signature or a seal that is not their own, and with it every later turn of a conversation that changed providers. Without
 * one they are the client's own bytes.
 */
export function withoutForeignThinking(request: ParsedRequest): Uint8Array {
  const { bytes, format } = request;
  if (format === "chat") return bytes;
  const isThere = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(SIGNATURE_PREFIX);
  if (!isThere) return bytes;
  return format === "messages" ? dropBlocks(request, isForeign) : dropItems(request, isSealedItem);
}

function isSealedItem(item: Json): boolean {
  return own(item, "type") === "reasoning" && isSealedThinking(own(item, "encrypted_content"));
}
