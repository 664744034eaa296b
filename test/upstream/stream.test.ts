import { describe, expect, test } from "bun:test";
import type { Classification } from "../../src/resilience/dispatch.ts";
import { sourceOfStream } from "../../src/upstream/byte-source.ts";
import { openUpstreamStream, type UpstreamStreamOptions } from "../../src/upstream/stream.ts";
import { formatByName } from "../../src/wire/formats.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const event = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** A stream over a body that the test feeds; what `fetch` would break by its signal breaks here too. */
function openFed(options: Partial<UpstreamStreamOptions> = {}) {
  const clock = createFakeClock();
  const abort = new AbortController();
  const ends: Classification[] = [];
  let feed: ReadableStreamDefaultController<Uint8Array> | null = null;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      feed = controller;
    },
  });
  abort.signal.addEventListener("abort", () => feed?.error(abort.signal.reason));
  const owner = {
    signal: abort.signal,
    abort: (reason: unknown) => abort.abort(reason),
    settle: (classification: Classification) => void ends.push(classification),
  };
  const stream = openUpstreamStream(sourceOfStream(body), owner, {
    format: formatByName("chat"),
    clock,
    maxEventBytes: 1_048_576,
    bufferBytes: 1_048_576,
    idleMs: 1000,
    totalMs: 0,
    choices: 1,
    ...options,
  });
  return { clock, stream, ends, push: (text: string) => feed?.enqueue(Buffer.from(text)), close: () => feed?.close() };
}

describe("what waits for a slow client", () => {
  test("one large chunk is decoded a slice at a time, in order and to the last byte", async () => {
    const text = Array.from({ length: 400 }, (_, index) => event(`word ${index} `)).join("") + event("", "stop");
    const { stream, push, close, ends } = openFed({ bufferBytes: 65_536 });
    push(text);
    close();
    let bytes = "";
    let reads = 0;
    for (let read = await stream.read(); read.kind !== "end"; read = await stream.read()) {
      if (read.kind === "failure") throw read.error;
      reads += 1;
      const size = read.events.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
      // A thirty-second of the buffer, and the event that began before it.
      expect(size).toBeLessThan(2048 + 256);
      for (const one of read.events) bytes += Buffer.from(one.bytes).toString();
    }
    expect(bytes).toBe(text);
    expect(reads).toBeGreaterThan(20);
    expect(ends.map((end) => end.class)).toEqual(["ok"]);
  });
});

describe("what was read back", () => {
  test("comes before what follows, at once and in order", async () => {
    const { stream, push } = openFed();
    push(event("a"));
    const first = await stream.read();
    push(event("b"));
    const second = await stream.read();
    for (const read of [first, second]) if (read.kind === "events") stream.unread(read.events);
    expect(stream.read()).toEqual(first);
    expect(stream.read()).toEqual(second);
    push(event("c", "stop"));
    expect(await stream.read()).toMatchObject({ kind: "events", events: [{ json: { choices: [{}] } }] });
  });
});

describe("limits in time", () => {
  test("cost one timer, however often something is read", async () => {
    const { clock, stream, push } = openFed({ totalMs: 60_000 });
    for (let index = 0; index < 10; index++) {
      push(event("a"));
      await stream.read();
      await clock.advance(900);
      expect(clock.pending()).toBe(1);
    }
  });

  test("end a stream that goes on for too long", async () => {
    const { clock, stream, push, ends } = openFed({ totalMs: 2500 });
    for (let index = 0; index < 3; index++) {
      push(event("a"));
      expect((await stream.read()).kind).toBe("events");
      await clock.advance(800);
    }
    const reading = stream.read();
    await clock.advance(101);
    const read = await reading;
    expect(read).toMatchObject({ kind: "failure", error: { message: "stream lived too long" } });
    expect(ends.map((end) => end.class)).toEqual(["stalled"]);
    expect(clock.pending()).toBe(0);
  });

  test("give a stream that told its last event a second more", async () => {
    const { clock, stream, push, ends } = openFed({ idleMs: 60_000 });
    push(`${event("a", "stop")}data: [DONE]\n\n`);
    expect((await stream.read()).kind).toBe("events");
    const reading = stream.read();
    await clock.advance(1001);
    expect((await reading).kind).toBe("end");
    expect(ends.map((end) => end.class)).toEqual(["ok"]);
    expect(clock.pending()).toBe(0);
  });
});

describe("silence", () => {
  test("ends the stream when it is waited for", async () => {
    const { clock, stream, push, ends } = openFed();
    push(event("a"));
    expect((await stream.read()).kind).toBe("events");
    const reading = stream.read();
    await clock.advance(1001);
    const read = await reading;
    expect(read.kind === "failure" ? read.classification.class : read.kind).toBe("stalled");
    expect(ends.map((end) => end.class)).toEqual(["stalled"]);
    expect(clock.pending()).toBe(0);
  });

  test("is no fault of the upstream while the client takes its time", async () => {
    const { clock, stream, push, close, ends } = openFed();
    push(event("a"));
    expect((await stream.read()).kind).toBe("events");
    await clock.advance(60_000);
    push(event("b", "stop"));
    expect((await stream.read()).kind).toBe("events");
    close();
    expect((await stream.read()).kind).toBe("end");
    expect(ends.map((end) => end.class)).toEqual(["ok"]);
    expect(clock.pending()).toBe(0);
  });

  test("counts from the moment it is waited for", async () => {
    const { clock, stream, push } = openFed();
    push(event("a"));
    await stream.read();
    await clock.advance(5_500);
    const reading = stream.read();
    await clock.advance(900);
    push(event("b"));
    expect((await reading).kind).toBe("events");
  });
});
