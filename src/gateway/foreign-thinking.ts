/** Thinking in a Messages history that another vendor's model did, and that the gateway signed. */
import { SIGNATURE_PREFIX } from "../translate/maps/reasoning-signature.ts";
import { isForeign } from "../translate/messages-upstream/thinking-blocks.ts";
import { dropBlocks } from "../wire/anthropic-messages/drop-blocks.ts";
import type { ParsedRequest } from "../wire/format.ts";

/**
 * The bytes of a Messages request for Anthropic without such blocks: Anthropic refuses a signature that is not its own, and
 * with it every later turn of a conversation that changed providers. Without one they are the client's own bytes.
 */
export function withoutForeignThinking(request: ParsedRequest): Uint8Array {
  const { bytes } = request;
  const isThere = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(SIGNATURE_PREFIX);
  return isThere ? dropBlocks(request, isForeign) : bytes;
}
