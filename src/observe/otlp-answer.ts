/** What a collector answers to a batch that it took: an `ExportTraceServiceResponse` in protobuf. */
import { FIXED32, FIXED64, LENGTH, VARINT } from "./protobuf.ts";
import type { OtlpResult } from "./otlp-transport.ts";

/** More of an answer is not read. */
export const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_VARINT_BYTES = 10;

/** Spans may be refused out of a batch that is taken. @see https://opentelemetry.io/docs/specs/otlp/#partial-success (read 2026-11-24) */
export function readAnswer(answer: Uint8Array): OtlpResult {
  const partialSuccess = readField(answer, 1);
  const rejected = partialSuccess instanceof Uint8Array ? readField(partialSuccess, 1) : null;
  return typeof rejected === "number" && rejected > 0
    ? { kind: "partly", rejected, reason: "the collector refused some of a batch" }
    : { kind: "ok" };
}

/** The first field of that number in a message, a number or bytes; null: there is none, or it is no message. */
function readField(message: Uint8Array, wanted: number): number | Uint8Array | null {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = message[at++] ?? Number.NaN;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < message.byteLength) {
    const tag = varint();
    const isWanted = Math.floor(tag / 8) === wanted;
    const type = tag % 8;
    if (type === VARINT) {
      const value = varint();
      if (isWanted) return value;
    } else if (type === LENGTH) {
      const length = varint();
      const bytes = message.subarray(at, at + length);
      if (isWanted) return bytes.byteLength === length ? bytes : null;
      at += length;
    } else if (type === FIXED64 || type === FIXED32) {
      at += type === FIXED64 ? 8 : 4;
    } else {
      return null;
    }
  }
  return null;
}
