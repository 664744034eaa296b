/** The callers' keys: `sha256:HEX` or the key itself, from the file, the environment and `keys_file`. */
import { createSecret, sha256, type Secret } from "../base/secret.ts";
import type { AuthKey } from "./config.ts";

/** A key that was read, or what is wrong with it; `secret` when the text was the key itself. */
export type AuthKeyRead = { readonly key: AuthKey; readonly secret: Secret | null } | { readonly problem: string };

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const DIGEST = /^sha256:([0-9a-fA-F]{64})$/;

/** Reads one caller; `text` is `sha256:HEX` or the key itself. */
export function readAuthKey(name: string, text: string): AuthKeyRead {
  if (!NAME.test(name)) return { problem: "the name must be 1 to 64 of the characters A-Z a-z 0-9 . _ @ -" };
  if (text === "") return { problem: "the key is empty" };
  const hex = DIGEST.exec(text)?.[1];
  if (hex !== undefined) return { key: { name, digest: new Uint8Array(Buffer.from(hex, "hex")) }, secret: null };
  if (text.startsWith("sha256:")) return { problem: "must be sha256: and 64 hex digits" };
  return { key: { name, digest: sha256(text) }, secret: createSecret(text) };
}

/** A line of a keys file. */
export interface KeysFileLine {
  /** From 1. */
  readonly line: number;
  readonly name: string;
  readonly read: AuthKeyRead;
}

/** Reads `name = key` lines; blank lines and those that begin with `#` are skipped, quotes around the key are taken off. */
export function readKeysFile(text: string): readonly KeysFileLine[] {
  const lines: KeysFileLine[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) return;
    const equals = content.indexOf("=");
    const line = index + 1;
    if (equals < 0) {
      lines.push({ line, name: "", read: { problem: "must be name = key" } });
      return;
    }
    const name = content.slice(0, equals).trim();
    const value = content
      .slice(equals + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, "$2");
    lines.push({ line, name, read: readAuthKey(name, value) });
  });
  return lines;
}
