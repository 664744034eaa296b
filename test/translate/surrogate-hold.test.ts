import { expect, test } from "bun:test";
import { createSurrogateHold } from "../../src/translate/surrogate-hold.ts";

test("keeps the halves of a pair together", () => {
  const hold = createSurrogateHold();
  expect([hold.push("a\ud83d"), hold.push(""), hold.push("\ude00b"), hold.end()]).toEqual(["a", "", "😀b", ""]);
});

test("moves on from one held half to the next", () => {
  const hold = createSurrogateHold();
  expect([hold.push("\ud83d"), hold.push("\ude00\ud83d"), hold.push("\ude01"), hold.end()]).toEqual([
    "",
    "😀",
    "😁",
    "",
  ]);
});

test("gives a lone half back at the end", () => {
  const hold = createSurrogateHold();
  expect([hold.push("a\ud83d"), hold.end(), hold.end()]).toEqual(["a", "\ud83d", ""]);
});
