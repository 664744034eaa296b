/** Keeps the text of an answer in the record, for traces that were asked to show content. */
import type { RequestRecord } from "../base/events.ts";
import type { ClientRead, ClientStream } from "./client-stream.ts";
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
  const keep = (read: ClientRead): ClientRead => {
    if (read.kind === "frames") for (const { bytes } of read.frames) keepText(record, bytes);
    return read;
  };
  return {
    read: () => {
      const read = stream.read();
      return read instanceof Promise ? read.then(keep) : keep(read);
    },
    spent: () => stream.spent(),
    cancel: (classification) => stream.cancel(classification),
  };
}

function keepText(record: RequestRecord, bytes: Uint8Array | string): void {
  const kept = record.answer ?? "";
  if (kept.length + bytes.length <= MAX_CHARS) record.answer = kept + toText(bytes);
}
