/**
 * Signatures on thinking. Like the vendor's they are opaque to clients, bound to model and text and, for the newest families, to
 * the prompt before them; unlike the vendor's a test can tell why one was refused.
 */
import { sha256Hex } from "../base/ids.ts";
import { isObject, own } from "../base/json.ts";

const MARK = "arouter-simulator-1";

/** What a thinking block was signed for. */
export interface Signed {
  readonly model: string;
  readonly thinking: string;
  /** Rolling hash of the prompt before the block. */
  readonly prefix: string;
}

/** What became of a signature that came back. */
export type SignatureState = "valid" | "other-model" | "foreign" | "modified" | "moved";

/** Signs and verifies thinking. */
export interface Signer {
  /** Base64 text. */
  readonly sign: (signed: Signed) => string;
  /** Checks a returned block; `prefixes` are the places where it may have been minted, or null when the family does not bind. */
  readonly verify: (
    signature: string,
    block: { readonly model: string; readonly thinking: string; readonly prefixes: readonly string[] | null },
  ) => SignatureState;
}

/** A signer with its own secret: what one simulator signed, another does not accept. */
export function createSigner(secret: string): Signer {
  const digest = (model: string, thinking: string, prefix: string): string =>
    // Hash over a hash: no length extension, which a keyed plain hash would allow.
    sha256Hex(`${secret}\n${sha256Hex(`${secret}\n${model}\n${prefix}\n${thinking}`)}`, 48);
  return {
    sign: ({ model, thinking, prefix }) =>
      Buffer.from(JSON.stringify({ mark: MARK, model, prefix, hash: digest(model, thinking, prefix) })).toString(
        "base64",
      ),
    verify: (signature, { model, thinking, prefixes }) => {
      const claims = decode(signature);
      if (claims === null) return "foreign";
      if (claims.hash !== digest(claims.model, thinking, claims.prefix)) return "modified";
      if (claims.model !== model) return "other-model";
      return prefixes === null || prefixes.includes(claims.prefix) ? "valid" : "moved";
    },
  };
}

function decode(signature: string): { model: string; prefix: string; hash: string } | null {
  try {
    const json: unknown = JSON.parse(Buffer.from(signature, "base64").toString("utf8"));
    const model = own(json, "model");
    const prefix = own(json, "prefix");
    const hash = own(json, "hash");
    if (!isObject(json) || own(json, "mark") !== MARK) return null;
    return typeof model === "string" && typeof prefix === "string" && typeof hash === "string"
      ? { model, prefix, hash }
      : null;
  } catch {
    return null;
  }
}
