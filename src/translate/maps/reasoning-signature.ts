/** Signatures that the gateway gives to thinking blocks of models other than Claude's. */
import { isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";

/** What a signature holds, to make the provider's own reasoning item again. */
export interface ReasoningEnvelope {
  readonly id: string | null;
  /** Null where the provider gave readable reasoning only: nothing can be sent back. */
  readonly encryptedContent: string | null;
  readonly model: string;
}

/** Begins every signature that the gateway minted; Anthropic's never do. */
export const SIGNATURE_PREFIX = "arouter1.";

/** The `signature` of a thinking block: the prefix and base64url JSON. */
export function mintSignature(envelope: ReasoningEnvelope): string {
  const json = JSON.stringify({
    id: envelope.id,
    encrypted_content: envelope.encryptedContent,
    model: envelope.model,
  });
  return SIGNATURE_PREFIX + Buffer.from(json).toString("base64url");
}

/** Reads a signature that the gateway minted; null for any other. */
export function readSignature(signature: Json | undefined): ReasoningEnvelope | null {
  if (!isString(signature) || !signature.startsWith(SIGNATURE_PREFIX)) return null;
  try {
    const json = JSON.parse(Buffer.from(signature.slice(SIGNATURE_PREFIX.length), "base64url").toString()) as Json;
    const id = own(json, "id");
    const sealed = own(json, "encrypted_content");
    const model = own(json, "model");
    if (!isObject(json) || !isString(model)) return null;
    return { id: isString(id) ? id : null, encryptedContent: isString(sealed) ? sealed : null, model };
  } catch {
    return null;
  }
}

const DATE_SUFFIX = /-\d{4}-\d{2}-\d{2}$/;

/** Whether reasoning of `model` may be shown to `target`: the same model, dated or not. */
export function isSameModel(model: string, target: string): boolean {
  return model.replace(DATE_SUFFIX, "") === target.replace(DATE_SUFFIX, "");
}

/**
 * The `reasoning` input item for reasoning that comes back; null where it cannot be sent: another model's, or readable only.
 * `summary` is its text as the client was shown it, "" for none.
 * @see https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items (read 2026-11-24)
 */
export function renderReasoningItem(envelope: ReasoningEnvelope, summary: string, target: string): JsonObject | null {
  const { id, encryptedContent, model } = envelope;
  if (id === null || encryptedContent === null || !isSameModel(model, target)) return null;
  return {
    type: "reasoning",
    id,
    summary: summary === "" ? [] : [{ type: "summary_text", text: summary }],
    encrypted_content: encryptedContent,
  };
}
