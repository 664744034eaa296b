import { expect, test } from "bun:test";
import { createLineBatch } from "../../src/observe/line-batch.ts";
import { createFakeClock } from "../support/fake-clock.ts";

test("lines that come together are written together, in order, within 10 ms", async () => {
  const clock = createFakeClock();
  const written: string[] = [];
  const batch = createLineBatch(clock.after, (lines) => void written.push(lines));
  batch.write("a\n");
  batch.write("b\n");
  expect(written).toEqual([]);
  await clock.advance(10);
  expect(written).toEqual(["a\nb\n"]);
  batch.write("c\n");
  await clock.advance(10);
  expect(written).toEqual(["a\nb\n", "c\n"]);
});

test("a flush writes at once and leaves no timer, many lines do not wait", async () => {
  const clock = createFakeClock();
  const written: string[] = [];
  const batch = createLineBatch(clock.after, (lines) => void written.push(lines));
  batch.flush();
  batch.write("a\n");
  batch.flush();
  await clock.advance(10);
  expect(written).toEqual(["a\n"]);
  batch.write(`${"x".repeat(65_536)}\n`);
  expect(written).toHaveLength(2);
});
