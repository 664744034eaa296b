/** A request as bytes. Nothing that was put into it can add a header, or a second request. */
import type { HttpCall } from "../http.ts";
import { failure, INVALID_REQUEST } from "./failure.ts";

export interface RenderedRequest {
  /** The head, and with it a body that is not too large. */
  readonly first: Uint8Array;
  /** The body, when it is not with the head. */
  readonly rest: Uint8Array | null;
}

/** Up to here copying a body costs less than a second write. */
const JOIN_BYTES = 65_536;

const METHOD = /^[A-Z]{1,32}$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a value may not have: line ends, NUL and other control characters, what has no byte in Latin-1. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;
/** Framing, which is for this file alone. */
const OURS = new Set(["host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"]);

/** Names that were found good: they come from tables of the gateway, so they are few. */
const known = new Set<string>();
const MAX_KNOWN = 256;

function learnName(name: string): void {
  if (!NAME.test(name) || OURS.has(name.toLowerCase())) {
    throw failure(INVALID_REQUEST, `the header ${JSON.stringify(name)} cannot be sent`);
  }
  if (known.size < MAX_KNOWN) known.add(name);
}

/**
 * Renders `call` to `target` (path and query, percent-encoded) of `host`.
 * @throws Error `HTTP_INVALID_REQUEST`
 */
export function renderRequest(host: string, target: string, { method, headers, body }: HttpCall): RenderedRequest {
  if (!METHOD.test(method)) throw failure(INVALID_REQUEST, "the method cannot be sent");
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (!known.has(name)) learnName(name);
    if (FORBIDDEN.test(value)) {
      throw failure(INVALID_REQUEST, `the value of the header ${name} has a character that cannot be sent`);
    }
    head += `${name}: ${value}\r\n`;
  }
  if (body === undefined) return { first: Buffer.from(`${head}\r\n`, "latin1"), rest: null };
  const bodyBytes = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  head += `content-length: ${bodyBytes}\r\n\r\n`;
  if (typeof body !== "string" && bodyBytes > JOIN_BYTES) return { first: Buffer.from(head, "latin1"), rest: body };
  const first = Buffer.allocUnsafe(head.length + bodyBytes);
  first.write(head, 0, "latin1");
  if (typeof body === "string") first.write(body, head.length, "utf8");
  else first.set(body, head.length);
  return { first, rest: null };
}
