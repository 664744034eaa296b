/** Request, trace and span ids; W3C trace context. */

/** Random bytes that are asked for ahead: asking for each id by itself costs more than the id. */
const pool = Buffer.alloc(4096);
let used = pool.byteLength;

/** Where the next `count` random bytes are in the pool; they are given once. */
function takeRandom(count: number): number {
  if (used + count > pool.byteLength) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += count;
  return used - count;
}

const ALPHABET = Buffer.from("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
const PREFIX = "req_ar_";
const DIGITS = 24;
const requestId = Buffer.from(PREFIX + "0".repeat(DIGITS));

/** A fresh request id: `req_ar_` and 24 characters of Crockford base 32 (120 random bits). */
export function createRequestId(): string {
  const from = takeRandom(DIGITS);
  for (let at = 0; at < DIGITS; at += 1) {
    requestId[PREFIX.length + at] = ALPHABET[(pool[from + at] ?? 0) & 31] ?? 0;
  }
  return requestId.toString("latin1");
}

function hex(length: number): string {
  const from = takeRandom(length);
  return pool.toString("hex", from, from + length);
}

/** W3C trace context of one request. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** The gateway's own server span, 16 hex digits. */
  readonly spanId: string;
  /** The caller's span, when it sent a valid `traceparent`. */
  readonly parentSpanId: string | null;
  readonly sampled: boolean;
  /** The caller's `tracestate`, forwarded as it came; null without a valid parent. */
  readonly tracestate: string | null;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Continues the caller's trace, or starts one.
 * @see https://www.w3.org/TR/trace-context/ §3.2 (read 2026-11-24)
 */
export function openTrace(
  traceparent: string | null,
  tracestate: string | null,
  sampleNew: () => boolean,
): TraceContext {
  const match = traceparent === null ? null : TRACEPARENT.exec(traceparent.trim());
  if (match !== null) {
    const [, version = "", traceId = "", parent = "", flags = "", rest] = match;
    const valid =
      version !== "ff" && (version !== "00" || rest === undefined) && !/^0+$/.test(traceId) && !/^0+$/.test(parent);
    if (valid) {
      const sampled = (Number.parseInt(flags, 16) & 1) === 1;
      return { traceId, spanId: hex(8), parentSpanId: parent, sampled, tracestate };
    }
  }
  return { traceId: hex(16), spanId: hex(8), parentSpanId: null, sampled: sampleNew(), tracestate: null };
}

/** A `traceparent` for an upstream call made in span `spanId`. */
export function renderTraceparent(trace: TraceContext, spanId: string): string {
  return `00-${trace.traceId}-${spanId}-${trace.sampled ? "01" : "00"}`;
}

/** A fresh span id, 16 hex digits. */
export function createSpanId(): string {
  return hex(8);
}

/** First `digits` lower-case hex digits of the SHA-256 of `text`. */
export function sha256Hex(text: string | Uint8Array, digits = 64): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, digits);
}
