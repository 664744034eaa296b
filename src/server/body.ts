/** Reading a request's body: within its size, within its time, decoded. */
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { decodeContent, readBounded } from "../base/stream.ts";

export interface BodyLimits {
  readonly bodyBytes: number;
  /** For the whole body, however it trickles. */
  readonly requestBodyMs: number;
}

const ACCEPTED_ENCODINGS = new Set(["", "identity", "gzip", "x-gzip", "zstd"]);

function tooLarge(limit: number): GatewayError {
  return new GatewayError("too-large", `the request body is over the limit of ${limit} bytes (limits.body_bytes)`, {
    headers: { connection: "close" },
  });
}

/**
 * The decoded body of `request`.
 * @throws GatewayError `too-large`, `unsupported-media` (content-encoding), `request-timeout`, `client-closed`
 */
export async function readBody(request: Request, limits: BodyLimits, clock: Clock): Promise<Uint8Array> {
  const encoding = (request.headers.get("content-encoding") ?? "").trim().toLowerCase();
  if (!ACCEPTED_ENCODINGS.has(encoding)) {
    throw new GatewayError(
      "unsupported-media",
      `content-encoding "${encoding.slice(0, 32)}" is not accepted; send gzip, zstd or none`,
      {
        param: "content-encoding",
      },
    );
  }
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  return withTimeout(readDecoded(request, encoding, limits.bodyBytes), limits.requestBodyMs, clock);
}

async function readDecoded(request: Request, encoding: string, maxBytes: number): Promise<Uint8Array> {
  try {
    // The runtime's own reading is the quickest. It takes no more than the declared length, which was checked before.
    const isPlain = encoding === "" || encoding === "identity";
    if (isPlain && request.headers.has("content-length")) return await request.bytes();
    const read = await readBounded(decodeContent(request.body as ReadableStream<Uint8Array>, encoding), maxBytes);
    if (!read.ok) throw tooLarge(maxBytes);
    return read.bytes;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (request.signal.aborted) throw new GatewayError("client-closed", "the client left while sending its request");
    throw new GatewayError(
      "invalid-request",
      `the request body could not be read${encoding === "" ? "" : ` as ${encoding}`}`,
      {
        code: "invalid_value",
        param: encoding === "" ? "body" : "content-encoding",
        cause: error,
      },
    );
  }
}

function withTimeout<T>(work: Promise<T>, limitMs: number, clock: Clock): Promise<T> {
  if (limitMs <= 0) return work;
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () =>
      reject(
        new GatewayError("request-timeout", "the request body did not arrive in time (timeout.request_body)", {
          headers: { connection: "close" },
        }),
      ),
    );
    work.then(resolve, reject).finally(cancel);
  });
}
