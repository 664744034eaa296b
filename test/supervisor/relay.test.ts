import { expect, test } from "bun:test";
import { relayLines } from "../../src/supervisor/relay.ts";

function source(chunks: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
}

test.each<[string, readonly string[], readonly string[]]>([
  ["whole lines as they come", ["a\nb\n", "c\n"], ["a\nb\n", "c\n"]],
  ["a line in pieces when its end is there", ["a", "b", "c\nd", "e\n"], ["abc\n", "de\n"]],
  ["a last line without an end, with one", ["a\nb"], ["a\n", "b\n"]],
  ["nothing", [], []],
])("passes on %s", async (_, chunks, written) => {
  const got: string[] = [];
  await relayLines(source(chunks), async (lines) => void got.push(Buffer.from(lines).toString()));
  expect(got).toEqual([...written]);
});

test("waits for each write", async () => {
  let isWriting = false;
  await relayLines(source(["a\n", "b\n", "c\n"]), async () => {
    expect(isWriting).toBe(false);
    isWriting = true;
    await Bun.sleep(1);
    isWriting = false;
  });
});
