/** Ways to cut a byte stream, for readers that must not care. */
import type { SseDecoder, SseEvent } from "../../src/wire/sse/decode.ts";

/** `bytes` in two pieces, for every boundary, both ends included. */
export function* splitInTwo(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** `bytes` in pieces of `size`. */
export function splitEvery(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** `bytes` cut at the given offsets, in order. */
export function splitAt(bytes: Uint8Array, offsets: readonly number[]): readonly Uint8Array[] {
  const cuts = [0, ...offsets.toSorted((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index] ?? 0, end));
}

/** Everything that `decoder` gives for `chunks`, the end included. */
export function decodeAll(decoder: SseDecoder, chunks: Iterable<Uint8Array>): SseEvent[] {
  const events: SseEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.push(chunk));
  events.push(...decoder.end());
  return events;
}
