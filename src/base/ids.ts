/** Request, trace and span ids; W3C trace context. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A fresh request id: `req_ar_` and 24 characters of Crockford base 32 (120 random bits). */
export function createRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  let id = "req_ar_";
  for (const byte of bytes) id += ALPHABET[byte & 31];
  return id;
}

function hex(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString("hex");
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
