/**
 * Spans as an `ExportTraceServiceRequest`, written as they are: with OpenTelemetry's own objects and serializer a sampled request
 * cost three times as much, and their modules took part in every garbage collection.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto (read 2026-11-24)
 */
import type { RequestRecord } from "../base/events.ts";
import { createProtobufWriter, FIXED32, FIXED64, LENGTH, type ProtobufWriter, VARINT } from "./protobuf.ts";
import { renderSpans, type Span, type SpanEvent, type SpanNote } from "./render-spans.ts";
import type { Attributes, SpanContext, SpanValue } from "./span-attributes.ts";

/** A finished request that waits to be sent. */
export interface Finished {
  readonly record: RequestRecord;
  readonly notes: readonly SpanNote[];
}

/** Encodes requests as an `ExportTraceServiceRequest` in protobuf. */
export type EncodeSpans = (batch: readonly Finished[]) => Uint8Array;

export interface EncodeOptions {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  readonly context: SpanContext;
  /** Takes every secret out of a text. */
  readonly redact: (text: string) => string;
}

/** Of the first batch; the next are expected to be as long as the one before and an eighth. */
const EXPECTED_BYTES = 16 * 1024;

/** Span flags: sampled, it is known whether the parent is remote, and it is. */
const SAMPLED = 0x001;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

export function createEncodeSpans({ resource, scope, context, redact }: EncodeOptions): EncodeSpans {
  const keys = new Map<string, Uint8Array>();
  let expectedBytes = EXPECTED_BYTES;

  const writeAttributes = (writer: ProtobufWriter, field: number, attributes: Attributes): void => {
    for (const name in attributes) {
      const value = attributes[name];
      if (value === undefined) continue;
      writer.varint((field << 3) | LENGTH);
      const pair = writer.open();
      writer.raw(keys.get(name) ?? addKey(keys, name, redact));
      writer.varint((2 << 3) | LENGTH);
      writeValue(writer, value, redact);
      writer.close(pair);
    }
  };

  const writeEvent = (writer: ProtobufWriter, event: SpanEvent): void => {
    const start = writer.open();
    writer.varint((1 << 3) | FIXED64);
    writeTime(writer, event.time);
    writeText(writer, 2, event.name);
    writeAttributes(writer, 3, event.attributes);
    writeCount(writer, 4, 0);
    writer.close(start);
  };

  const writeSpan = (writer: ProtobufWriter, span: Span): void => {
    const start = writer.open();
    writeHex(writer, 1, span.traceId);
    writeHex(writer, 2, span.spanId);
    if (span.traceState !== null && span.traceState !== "") writeText(writer, 3, redact(span.traceState));
    if (span.parentSpanId !== null) writeHex(writer, 4, span.parentSpanId);
    writeText(writer, 5, redact(span.name));
    // The API counts kinds from 0, the protocol from 1.
    writeCount(writer, 6, span.kind + 1);
    writer.varint((7 << 3) | FIXED64);
    writeTime(writer, span.startTime);
    writer.varint((8 << 3) | FIXED64);
    writeTime(writer, span.endTime);
    writeAttributes(writer, 9, span.attributes);
    writeCount(writer, 10, 0);
    for (const event of span.events) {
      writer.varint((11 << 3) | LENGTH);
      writeEvent(writer, event);
    }
    writeCount(writer, 12, 0);
    writeCount(writer, 14, 0);
    writer.varint((15 << 3) | LENGTH);
    const status = writer.open();
    if (span.status.message !== undefined) writeText(writer, 2, redact(span.status.message));
    writeCount(writer, 3, span.status.code);
    writer.close(status);
    writer.varint((16 << 3) | FIXED32);
    writer.fixed32(SAMPLED | HAS_IS_REMOTE | (span.parentSpanId !== null && span.isParentRemote ? IS_REMOTE : 0));
    writer.close(start);
  };

  return (batch) => {
    const writer = createProtobufWriter(expectedBytes);
    writer.varint((1 << 3) | LENGTH);
    const resourceSpans = writer.open();
    writer.varint((1 << 3) | LENGTH);
    const about = writer.open();
    writeAttributes(writer, 1, resource);
    writeCount(writer, 2, 0);
    writer.close(about);
    writer.varint((2 << 3) | LENGTH);
    const scopeSpans = writer.open();
    writer.varint((1 << 3) | LENGTH);
    const library = writer.open();
    writeText(writer, 1, scope.name);
    writeText(writer, 2, scope.version);
    writer.close(library);
    for (const { record, notes } of batch) {
      for (const span of renderSpans(record, notes, context, redact)) {
        writer.varint((2 << 3) | LENGTH);
        writeSpan(writer, span);
      }
    }
    writer.close(scopeSpans);
    writer.close(resourceSpans);
    const bytes = writer.finish();
    expectedBytes = Math.max(EXPECTED_BYTES, Math.ceil(bytes.length * 1.125));
    return bytes;
  };
}

/** Names of tags are the callers' choice: beyond this many, names are encoded each time. */
const MAX_KEYS = 1000;

/** The name of an attribute as its field. */
function addKey(keys: Map<string, Uint8Array>, name: string, redact: (text: string) => string): Uint8Array {
  const writer = createProtobufWriter(name.length * 3);
  writeText(writer, 1, redact(name));
  const key = writer.finish();
  if (keys.size < MAX_KEYS) keys.set(name, key);
  return key;
}

/** Integers have 64 bits, with a sign. */
const MAX_INTEGER = 2 ** 63;

/** Behind its length. */
function writeValue(writer: ProtobufWriter, value: SpanValue, redact: (text: string) => string): void {
  const start = writer.open();
  if (typeof value === "string") {
    writeText(writer, 1, redact(value));
  } else if (typeof value === "boolean") {
    writeCount(writer, 2, value ? 1 : 0);
  } else if (typeof value === "number") {
    if (Number.isInteger(value) && Math.abs(value) < MAX_INTEGER) {
      writeCount(writer, 3, value);
    } else {
      writer.varint((4 << 3) | FIXED64);
      writer.double(value);
    }
  } else {
    writer.varint((5 << 3) | LENGTH);
    const list = writer.open();
    for (const item of value) {
      writer.varint((1 << 3) | LENGTH);
      writeValue(writer, item, redact);
    }
    writer.close(list);
  }
  writer.close(start);
}

function writeText(writer: ProtobufWriter, field: number, value: string): void {
  writer.varint((field << 3) | LENGTH);
  writer.text(value);
}

function writeHex(writer: ProtobufWriter, field: number, digits: string): void {
  writer.varint((field << 3) | LENGTH);
  writer.hex(digits);
}

function writeCount(writer: ProtobufWriter, field: number, value: number): void {
  writer.varint((field << 3) | VARINT);
  writer.varint(value);
}

const NANOS_PER_SECOND = 1e9;
const TWO_16 = 2 ** 16;
const TWO_32 = 2 ** 32;

/** Seconds and nanoseconds as nanoseconds, which take more bits than a number has: by halves of the seconds. */
function writeTime(writer: ProtobufWriter, [seconds, nanos]: readonly [number, number]): void {
  const upper = Math.floor(seconds / TWO_16) * NANOS_PER_SECOND;
  const lower = (seconds % TWO_16) * NANOS_PER_SECOND;
  const low = (upper % TWO_16) * TWO_16 + (lower % TWO_32) + nanos;
  const high = Math.floor(upper / TWO_16) + Math.floor(lower / TWO_32) + Math.floor(low / TWO_32);
  writer.fixed64(low % TWO_32, high);
}
