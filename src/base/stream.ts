/** Reading byte streams under limits. */
import type { JsonObject } from "./json.ts";

export type BoundedBody =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** More than `maxBytes` arrived; the rest was cancelled. */
  | { readonly ok: false };

/**
 * Reads a whole body of at most `maxBytes`; cancels it beyond.
 * @throws what the stream throws (reset, abort)
 */
export async function readBounded(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<BoundedBody> {
  if (body === null) return { ok: true, bytes: new Uint8Array(0) };
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return { ok: false };
    }
    chunks.push(value);
  }
  const only = chunks[0];
  return { ok: true, bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size) };
}

/** Whether bytes in `encoding` are what they say. */
export function isIdentity(encoding: string | null): boolean {
  return encoding === null || encoding === "" || encoding.trim().toLowerCase() === "identity";
}

/** Lets go of a body that nobody will read, so that its connection is freed. */
export function discard(body: ReadableStream<Uint8Array> | null): void {
  if (body !== null && !body.locked) void body.cancel().catch(() => undefined);
}

const ENCODINGS = new Map<string, CompressionFormat | "brotli" | "zstd">([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "brotli"],
  ["zstd", "zstd"],
]);

/** The stream decoded from `encoding`; itself for identity; null for an encoding that is not known. */
export function decodeContent(
  body: ReadableStream<Uint8Array>,
  encoding: string | null,
): ReadableStream<Uint8Array> | null {
  if (isIdentity(encoding)) return body;
  const format = ENCODINGS.get((encoding ?? "").trim().toLowerCase());
  if (format === undefined) return null;
  return body.pipeThrough(new DecompressionStream(format as CompressionFormat) as unknown as ReadableWritablePair);
}

const decoder = new TextDecoder();

/** The JSON object in `bytes`; null when it is none. */
export function parseObject(bytes: Uint8Array | string): JsonObject | null {
  try {
    const text = typeof bytes === "string" ? bytes : decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** The same body, pulled; tells each piece's size, and once how it ended. */
export function watchBody(
  body: ReadableStream<Uint8Array>,
  onBytes: (bytes: number) => void,
  onEnd: (isWhole: boolean) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            onEnd(true);
            controller.close();
            return;
          }
          onBytes(value.byteLength);
          controller.enqueue(value);
        } catch (error) {
          onEnd(false);
          controller.error(error);
        }
      },
      cancel: () => {
        onEnd(false);
        void reader.cancel().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
