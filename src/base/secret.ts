/** Keys that cannot be printed by accident, and the redactor that keeps them out of every sink. */
import { createHash, timingSafeEqual } from "node:crypto";
import { type ByteScan, createByteScan } from "./byte-scan.ts";
import { createWordScan } from "./word-search.ts";

const REDACTED = "[redacted]";

/** A key or password. Its string, JSON and inspect forms are `[redacted]`; only {@link reveal} gives the text. */
export interface Secret {
  readonly toString: () => string;
  readonly toJSON: () => string;
}

// The text is kept outside the object: nothing that walks properties can reach it.
const texts = new WeakMap<Secret, string>();

const redacted = (): string => REDACTED;

/** `inspect.custom` of node:util, without loading that module at every start. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

export function createSecret(text: string): Secret {
  const secret = Object.freeze({
    toString: redacted,
    toJSON: redacted,
    [Symbol.toPrimitive]: redacted,
    [INSPECT]: redacted,
  });
  texts.set(secret, text);
  return secret;
}

/** The text of `secret`. Call it where the text is sent, and nowhere else. */
export function reveal(secret: Secret): string {
  return texts.get(secret) ?? "";
}

/** SHA-256 of the UTF-8 form of `text`, 32 bytes. */
export function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text, "utf8").digest());
}

/** Compares two digests of equal length in constant time; false when the lengths differ. */
export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Shorter secrets are left alone: taking every `ab` out of a text would say more than it hides. */
const MIN_SECRET_CHARS = 6;

/** Takes every secret out of a text. */
export interface Redact {
  (text: string): string;
  /** Whether there is one in UTF-8 bytes; what has none is as it would be redacted. Unset: nothing is known of bytes. */
  readonly isIn?: ByteScan;
}

/**
 * A function that replaces each of `secrets` by `[redacted]`, as it is, in base64 (also as part of a longer base64 text,
 * standard and URL alphabet), URL-encoded and JSON-escaped. One linear pass per form.
 */
export function createRedactor(secrets: readonly Secret[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const text = reveal(secret);
    if (text.length >= MIN_SECRET_CHARS) for (const form of formsOf(text)) forms.add(form);
  }
  // A longer form first: one that contains another must not be cut in two.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  const { isIn } = createWordScan(ordered);
  const redact = (text: string): string => {
    if (!isIn(text)) return text;
    let result = text;
    for (const form of ordered) if (result.includes(form)) result = result.replaceAll(form, REDACTED);
    return result;
  };
  return Object.assign(redact, { isIn: createByteScan(ordered) });
}

function formsOf(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const percent = encodeURIComponent(text);
  const plain = [
    text,
    json,
    // Some writers escape the slash, some everything beyond ASCII.
    json.replaceAll("/", "\\/"),
    json.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`),
    percent,
    percent.replaceAll("%20", "+"),
    percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  ];
  const whole = Buffer.from(text, "utf8").toString("base64");
  const standard = [whole, whole.replace(/=+$/, ""), ...[0, 1, 2].map((offset) => base64At(text, offset))];
  const url = standard.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return [...plain, ...standard, ...url].filter((form) => form.length >= MIN_SECRET_CHARS);
}

/** The base64 characters that depend on `text` alone when it starts `offset` bytes into a group of three. */
function base64At(text: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text, "utf8")]);
  // Characters before `start` mix in the bytes in front of the text; an unfinished last group mixes in what follows.
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor((bytes.length * 8) / 6);
  return bytes.toString("base64").slice(start, end);
}
