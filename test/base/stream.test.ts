import { describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { decodeContent, discard, parseObject, readBounded, watchBody } from "../../src/base/stream.ts";

function streamOf(
  chunks: readonly Uint8Array[],
  options: { readonly fails?: Error; readonly onCancel?: () => void } = {},
) {
  const left = [...chunks];
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulled += 1;
        const chunk = left.shift();
        if (chunk !== undefined) controller.enqueue(chunk);
        else if (options.fails === undefined) controller.close();
        else controller.error(options.fails);
      },
      cancel: () => options.onCancel?.(),
    },
    { highWaterMark: 0 },
  );
  return { stream, pulled: () => pulled };
}

const bytes = (...values: readonly number[]): Uint8Array => new Uint8Array(values);

describe("a bounded read", () => {
  test("takes up to the limit exactly", async () => {
    expect(await readBounded(streamOf([bytes(1, 2), bytes(3)]).stream, 3)).toEqual({
      ok: true,
      bytes: Buffer.from([1, 2, 3]),
    });
    expect(await readBounded(null, 3)).toEqual({ ok: true, bytes: new Uint8Array(0) });
  });

  test("cancels what is larger, and reads no further", async () => {
    let isCancelled = false;
    const { stream, pulled } = streamOf([bytes(1, 2), bytes(3, 4), bytes(5)], { onCancel: () => (isCancelled = true) });
    expect(await readBounded(stream, 3)).toEqual({ ok: false });
    expect([isCancelled, pulled()]).toEqual([true, 2]);
  });

  test("throws what the stream throws", async () => {
    const reset = new Error("reset");
    const reading = readBounded(streamOf([bytes(1)], { fails: reset }).stream, 9);
    expect(await reading.catch((thrown: unknown) => thrown)).toBe(reset);
  });
});

describe("content decoding", () => {
  const text = "some text, some text";
  for (const [name, encoded] of [
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    [" GZIP ", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["identity", Buffer.from(text)],
    ["", Buffer.from(text)],
    [null, Buffer.from(text)],
  ] as const) {
    test(`of ${JSON.stringify(name)}, byte by byte`, async () => {
      const pieces = [...encoded].map((byte) => bytes(byte));
      const decoded = decodeContent(streamOf(pieces).stream, name);
      const read = decoded === null ? null : await readBounded(decoded, 100);
      expect(read?.ok === true ? new TextDecoder().decode(read.bytes) : null).toBe(text);
    });
  }

  test("of an unknown encoding is null", () => {
    expect(decodeContent(streamOf([]).stream, "compress")).toBeNull();
    expect(decodeContent(streamOf([]).stream, "gzip, gzip")).toBeNull();
  });

  test("of damaged data throws", async () => {
    const decoded = decodeContent(streamOf([Buffer.from("no gzip")]).stream, "gzip");
    expect(await readBounded(decoded, 100).catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
  });

  test("stops at the limit, however much a bomb holds", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const decoded = decodeContent(streamOf([bomb]).stream, "gzip");
    expect(await readBounded(decoded, 100_000)).toEqual({ ok: false });
  });
});

describe("a watched body", () => {
  const watch = (source: ReadableStream<Uint8Array>) => {
    const sizes: number[] = [];
    const ends: boolean[] = [];
    const stream = watchBody(
      source,
      (size) => sizes.push(size),
      (isWhole) => ends.push(isWhole),
    );
    return { stream, sizes, ends };
  };

  test("tells each piece and its whole end", async () => {
    const { stream, sizes, ends } = watch(streamOf([bytes(1, 2), bytes(3)]).stream);
    expect([...new Uint8Array(await new Response(stream).arrayBuffer())]).toEqual([1, 2, 3]);
    expect({ sizes, ends }).toEqual({ sizes: [2, 1], ends: [true] });
  });

  test("tells a break, once", async () => {
    const { stream, ends } = watch(streamOf([bytes(1)], { fails: new Error("reset") }).stream);
    expect(await new Response(stream).arrayBuffer().catch((thrown: unknown) => thrown)).toBeInstanceOf(Error);
    expect(ends).toEqual([false]);
  });

  test("is not read ahead, and cancels its source when it is left", async () => {
    let isCancelled = false;
    const source = streamOf([bytes(1), bytes(2), bytes(3)], { onCancel: () => (isCancelled = true) });
    const { stream, ends } = watch(source.stream);
    const reader = stream.getReader();
    await reader.read();
    expect(source.pulled()).toBe(1);
    await reader.cancel();
    expect([isCancelled, ends]).toEqual([true, [false]]);
  });
});

test("a discarded body is cancelled; one that is read by somebody is left alone", async () => {
  let cancels = 0;
  const { stream } = streamOf([bytes(1)], { onCancel: () => (cancels += 1) });
  discard(stream);
  await Promise.resolve();
  expect(cancels).toBe(1);
  const locked = streamOf([bytes(1)], { onCancel: () => (cancels += 1) }).stream;
  locked.getReader();
  discard(locked);
  discard(null);
  expect(cancels).toBe(1);
});

test("only a JSON object is an object", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  expect(parseObject(Buffer.from('{"a":1}'))).toEqual({ a: 1 });
  for (const text of ["[]", "null", "1", '"x"', "{", ""]) expect(parseObject(text)).toBeNull();
});
