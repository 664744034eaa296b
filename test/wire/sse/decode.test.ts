import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bytesInOnePiece, createSseDecoder } from "../../../src/wire/sse/decode.ts";
import type { SseEvent } from "../../../src/wire/sse/decode.ts";
import { encodeSse } from "../../../src/wire/sse/encode.ts";
import { decodeAll, splitAt, splitEvery, splitInTwo } from "../../support/chunks.ts";
import { readCorpus } from "../../support/corpus.ts";
import { sharedDir, sharedMissing } from "../../support/shared.ts";

const MAX = { maxEventBytes: 1 << 20 };
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

/** Without bytes, which are checked as a whole. */
function told(events: readonly SseEvent[]): readonly [string, string | null][] {
  return events.map(({ event, data }) => [event, data]);
}

function joined(events: readonly SseEvent[]): string {
  return Buffer.concat(events.map((event) => event.bytes)).toString("latin1");
}

function decode(chunks: Iterable<Uint8Array>): SseEvent[] {
  return decodeAll(createSseDecoder(MAX), chunks);
}

const CASES: readonly [string, string, readonly [string, string | null][]][] = [
  ["a data line", "data: {}\n\n", [["", "{}"]]],
  ["an event line before it", "event: ping\ndata: {}\n\n", [["ping", "{}"]]],
  ["an event line behind it", "data: {}\nevent: ping\n\n", [["ping", "{}"]]],
  ["the last of two event lines", "event: a\nevent: b\ndata: 1\n\n", [["b", "1"]]],
  [
    "CRLF",
    "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
    [
      ["a", "1"],
      ["", "2"],
    ],
  ],
  [
    "CR",
    "event: a\rdata: 1\r\rdata: 2\r\r",
    [
      ["a", "1"],
      ["", "2"],
    ],
  ],
  [
    "mixed line ends",
    "data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\n",
    [
      ["", "1"],
      ["", "2"],
      ["", "3"],
    ],
  ],
  [
    "a byte order mark",
    "\ufeffdata: 1\n\ndata: 2\n\n",
    [
      ["", "1"],
      ["", "2"],
    ],
  ],
  ["several data lines", 'data: {"a":\ndata: 1}\n\n', [["", '{"a":\n1}']]],
  ["no blank after the colon", "data:1\nevent:x\n\n", [["x", "1"]]],
  ["only the first blank removed", "data:  1\n\n", [["", " 1"]]],
  ["a comment", ": ping\n\n", [["", null]]],
  ["a comment between fields", "event: a\n: note\ndata: 1\n\n", [["a", "1"]]],
  ["unknown fields", "id: 7\nretry: 5\nfoo\ndata: 1\n\n", [["", "1"]]],
  ["names that only begin alike", "datax: 0\ndat: 0\ndata: 1\nevents: x\n\n", [["", "1"]]],
  ["a data line without a colon", "data\n\n", [["", null]]],
  [
    "empty data",
    "data: \n\ndata:\n\n",
    [
      ["", null],
      ["", null],
    ],
  ],
  [
    "blank lines between events",
    "\n\ndata: 1\n\n\n\ndata: 2\n\n",
    [
      ["", null],
      ["", null],
      ["", "1"],
      ["", null],
      ["", null],
      ["", "2"],
    ],
  ],
  ["characters of two, three and four bytes", "data: é漢😀\n\n", [["", "é漢😀"]]],
  ["a colon in the value", "data: a: b\n\n", [["", "a: b"]]],
  ["a padded [DONE]", "data:  [DONE] \n\n", [["", " [DONE] "]]],
];

