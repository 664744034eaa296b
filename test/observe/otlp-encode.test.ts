import { describe, expect, test } from "bun:test";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import fc from "fast-check";
import { createEncodeSpans, type Finished } from "../../src/observe/otlp-encode.ts";
import { createProtobufWriter } from "../../src/observe/protobuf.ts";
import { renderSpans, type Span } from "../../src/observe/render-spans.ts";
import type { SpanContext } from "../../src/observe/span-attributes.ts";
import { attemptOf, healedRecord, recordOf, usageOf } from "./support.ts";

const context: SpanContext = {
  scheme: "http",
  listen: { host: "127.0.0.1", port: 8080 },
  providers: { openai: { host: "api.openai.com", port: 443 }, anthropic: { host: "api.anthropic.com", port: 443 } },
  content: true,
};
const scope = { name: "arouter", version: "1.2.3" };
const about = { "service.name": "tëst", "service.version": "1.2.3" };

/** A span as OpenTelemetry's own packages have it. */
function theirs(span: Span, resource: ReadableSpan["resource"]): ReadableSpan {
  const { traceId, traceState: state } = span;
  const traceState = state === null ? undefined : { serialize: () => state };
  const contextOf = (spanId: string, isRemote: boolean) => ({ traceId, spanId, traceFlags: 1, isRemote, traceState });
  return {
    ...span,
    spanContext: () => contextOf(span.spanId, false),
    ...(span.parentSpanId === null ? {} : { parentSpanContext: contextOf(span.parentSpanId, span.isParentRemote) }),
    duration: [0, 0],
    links: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan;
}

function encode(batch: readonly Finished[], redact = (text: string) => text): Uint8Array {
  return createEncodeSpans({ resource: about, scope, context, redact })(batch);
}

function reference(batch: readonly Finished[]): Uint8Array {
  const resource = resourceFromAttributes(about);
  const spans = batch.flatMap(({ record, notes }) => renderSpans(record, notes, context, (text) => text));
  return ProtobufTraceSerializer.serializeRequest(spans.map((span) => theirs(span, resource))) ?? new Uint8Array();
}

describe("encoding spans", () => {
  test("gives the bytes of OpenTelemetry's serializer, whatever a request holds", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.string({ unit: "grapheme", maxLength: 20 }),
      fc.integer({ min: 100, max: 40_000 }).map((length) => "x".repeat(length)),
    );
    const number = fc.oneof(
      fc.nat(),
      fc.constantFrom(-1, -300, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 40)),
      fc.double({ noNaN: true }),
    );
    const finished = fc
      .record({
        wallMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
        ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
        bytesIn: number,
        savedUsd: fc.option(number),
        userAgent: fc.option(text),
        callerTags: fc.dictionary(text, text, { maxKeys: 3 }),
        dropped: fc.array(text, { maxLength: 3 }),
        status: fc.constantFrom(200, 503),
        errorMessage: fc.option(text),
        stream: fc.boolean(),
        parentSpanId: fc.constantFrom(null, "00f067aa0ba902b7"),
        tracestate: fc.constantFrom(null, "", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        notes: fc.array(fc.record({ wallMs: fc.nat(), wait: number, provider: text }), { maxLength: 3 }),
        tries: fc.nat({ max: 3 }),
      })
      .map(({ notes, tries, parentSpanId, tracestate, ...parts }): Finished => {
        const attempts = Array.from({ length: tries }, (_, at) =>
          attemptOf({
            number: at + 1,
            usage: usageOf(at * 1000, at),
            class: at === 1 ? "server" : "ok",
            failure: "no",
          }),
        );
        return {
          record: recordOf({ ...parts, attempts, trace: { ...recordOf().trace, parentSpanId, tracestate } }),
          notes: notes.map(({ wallMs, wait, provider }) => ({
            name: "arouter.retry",
            wallMs,
            attributes: { "arouter.provider": provider, "arouter.wait_ms": wait },
          })),
        };
      });
    fc.assert(
      fc.property(fc.array(finished, { maxLength: 4 }), (batch) => {
        // Their own way to say that there is nothing has no resource either.
        fc.pre(batch.length > 0);
        expect(Buffer.from(encode(batch)).toString("hex")).toBe(Buffer.from(reference(batch)).toString("hex"));
      }),
      { numRuns: 200 },
    );
  });

  test("grows with the batch", () => {
    const batch = Array.from({ length: 500 }, () => ({ record: healedRecord(), notes: [] }));
    const bytes = encode(batch);
    expect(bytes.byteLength).toBeGreaterThan(500_000);
    expect(Buffer.compare(bytes, reference(batch))).toBe(0);
  });

  test("takes secrets out of values, names and messages", () => {
    const secret = "sk-live-123";
    const record = recordOf({
      route: secret,
      status: 503,
      errorMessage: secret,
      userAgent: `x ${secret}`,
      overrides: [secret],
      trace: { ...recordOf().trace, tracestate: `x=${secret}` },
      callerTags: { [secret]: secret },
      requestBytes: Buffer.from(JSON.stringify({ messages: [{ role: "user", content: secret }] })),
    });
    const bytes = Buffer.from(encode([{ record, notes: [] }], (text) => text.replaceAll(secret, "[redacted]")));
    expect(bytes.includes(secret)).toBe(false);
    expect(bytes.includes("x [redacted]")).toBe(true);
  });

  test("takes a secret out before a text is cut, also when the cut would go through it", () => {
    const secret = "sk-live-123";
    const fill = (chars: number): string => "x".repeat(chars - "sk-live".length);
    const said = fill(64 * 1024 - '[{"role":"user","parts":[{"type":"text","content":"'.length) + secret;
    const record = recordOf({
      status: 503,
      errorMessage: fill(4096) + secret,
      attempts: [attemptOf({ class: "server", failure: fill(4096) + secret }), attemptOf({ number: 2 })],
      requestBytes: Buffer.from(JSON.stringify({ input: said })),
    });
    const bytes = Buffer.from(encode([{ record, notes: [] }], (text) => text.replaceAll(secret, "[redacted]")));
    expect(bytes.includes("gen_ai.input.messages")).toBe(true);
    expect(bytes.includes("sk-live")).toBe(false);
  });
});

test("a protobuf writer grows beyond what was expected, and moves what turns out long", () => {
  const writer = createProtobufWriter(1);
  const start = writer.open();
  writer.text("é".repeat(100));
  writer.raw(new Uint8Array(20_000));
  writer.close(start);
  writer.varint(1);
  const bytes = writer.finish();
  // 202 bytes of text with its length, and the zeros: 20,202 = 0x4eea.
  expect([...bytes.subarray(0, 3)]).toEqual([0xea, 0x9d, 0x01]);
  expect(bytes.byteLength).toBe(3 + 20_202 + 1);
  expect(bytes.at(-1)).toBe(1);
});
