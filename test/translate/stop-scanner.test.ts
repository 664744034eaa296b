import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createStopScanner } from "../../src/translate/stop-scanner.ts";

function scan(sequences: readonly string[], pieces: readonly string[]): [string, string | null] {
  const scanner = createStopScanner(sequences);
  let shown = "";
  for (const piece of pieces) shown += scanner.push(piece);
  if (scanner.matched === null) shown += scanner.end();
  return [shown, scanner.matched];
}

describe("the stop scanner", () => {
  test.each([
    ["a match", ["END"], ["abcENDdef"], ["abc", "END"]],
    ["a match over pieces", ["END"], ["abcE", "N", "Ddef"], ["abc", "END"]],
    ["a beginning that comes to nothing", ["END"], ["abcE", "N", "x"], ["abcENx", null]],
    ["a beginning at the end", ["END"], ["abcEN"], ["abcEN", null]],
    ["a beginning inside a beginning", ["aab"], ["aaab"], ["a", "aab"]],
    ["the sequence that is complete first", ["abcde", "bc"], ["xabcde"], ["xa", "bc"]],
    ["the longer of two that end together", ["bc", "abc"], ["xabc"], ["x", "abc"]],
    ["no sequences", [], ["abc"], ["abc", null]],
    ["empty sequences", [""], ["abc"], ["abc", null]],
  ])("%s", (_name, sequences, pieces, expected) => {
    expect(scan(sequences, pieces)).toEqual(expected as [string, string | null]);
  });

  test("holds back no more than it must", () => {
    const scanner = createStopScanner(["\n\n"]);
    expect(scanner.push("abc")).toBe("abc");
    expect(scanner.push("d\n")).toBe("d");
    expect(scanner.push("e")).toBe("\ne");
  });

  test("shows nothing after a match", () => {
    const scanner = createStopScanner(["."]);
    expect([scanner.push("a."), scanner.push("b"), scanner.end()]).toEqual(["a", "", ""]);
  });

  test("gives the same however the text is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const sequence = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        letters,
        fc.array(sequence, { maxLength: 3 }),
        fc.array(fc.nat(30), { maxLength: 6 }),
        (text, sequences, cuts) => {
          const places = [0, ...cuts.filter((cut) => cut <= text.length).toSorted((a, b) => a - b), text.length];
          const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
          expect(scan(sequences, pieces)).toEqual(scan(sequences, [...text]));
          expect(scan(sequences, pieces)).toEqual(scan(sequences, [text]));
        },
      ),
      { numRuns: 300 },
    );
  });
});
