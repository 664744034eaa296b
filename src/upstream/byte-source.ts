/** Bodies that are read through the runtime's streams: those of `fetch`, and what is decoded. */
import { decodeContent, isIdentity, readBounded } from "../base/stream.ts";
import type { ByteSource } from "./http.ts";

/** `stream` as a source. `onOver` is called once, when it has ended, failed or was cancelled. */
export function sourceOfStream(stream: ReadableStream<Uint8Array>, onOver: () => void = () => undefined): ByteSource {
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    onOver();
  };
  const read = async (): Promise<Uint8Array | null> => {
    reader ??= stream.getReader();
    try {
      for (;;) {
        const { value } = await reader.read();
        if (value === undefined) {
          over();
          return null;
        }
        if (value.byteLength > 0) return value;
      }
    } catch (error) {
      over();
      throw error;
    }
  };
  const cancel = (): void => {
    over();
    void (reader ?? stream).cancel().catch(() => undefined);
  };
  return {
    read,
    readAll: async (maxBytes) => {
      try {
        return await readBounded(stream, maxBytes);
      } finally {
        over();
      }
    },
    stream: () => streamOfSource({ read, cancel }),
    cancel,
  };
}

/** A stream that reads from `source` when it is itself read, and no sooner. */
export function streamOfSource(source: Pick<ByteSource, "read" | "cancel">): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const bytes = await source.read();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}

/** `body` decoded from `encoding`; itself for identity; null for an encoding that is not known, and then it is cancelled. */
export function decodeBody(body: ByteSource, encoding: string | null): ByteSource | null {
  if (isIdentity(encoding)) return body;
  const decoded = decodeContent(body.stream(), encoding);
  if (decoded !== null) return sourceOfStream(decoded);
  body.cancel();
  return null;
}