describe("createSseDecoder", () => {
  test.each(CASES)("reads %s, cut anywhere", (_name, text, expected) => {
    const bytes = bytesOf(text);
    for (const chunks of [...splitInTwo(bytes), splitEvery(bytes, 1), splitEvery(bytes, 3)]) {
      const events = decode(chunks);
      expect(told(events)).toEqual([...expected]);
      expect(joined(events)).toBe(Buffer.from(bytes).toString("latin1"));
    }
  });

  test("gives what is complete at once and waits for the rest", () => {
    const decoder = createSseDecoder(MAX);
    expect(told(decoder.push(bytesOf("data: 1\n\ndata: 2\n")))).toEqual([["", "1"]]);
    expect(told(decoder.push(bytesOf("\ndata: 3")))).toEqual([["", "2"]]);
    expect(told(decoder.push(bytesOf("\n\n")))).toEqual([["", "3"]]);
    expect(decoder.end()).toEqual([]);
  });

  test("waits for the byte behind a CR that ends a chunk", () => {
    const decoder = createSseDecoder(MAX);
    expect(decoder.push(bytesOf("data: 1\r\n\r"))).toEqual([]);
    const events = decoder.push(bytesOf("\ndata: 2\r\n\r\n"));
    expect(told(events)).toEqual([
      ["", "1"],
      ["", "2"],
    ]);
    expect(joined(events.slice(0, 1))).toBe("data: 1\r\n\r\n");
  });

  test.each([
    ["whole JSON", "data: {}", [["", "{}"]]],
    ["whole JSON and one line end", "data: {}\n", [["", "{}"]]],
    ["[DONE]", "data: [DONE]", [["", "[DONE]"]]],
    ["cut JSON", 'data: {"a', []],
    ["a comment", ": bye", []],
    ["an event name alone", "event: message_stop\n", []],
  ] as [string, string, [string, string][]][])(
    "at the end counts an unfinished event with %s rightly",
    (_name, text, expected) => {
      const events = decode([bytesOf(text)]);
      expect(told(events)).toEqual(expected);
      if (events.length > 0) expect(joined(events)).toBe(`${text.trimEnd()}\n\n`);
    },
  );

  test("replaces bytes that are no UTF-8 and goes on", () => {
    const events = decode([Uint8Array.from([...bytesOf("data: a"), 0xff, 0xe2, 0x82, ...bytesOf("\n\ndata: b\n\n")])]);
    expect(told(events)).toEqual([
      ["", "a\ufffd\ufffd"],
      ["", "b"],
    ]);
  });

  test("gives up at an event over the limit, and keeps what came before", () => {
    for (const size of [1, 7, 1000]) {
      const decoder = createSseDecoder({ maxEventBytes: 40 });
      const events = decodeAll(decoder, splitEvery(bytesOf(`data: 1\n\ndata: ${"x".repeat(33)}\n\ndata: 2\n\n`), size));
      expect(told(events)).toEqual([["", "1"]]);
      expect(decoder.overflowed).toBe(true);
    }
    const exact = createSseDecoder({ maxEventBytes: 40 });
    expect(decodeAll(exact, [bytesOf(`data: ${"x".repeat(32)}\n\n`)])).toHaveLength(1);
    expect(exact.overflowed).toBe(false);
  });

  test("gives up on an unfinished event that grows past the limit", () => {
    const decoder = createSseDecoder({ maxEventBytes: 100 });
    for (let count = 0; count < 30; count += 1) decoder.push(bytesOf("data: x\n:"));
    expect(decoder.overflowed).toBe(true);
    expect(decoder.push(bytesOf("\n\ndata: 1\n\n"))).toEqual([]);
  });

  test("costs an event of many chunks its size, not its square", () => {
    const piece = bytesOf("x".repeat(1024));
    const decoder = createSseDecoder({ maxEventBytes: 1 << 25 });
    decoder.push(bytesOf("data: "));
    const start = performance.now();
    for (let count = 0; count < 8192; count += 1) decoder.push(piece);
    const [event] = decoder.push(bytesOf("\n\n"));
    expect(event?.data?.length).toBe(8192 * 1024);
    expect(performance.now() - start).toBeLessThan(1500);
  });

  test("does not depend on where random streams are cut", () => {
    const line = fc.oneof(
      fc.constantFrom("data: {}", "data:x", "event: a", ": c", "", "", "data", "id: 1", "data: é漢😀", "\ufeff"),
      fc.string({ maxLength: 6 }),
    );
    const stream = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r", "\r\n")), { maxLength: 14 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(80), { maxLength: 8 }), (lines, cuts) => {
        const bytes = bytesOf(lines.flat().join(""));
        const whole = decode([bytes]);
        const cut = decode(
          splitAt(
            bytes,
            cuts.map((at) => Math.min(at, bytes.length)),
          ),
        );
        expect(told(cut)).toEqual(told(whole));
        expect(joined(cut)).toBe(joined(whole));
      }),
      { numRuns: 500 },
    );
  });
});

