/** Signatures that the gateway gives to thinking blocks of models other than Claude's. */

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
