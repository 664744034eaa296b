/** One event: what it says, and its bytes, out of a stretch of bytes that holds it whole. */
import { isAscii } from "node:buffer";
import type { JsonObject } from "../../base/json.ts";

const LF = 0x0a;
const CR = 0x0d;

/** Works on any bytes: a `Buffer` made of them first would cost more than all the rest of the reading. */
const { toString } = Buffer.prototype;

export interface SseEvent {
  /** Name from the last `event:` line, "" without one. */
  readonly event: string;
  /** The `data:` lines joined by LF; null when the event has none (comments, blank lines). */
  readonly data: string | null;
  /** What {@link data} was parsed to, for whoever set it; null until then. */
  json: JsonObject | null;
  /** All bytes of the event with the blank line that ends it: joined, the events give the input again. */
  readonly bytes: Uint8Array;
}

/** A stretch of bytes that is searched as Latin-1, where a character is a byte, and read as UTF-8. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly ascii: boolean;
  /** No CR anywhere: every line ends with LF. */
  readonly plain: boolean;
}

export function openSource(bytes: Uint8Array): Source {
  const text = toString.call(bytes, "latin1", 0, bytes.length);
  return { bytes, text, ascii: isAscii(bytes), plain: !text.includes("\r") };
}

function textBetween(source: Source, start: number, end: number): string {
  return source.ascii ? source.text.slice(start, end) : toString.call(source.bytes, "utf8", start, end);
}

/** An event of a source. Its bytes are cut out when they are asked for: of events that lie beside each other, nobody does. */
class SourceEvent implements SseEvent {
  readonly event: string;
  readonly data: string | null;
  json: JsonObject | null = null;
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;

  /** The standard dispatches nothing for an event whose data is empty. */
  constructor(event: string, data: string | null, source: Uint8Array, start: number, end: number) {
    this.event = event;
    this.data = data === "" ? null : data;
    this.source = source;
    this.start = start;
    this.end = end;
  }

  get bytes(): Uint8Array {
    return cut(this.source, this.start, this.end);
  }
}

function cut(source: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === source.length ? source : source.subarray(start, end);
}

/** All bytes of `events`, consecutive ones of one decoder, where they lie in one piece; null where they do not. */
export function bytesInOnePiece(events: readonly SseEvent[]): Uint8Array | null {
  const first = events[0];
  const last = events.at(-1);
  if (!(first instanceof SourceEvent) || !(last instanceof SourceEvent) || first.source !== last.source) return null;
  return cut(first.source, first.start, last.end);
}

/** An event in any legal spelling, its fields from `from` on. */
function readLines(source: Source, from: number, start: number, end: number): SseEvent {
  const { text } = source;
  let event = "";
  let data: string | null = null;
  let at = from;
  while (at < end) {
    let lineEnd = at;
    while (lineEnd < end) {
      const code = text.charCodeAt(lineEnd);
      if (code === LF || code === CR) break;
      lineEnd += 1;
    }
    const colon = text.indexOf(":", at);
    const nameEnd = colon < 0 || colon > lineEnd ? lineEnd : colon;
    let valueStart = Math.min(nameEnd + 1, lineEnd);
    if (text.charCodeAt(valueStart) === 0x20 && valueStart < lineEnd) valueStart += 1;
    if (nameEnd - at === 4 && text.startsWith("data", at)) {
      const value = textBetween(source, valueStart, lineEnd);
      data = data === null ? value : `${data}\n${value}`;
    } else if (nameEnd - at === 5 && text.startsWith("event", at)) {
      event = textBetween(source, valueStart, lineEnd);
    }
    at = text.charCodeAt(lineEnd) === CR && text.charCodeAt(lineEnd + 1) === LF ? lineEnd + 2 : lineEnd + 1;
  }
  return new SourceEvent(event, data, source.bytes, start, end);
}

/**
 * Reads the event at `start`…`end`, its blank line included; its fields begin at `from`, behind a byte order mark. The
 * providers' own spelling, one `data:` line behind at most one `event:` line, is told first.
 */
export function readEvent(source: Source, from: number, start: number, end: number): SseEvent {
  const { text } = source;
  let event = "";
  let dataStart = from;
  if (source.plain && text.startsWith("event: ", from)) {
    dataStart = text.indexOf("\n", from) + 1;
    event = textBetween(source, from + 7, dataStart - 1);
  }
  if (source.plain && text.startsWith("data: ", dataStart) && text.indexOf("\n", dataStart) === end - 2) {
    return new SourceEvent(event, textBetween(source, dataStart + 6, end - 2), source.bytes, start, end);
  }
  return readLines(source, from, start, end);
}