describe("recorded streams", () => {
  const streams = (["openai-chat", "anthropic-messages", "openai-responses"] as const).flatMap((name) =>
    readCorpus(name).flatMap(({ id, response }) => (response.sse === undefined ? [] : [{ id, text: response.sse }])),
  );

  test.skipIf(sharedDir === null)(`give the same events cut at every byte (${sharedMissing})`, () => {
    const small = streams.filter(({ text }) => text.length < 3000).slice(0, 12);
    expect(small.length).toBeGreaterThan(3);
    for (const { text } of small) {
      const bytes = bytesOf(text);
      const whole = decode([bytes]);
      for (const chunks of splitInTwo(bytes)) {
        const events = decode(chunks);
        expect(told(events)).toEqual(told(whole));
      }
      const single = decode(splitEvery(bytes, 1));
      expect(told(single)).toEqual(told(whole));
      expect(joined(single)).toBe(joined(whole));
    }
  });

  test.skipIf(sharedDir === null)("hold nothing but JSON and [DONE], and join to their own bytes", () => {
    for (const { id, text } of streams) {
      const events = decode(splitEvery(bytesOf(text), 1000));
      for (const { data } of events) if (data !== null && data.trim() !== "[DONE]") JSON.parse(data);
      const given = joined(events);
      const source = Buffer.from(text).toString("latin1");
      expect(given.startsWith(source) || source.startsWith(given), id).toBe(true);
    }
  });
});

describe("encodeSse", () => {
  test("writes one event that the decoder reads back", () => {
    expect(encodeSse(null, "{}")).toBe("data: {}\n\n");
    expect(encodeSse("ping", "{}")).toBe("event: ping\ndata: {}\n\n");
    expect(told(decode([bytesOf(encodeSse("ping", '{"a":"é"}'))]))).toEqual([["ping", '{"a":"é"}']]);
  });
});

describe("events of one piece", () => {
  const text = ["a", "b", "c", "d"].map((each) => encodeSse(null, `{"text":"${each}"}`)).join("");

  test("are handed on as the bytes that they came in, without a copy", () => {
    const chunk = Buffer.from(text);
    const decoder = createSseDecoder(MAX);
    expect(bytesInOnePiece(decoder.push(chunk))).toBe(chunk);
    const events = decoder.push(chunk);
    const two = bytesInOnePiece(events.slice(1, 3));
    expect(two?.buffer).toBe(chunk.buffer);
    expect(Buffer.from(two ?? []).toString()).toBe(text.slice(text.length / 4, (text.length * 3) / 4));
  });

  test("are all of their bytes, or none where one began in an earlier piece", () => {
    for (let at = 1; at < text.length; at += 1) {
      const decoder = createSseDecoder(MAX);
      for (const chunk of splitAt(Buffer.from(text), [at])) {
        const events = decoder.push(chunk);
        const bytes = bytesInOnePiece(events);
        if (bytes !== null) expect(Buffer.from(bytes).toString("latin1")).toBe(joined(events));
        // Where no event was cut, they lie together.
        if (at % (text.length / 4) === 0) expect(bytes).not.toBeNull();
      }
    }
    expect(bytesInOnePiece([])).toBeNull();
  });
});
