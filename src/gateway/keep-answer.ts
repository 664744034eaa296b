/** Keeps the text of an answer in the record, for traces that were asked to show content. */
import type { RequestRecord } from "../base/events.ts";
import type { ClientStream } from "./client-stream.ts";
import type { Reply } from "./reply.ts";

/** Beyond this nothing is kept. */
const MAX_CHARS = 1024 * 1024;

const decoder = new TextDecoder();

function toText(data: Uint8Array | string): string {
  return typeof data === "string" ? data : decoder.decode(data);
}

/** Keeps a whole body. */
export function keepBody(record: RequestRecord, body: Reply["body"]): void {
  if (body === null || body instanceof ReadableStream || body.length > MAX_CHARS) return;
  record.answer = toText(body);
}

/** The same stream, each of its frames kept as it is read. */
export function keepFrames(record: RequestRecord, stream: ClientStream): ClientStream {
  return {
    ...stream,
    read: async () => {
      const read = await stream.read();
      if (read.kind === "frames") {
        for (const { data } of read.frames) {
          if ((record.answer?.length ?? 0) + data.length <= MAX_CHARS)
            record.answer = (record.answer ?? "") + toText(data);
        }
      }
      return read;
    },
  };
}
