/**
 * Server-sent events out of a byte stream, however it is cut. The bytes of each event are kept beside what they say, so that
 * a stream that passes through is forwarded as it came.
 *
 * Line ends are ASCII and never part of a multi-byte character: cutting at them first and decoding whole events after gives
 * what one streaming decoder over the connection gives.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation (read 2026-11-24)
 */
import { openSource, readEvent, type Source, type SseEvent } from "./fields.ts";

export { bytesInOnePiece, type SseEvent } from "./fields.ts";

export interface SseDecoder {
  /** The events that `chunk` completes. After an overflow: none. */
  readonly push: (chunk: Uint8Array) => readonly SseEvent[];
  /**
   * Ends the input. A last event without its blank line counts only if its data is whole JSON or `[DONE]`; its bytes are
   * then completed by that blank line. Anything else left over is a cut event and is not given out.
   */
  readonly end: () => readonly SseEvent[];
  /** An event exceeded `maxEventBytes`; nothing more comes out. */
  readonly overflowed: boolean;
}

export interface SseDecoderOptions {
  /** Largest event, framing included. */
  readonly maxEventBytes: number;
}

const LF = 0x0a;
const CR = 0x0d;
/** U+FEFF as Latin-1 shows its UTF-8 bytes. */
const BOM = "\u00ef\u00bb\u00bf";
const NO_EVENTS: readonly SseEvent[] = [];
const NOTHING = new Uint8Array(0);
const ONE_END = Buffer.from("\n");
const TWO_ENDS = Buffer.from("\n\n");

/** Shared by all that hold none; never written to. */
const NO_PIECES: Uint8Array[] = [];

class Decoder implements SseDecoder {
  overflowed = false;
  readonly #maxEventBytes: number;
  /** Bytes of the event that is not complete yet, in pieces: joined once, so that a large event costs its own size. */
  #pieces = NO_PIECES;
  #pendingBytes = 0;
  #lineEmpty = true;
  #afterCr = false;
  /** The event ended with a CR at the end of a chunk: a LF that follows is still its own. */
  #endedWithCr = false;
  #first = true;

  constructor({ maxEventBytes }: SseDecoderOptions) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Uint8Array): readonly SseEvent[] {
    if (this.overflowed || chunk.length === 0) return NO_EVENTS;
    const events: SseEvent[] = [];
    let start = 0;
    if (this.#endedWithCr) {
      start = chunk[0] === LF ? 1 : 0;
      this.#emitPending(events, chunk.subarray(0, start));
    } else if (this.#pendingBytes > 0) {
      const end = this.#findEnd(chunk, 0);
      if (end < 0) {
        this.#keep(chunk);
        return NO_EVENTS;
      }
      this.#emitPending(events, chunk.subarray(0, end));
      start = end;
    }
    if (this.overflowed || start >= chunk.length) return events;
    const source = openSource(chunk);
    if (source.plain) start = this.#readPlain(events, source, start);
    while (!this.overflowed && start < chunk.length) {
      const end = this.#findEnd(chunk, start);
      if (end < 0) {
        this.#keep(start === 0 ? chunk : chunk.subarray(start));
        break;
      }
      if (end - start > this.#maxEventBytes) {
        this.overflowed = true;
        break;
      }
      this.#emit(events, source, start, end);
      start = end;
      this.#reset();
    }
    return events;
  }

  end(): readonly SseEvent[] {
    if (this.overflowed || this.#pendingBytes === 0) return NO_EVENTS;
    const events: SseEvent[] = [];
    if (this.#endedWithCr) {
      this.#emitPending(events, NOTHING);
      return events;
    }
    this.#emitPending(events, this.#lineEmpty ? ONE_END : TWO_ENDS);
    return events.filter((event) => event.data !== null && isWhole(event.data));
  }

  /** End of the event that `from` is in, or -1; keeps what it has to know about the lines so far. */
  #findEnd(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === LF) {
        if (this.#afterCr) this.#afterCr = false;
        else if (this.#lineEmpty) return at + 1;
        else this.#lineEmpty = true;
      } else if (byte === CR) {
        if (this.#lineEmpty) {
          if (at + 1 < bytes.length) return bytes[at + 1] === LF ? at + 2 : at + 1;
          this.#endedWithCr = true;
          return -1;
        }
        this.#lineEmpty = true;
        this.#afterCr = true;
      } else {
        this.#lineEmpty = false;
        this.#afterCr = false;
      }
    }
    return -1;
  }

  #reset(): void {
    this.#pieces = NO_PIECES;
    this.#pendingBytes = 0;
    this.#lineEmpty = true;
    this.#afterCr = false;
    this.#endedWithCr = false;
  }

  #emit(events: SseEvent[], source: Source, start: number, end: number): void {
    const from = this.#first && source.text.startsWith(BOM, start) ? start + BOM.length : start;
    this.#first = false;
    events.push(readEvent(source, from, start, end));
  }

  #keep(bytes: Uint8Array): void {
    if (this.#pieces === NO_PIECES) this.#pieces = [];
    this.#pieces.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > this.#maxEventBytes) this.#overflow();
  }

  #overflow(): void {
    this.overflowed = true;
    this.#pieces = NO_PIECES;
  }

  #emitPending(events: SseEvent[], last: Uint8Array): void {
    if (this.#pendingBytes + last.length > this.#maxEventBytes) {
      this.#overflow();
      return;
    }
    const joined = openSource(Buffer.concat([...this.#pieces, last]));
    this.#reset();
    this.#emit(events, joined, 0, joined.bytes.length);
  }

  /** Whole events of LF-terminated lines; returns where the rest begins. */
  #readPlain(events: SseEvent[], source: Source, from: number): number {
    const { text } = source;
    let start = from;
    while (start < text.length) {
      let end = start + 1;
      if (text.charCodeAt(start) !== LF) {
        const blank = text.indexOf("\n\n", start);
        if (blank < 0) break;
        end = blank + 2;
      }
      if (end - start > this.#maxEventBytes) {
        this.overflowed = true;
        return start;
      }
      this.#emit(events, source, start, end);
      start = end;
    }
    return start;
  }
}

/** @param options.maxEventBytes bytes of one event after which the input is given up */
export function createSseDecoder(options: SseDecoderOptions): SseDecoder {
  return new Decoder(options);
}

function isWhole(data: string): boolean {
  if (data.trim() === "[DONE]") return true;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}
