/** The part of tracing that needs OpenTelemetry's packages; loaded only when traces are on. */
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Attributes } from "@opentelemetry/api";
import type { RequestRecord } from "../base/events.ts";
import { renderSpans, type SpanCommon, type SpanNote } from "./render-spans.ts";

/** A finished request that waits to be sent. */
export interface Finished {
  readonly record: RequestRecord;
  readonly notes: readonly SpanNote[];
}

/** Encodes requests as an `ExportTraceServiceRequest` in protobuf. */
export type EncodeSpans = (batch: readonly Finished[]) => Uint8Array;

export function createEncodeSpans(resource: Attributes, options: Omit<SpanCommon, "resource">): EncodeSpans {
  const common: SpanCommon = { ...options, resource: resourceFromAttributes(resource) };
  return (batch) => {
    const spans = batch.flatMap(({ record, notes }) => renderSpans(record, notes, common));
    const bytes = ProtobufTraceSerializer.serializeRequest(spans);
    if (bytes === undefined) throw new Error("the spans could not be encoded");
    return bytes;
  };
}
