/** Claude's thinking blocks in a history. */
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { SIGNATURE_PREFIX } from "../maps/reasoning-signature.ts";
import { withItem } from "../small-sets.ts";
import type { Draft } from "./draft.ts";

/** Header value and field that make an edited history degrade instead of failing. */
const BINDING_BETA = "thinking-binding-controls-2026-08-01";

/** Whether `block` is a thinking block of Claude. */
export function isThinkingBlock(block: Json): boolean {
  const type = own(block, "type");
  return type === "thinking" || type === "redacted_thinking";
}

/** Whether the gateway made the signature, for another vendor's reasoning: Claude could not read it. */
export function isForeign(block: Json): boolean {
  const signature = own(block, "signature") ?? own(block, "data");
  return isString(signature) && signature.startsWith(SIGNATURE_PREFIX);
}

/**
 * Lets Claude drop thinking that an edited history made invalid, where newer models would refuse the request.
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (read 2026-11-24)
 */
export function bindThinking(draft: Draft): void {
  if (!draft.model.capabilities.preservedThinking || own(draft.request, "thinking") !== undefined) return;
  const thinking = draft.body.thinking ?? { type: "adaptive" };
  if (own(thinking, "type") === "disabled" || !isObject(thinking)) return;
  draft.betas = withItem(draft.betas, BINDING_BETA);
  draft.body.thinking = { ...thinking, block_binding: { prefix_mismatch_behavior: "drop_block" } };
}

/** `blocks` without what must not be sent: thinking when `keep` is false, and thinking of other vendors. */
export function filterThinking(blocks: readonly JsonObject[], keep: boolean): readonly JsonObject[] {
  if (!blocks.some(isThinkingBlock)) return blocks;
  return blocks.filter((block) => !isThinkingBlock(block) || (keep && !isForeign(block)));
}
