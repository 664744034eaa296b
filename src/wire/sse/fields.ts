/** What one event says: its fields, out of a stretch of bytes that holds it whole. */
import { isAscii } from "node:buffer";

const LF = 0x0a;
const CR = 0x0d;

/** Works on any bytes: a `Buffer` made of them first would cost more than all the rest of the reading. */
const { toString } = Buffer.prototype;

export interface EventFields {
  readonly event: string;
  readonly data: string | null;
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

/** Fields of an event in any legal spelling. */
function readLines(source: Source, start: number, end: number): EventFields {
  const { text } = source;
  let event = "";
  let data: string | null = null;
  let at = start;
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
  return { event, data };
}

/**
 * Reads the event at `start`…`end`, its blank line included. The providers' own spelling, one `data:` line behind at most one
 * `event:` line, is told first.
 */
export function readFields(source: Source, start: number, end: number): EventFields {
  const { text } = source;
  let event = "";
  let dataStart = start;
  if (source.plain && text.startsWith("event: ", start)) {
    dataStart = text.indexOf("\n", start) + 1;
    event = textBetween(source, start + 7, dataStart - 1);
  }
  if (source.plain && text.startsWith("data: ", dataStart) && text.indexOf("\n", dataStart) === end - 2) {
    return settle(event, textBetween(source, dataStart + 6, end - 2));
  }
  const fields = readLines(source, start, end);
  return settle(fields.event, fields.data);
}

/** The standard dispatches nothing for an event whose data is empty. */
function settle(event: string, data: string | null): EventFields {
  return { event, data: data === "" ? null : data };
}
