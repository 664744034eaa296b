/** Reading a request's body: within its size, within its time, decoded. */
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { HeaderView } from "../base/headers.ts";
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

/** Who has a body read. */
export interface BodyReader {
  /** The reading has ended. */
  onRead(isWhole: boolean): void;
}

/**
 * The decoded body of `request`, whose headers are `headers`.
 * @throws GatewayError `too-large`, `unsupported-media` (content-encoding), `request-timeout`, `client-closed`
 */
export function readBody(
  request: Request,
  headers: HeaderView,
  limits: BodyLimits,
  clock: Clock,
  reader: BodyReader,
): Promise<Uint8Array> {
  const encoding = readEncoding(headers);
  const declared = headers.get("content-length");
  if (Number(declared ?? "0") > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  // The runtime's own reading is the quickest. It takes no more than the declared length.
  const isWhole = declared !== null && (encoding === "" || encoding === "identity");
  const reading = isWhole ? request.bytes() : readDecoded(request, encoding, limits.bodyBytes);
  return new Promise((resolve, reject) => {
    const limitMs = limits.requestBodyMs;
    let isOver = false;
    const end = (isWhole: boolean): void => {
      if (isOver) return;
      isOver = true;
      cancel?.();
      reader.onRead(isWhole);
    };
    const expire = (): void => {
      end(false);
      reject(tookTooLong());
    };
    const cancel = limitMs > 0 ? clock.after(limitMs, expire) : null;
    reading.then(
      (bytes) => {
        end(true);
        resolve(bytes);
      },
      (error: unknown) => {
        end(false);
        reject(readingError(error, request, encoding));
      },
    );
  });
}

function readEncoding(headers: HeaderView): string {
  const sent = headers.get("content-encoding");
  if (sent === null) return "";
  const encoding = sent.trim().toLowerCase();
  if (ACCEPTED_ENCODINGS.has(encoding)) return encoding;
  throw new GatewayError(
    "unsupported-media",
    `content-encoding "${encoding.slice(0, 32)}" is not accepted; send gzip, zstd or none`,
    {
      param: "content-encoding",
    },
  );
}

async function readDecoded(request: Request, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const read = await readBounded(decodeContent(request.body as ReadableStream<Uint8Array>, encoding), maxBytes);
  if (!read.ok) throw tooLarge(maxBytes);
  return read.bytes;
}

function tookTooLong(): GatewayError {
  return new GatewayError("request-timeout", "the request body did not arrive in time (timeout.request_body)", {
    headers: { connection: "close" },
  });
}

/** What a client is told of a body that could not be read. */
function readingError(error: unknown, request: Request, encoding: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (request.signal.aborted) return new GatewayError("client-closed", "the client left while sending its request");
  return new GatewayError(
    "invalid-request",
    `the request body could not be read${encoding === "" ? "" : ` as ${encoding}`}`,
    {
      code: "invalid_value",
      param: encoding === "" ? "body" : "content-encoding",
      cause: error,
    },
  );
}
