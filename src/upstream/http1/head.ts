/**
 * The head of an answer: status, headers, and how its body is framed. Strict where leniency lets two readers of one
 * connection disagree.
 * @see https://www.rfc-editor.org/rfc/rfc9112 (read 2026-11-24)
 */
import type { HeaderView } from "../../base/headers.ts";
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

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\0\r\n]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNSAFE = /[\0\r\n]/;
const LENGTH = /^\d{1,15}$/;
const IDLE_HINT = /(?:^|[\s,;])timeout=(\d{1,9})/i;
const MAX_FIELDS = 256;

function invalid(what: string): Error {
  return failure(INVALID_ANSWER, `the upstream's answer has ${what}`);
}

/**
 * Reads a head: all up to its empty line, without the last line end. `method` is the request's.
 * @throws Error `HTTP_INVALID_ANSWER`
 */
export function parseHead(text: string, method: string): AnswerHead {
  const lineEnd = text.indexOf("\r\n");
  const first = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (first === null) throw invalid("no status line of HTTP/1");
  const status = Number(first[2]);
  const names: string[] = [];
  const values: string[] = [];
  let length: string | null = null;
  let coding: string | null = null;
  let connection = "";
  let idleSeconds: number | null = null;

  for (let from = lineEnd < 0 ? text.length : lineEnd + 2; from < text.length;) {
    const next = text.indexOf("\r\n", from);
    const to = next < 0 ? text.length : next;
    const colon = text.indexOf(":", from);
    const name = colon < 0 || colon > to ? "" : text.slice(from, colon).toLowerCase();
    // A folded line and white space before the colon fall here too.
    if (!NAME.test(name)) throw invalid("a line that is no header");
    const value = trimmed(text, colon + 1, to);
    if (UNSAFE.test(value)) throw invalid(`a forbidden character in ${name}`);
    if (names.length === MAX_FIELDS) throw invalid(`more than ${MAX_FIELDS} headers`);
    names.push(name);
    values.push(value);
    switch (name) {
      case "content-length":
        length = sameLength(length, value);
        break;
      case "transfer-encoding":
        coding = coding === null ? value : `${coding},${value}`;
        break;
      case "connection":
        connection += `,${value.toLowerCase()}`;
        break;
      case "keep-alive":
        idleSeconds = readIdleHint(value);
        break;
      default:
    }
    from = to + 2;
  }

  const isOld = first[1] === "0";
  if (coding !== null) {
    if (length !== null) throw invalid("both content-length and transfer-encoding");
    if (isOld || coding.toLowerCase() !== "chunked") throw invalid("a transfer-encoding other than chunked");
  }
  const isBodiless = method === "HEAD" || status === 204 || status === 304 || status < 200;
  const framing = isBodiless || length !== null ? "length" : coding !== null ? "chunked" : "close";
  return {
    status,
    headers: createHeaderView(names, values),
    framing,
    length: isBodiless ? 0 : Number(length ?? 0),
    isBodiless,
    keepAlive: framing !== "close" && (isOld ? hasToken(connection, "keep-alive") : !hasToken(connection, "close")),
    idleSeconds,
  };
}

function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** One length, however often it is said. */
function sameLength(before: string | null, value: string): string {
  let length = before;
  for (const part of value.includes(",") ? value.split(",") : [value]) {
    const text = trimmed(part, 0, part.length);
    if (!LENGTH.test(text)) throw invalid("a content-length that is no number");
    if (length !== null && Number(length) !== Number(text)) throw invalid("two values of content-length");
    length = text;
  }
  return length ?? "0";
}

function hasToken(list: string, token: string): boolean {
  return list !== "" && list.split(",").some((each) => each.trim() === token);
}

function readIdleHint(value: string): number | null {
  const seconds = IDLE_HINT.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

function createHeaderView(names: readonly string[], values: readonly string[]): HeaderView {
  const joined = (name: string): string | null => {
    let found: string | null = null;
    for (let index = names.indexOf(name); index >= 0; index = names.indexOf(name, index + 1)) {
      const value = values[index] ?? "";
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  };
  return {
    get: (name) => joined(name.toLowerCase()),
    forEach: (visit) => {
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) === index) visit(joined(name) ?? "", name);
      }
    },
  };
}
