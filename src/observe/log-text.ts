/** Texts made safe for one line of a log. */
import { isArray, isObject, type Json } from "../base/json.ts";

/** Longest value, in UTF-16 units. */
const MAX_VALUE_CHARS = 256;
const MAX_ITEMS = 32;

/** Control characters, separators that some readers take for line ends, marks that turn the direction of writing. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Every unsafe character as `\uXXXX`: also right within JSON text. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** At most {@link MAX_VALUE_CHARS}, an ellipsis at the cut. */
function shorten(text: string): string {
  if (text.length <= MAX_VALUE_CHARS) return text;
  // Half a surrogate pair at the cut becomes U+FFFD, so that the line stays valid UTF-8.
  return `${text.slice(0, MAX_VALUE_CHARS - 1).toWellFormed()}…`;
}

/** `text` redacted, then cut. */
export function safeText(text: string, redact: (text: string) => string): string {
  return shorten(redact(text));
}

/** `value` with every text in it redacted and cut, names too; long lists lose their end. */
export function safeValue(value: Json, redact: (text: string) => string): Json {
  if (typeof value === "string") return safeText(value, redact);
  if (isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => safeValue(item, redact));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [safeText(name, redact), safeValue(item, redact)]));
}

/** A value as text logs show it: bare when it is one plain word, else quoted. */
export function renderText(value: Json): string {
  if (typeof value === "string") return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

const MAX_CAUSES = 4;

/** An error with its causes, outermost first. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  while (current !== undefined && current !== null && parts.length < MAX_CAUSES) {
    parts.push(current instanceof Error ? `${current.name}: ${current.message}` : nameOf(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join("; caused by ");
}

/** What was thrown although it is no error. */
function nameOf(thrown: unknown): string {
  return typeof thrown === "string" ? thrown : `a thrown ${typeof thrown}`;
}

/** Where an error was thrown: the first line of its stack; null without one. */
export function originOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return /^\s*at (.+)$/m.exec(error.stack ?? "")?.[1] ?? null;
}
