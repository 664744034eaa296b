/**
 * The head of an answer: status, headers, and how its body is framed. Strict where leniency lets two readers of one
 * connection disagree. Checked byte by byte, as most of a head is never looked at again: text is made of what is asked for.
 * @see https://www.rfc-editor.org/rfc/rfc9112 (read 2026-11-24)
 */
import type { HeaderView } from "../../base/headers.ts";
import { COLON, CR, digitOf, IS_NAME, IS_VALUE, LF, SPACE, TAB } from "./characters.ts";
import { failure, INVALID_ANSWER } from "./failure.ts";

/** How the end of a body is known. */
export type Framing = "length" | "chunked" | "close";

export interface AnswerHead {
  readonly status: number;
  readonly headers: HeaderView;
  readonly framing: Framing;
  /** Of the body, when it is framed by its length. */
  readonly length: number;
  /** Without a body by its nature: answers to `HEAD`, 204 and 304. */
  readonly isBodiless: boolean;
  /** Whether another request may follow on the connection. */
  readonly keepAlive: boolean;
  /** Seconds that the upstream keeps an idle connection (`keep-alive: timeout=`); null when it does not say. */
  readonly idleSeconds: number | null;
}

const VERSION = Buffer.from("HTTP/1.");
const LENGTH = /^\d{1,15}$/;
const IDLE_HINT = /(?:^|[\s,;])timeout=(\d{1,9})/i;
const MAX_FIELDS = 256;

function invalid(what: string): Error {
  return failure(INVALID_ANSWER, `the upstream's answer has ${what}`);
}

/** Where the parts of each header are: four numbers for each, start and end of its name and of its value. */
type Fields = number[];

/**
 * Reads the head in `bytes` from `from` to `to`: all up to its empty line. `method` is the request's.
 * @throws Error `HTTP_INVALID_ANSWER`
 */
export function parseHead(bytes: Buffer, from: number, to: number, method: string): AnswerHead {
  const { minor, status, end } = readStatusLine(bytes, from);
  const fields = readFields(bytes, end, to, from);
  const text = bytes.toString("latin1", from, to);
  const headers = new HeadersOfText(text, fields);
  const length = readLength(headers.get("content-length"));
  const coding = headers.get("transfer-encoding");
  const isOld = minor === 0;
  if (coding !== null) {
    if (length !== null) throw invalid("both content-length and transfer-encoding");
    if (isOld || coding.toLowerCase() !== "chunked") throw invalid("a transfer-encoding other than chunked");
  }
  const isBodiless = method === "HEAD" || status === 204 || status === 304 || status < 200;
  const framing = isBodiless || length !== null ? "length" : coding !== null ? "chunked" : "close";
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  return {
    status,
    headers,
    framing,
    length: isBodiless ? 0 : (length ?? 0),
    isBodiless,
    keepAlive: framing !== "close" && (isOld ? hasToken(connection, "keep-alive") : !hasToken(connection, "close")),
    idleSeconds: readIdleHint(headers.get("keep-alive")),
  };
}

/** `end`: behind the line's own end. */
function readStatusLine(
  bytes: Buffer,
  from: number,
): { readonly minor: number; readonly status: number; readonly end: number } {
  let at = from;
  for (const byte of VERSION) {
    if (bytes[at] !== byte) throw invalid("no status line of HTTP/1");
    at += 1;
  }
  const minor = digitOf(bytes[at]);
  const [hundreds, tens, units] = [digitOf(bytes[at + 2]), digitOf(bytes[at + 3]), digitOf(bytes[at + 4])];
  const isRead =
    (minor === 0 || minor === 1) &&
    bytes[at + 1] === SPACE &&
    hundreds >= 1 &&
    hundreds <= 5 &&
    tens >= 0 &&
    tens <= 9 &&
    units >= 0 &&
    units <= 9 &&
    (bytes[at + 5] === SPACE || bytes[at + 5] === CR);
  if (!isRead) throw invalid("no status line of HTTP/1");
  return { minor, status: hundreds * 100 + tens * 10 + units, end: endOfLine(bytes, at + 5) + 2 };
}

/** Where the line's own end begins. */
function endOfLine(bytes: Buffer, from: number): number {
  let at = from;
  while (IS_VALUE[bytes[at] ?? 0] === 1) at += 1;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw invalid("a forbidden character");
  return at;
}

/** The headers between `from` and `to`, each with its line end but the last. Positions count from `origin`. */
function readFields(bytes: Buffer, from: number, to: number, origin: number): Fields {
  const fields: Fields = [];
  for (let at = from; at < to;) {
    const nameStart = at;
    while (IS_NAME[bytes[at] ?? 0] === 1) at += 1;
    // A folded line and white space before the colon fall here too.
    if (at === nameStart || bytes[at] !== COLON) throw invalid("a line that is no header");
    const nameEnd = at;
    const lineEnd = endOfLine(bytes, at + 1);
    let valueStart = at + 1;
    let valueEnd = lineEnd;
    while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart += 1;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
    fields.push(nameStart - origin, nameEnd - origin, valueStart - origin, valueEnd - origin);
    if (fields.length > 4 * MAX_FIELDS) throw invalid(`more than ${MAX_FIELDS} headers`);
    at = lineEnd + 2;
  }
  return fields;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/** One length, however often it is said. */
function readLength(value: string | null): number | null {
  if (value === null) return null;
  if (LENGTH.test(value)) return Number(value);
  const lengths = value.split(",").map((part) => part.trim());
  if (!lengths.every((part) => LENGTH.test(part))) throw invalid("a content-length that is no number");
  const [first = ""] = lengths;
  if (lengths.some((part) => Number(part) !== Number(first))) throw invalid("two values of content-length");
  return Number(first);
}

function hasToken(list: string, token: string): boolean {
  return list !== "" && list.split(",").some((each) => each.trim() === token);
}

function readIdleHint(value: string | null): number | null {
  const seconds = value === null ? undefined : IDLE_HINT.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

/** Headers in the text of their head. */
class HeadersOfText implements HeaderView {
  readonly #text: string;
  /** Once for all names: a call for each of them would cost more than all the rest. */
  readonly #lower: string;
  readonly #fields: Fields;

  constructor(text: string, fields: Fields) {
    this.#text = text;
    this.#lower = text.toLowerCase();
    this.#fields = fields;
  }

  get(name: string): string | null {
    const first = this.#find(name, 0);
    return first < 0 ? null : this.#join(name, first);
  }

  forEach(visit: (value: string, name: string) => void): void {
    for (let index = 0; index < this.#fields.length; index += 4) {
      const name = this.#lower.slice(this.#at(index), this.#at(index + 1));
      if (this.#find(name, 0) === index) visit(this.#join(name, index), name);
    }
  }

  #at(index: number): number {
    return this.#fields[index] ?? 0;
  }

  #valueAt(index: number): string {
    return this.#text.slice(this.#at(index + 2), this.#at(index + 3));
  }

  /** Index of the next header of that name from `index` on; -1 when there is none. */
  #find(name: string, index: number): number {
    const { length } = name;
    for (let each = index; each < this.#fields.length; each += 4) {
      const start = this.#at(each);
      if (this.#at(each + 1) - start === length && this.#lower.startsWith(name, start)) return each;
    }
    return -1;
  }

  /** All values of a name, the first of which is at `first`. */
  #join(name: string, first: number): string {
    let value = this.#valueAt(first);
    for (let index = this.#find(name, first + 4); index >= 0; index = this.#find(name, index + 4)) {
      value = `${value}, ${this.#valueAt(index)}`;
    }
    return value;
  }
}
