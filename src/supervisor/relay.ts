/** Passes on what several processes print, line by line: a pipe keeps only short writes whole. */

const NEWLINE = 0x0a;

/** Reads `source` to its end; `write` is handed whole lines and awaited. A last line without an end gets one. */
export async function relayLines(
  source: ReadableStream<Uint8Array>,
  write: (lines: Uint8Array) => Promise<void>,
): Promise<void> {
  let rest: Uint8Array[] = [];
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const lines = chunk.subarray(0, end);
      await write(rest.length === 0 ? lines : Buffer.concat([...rest, lines]));
      rest = [];
    }
    if (end < chunk.length) rest.push(chunk.subarray(end));
  }
  if (rest.length > 0) await write(Buffer.concat([...rest, Buffer.of(NEWLINE)]));
}
