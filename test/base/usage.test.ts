import { expect, test } from "bun:test";
import { addUsage, estimatedUsage, totalInput, type Usage, usageSoFar } from "../../src/base/usage.ts";

const reported: Usage = {
  input: 10,
  cacheRead: 20,
  cacheWrite: 3,
  cacheWriteLong: 4,
  output: 5,
  reasoning: 2,
  source: "reported",
};

test("all kinds of input make the total", () => {
  expect(totalInput(reported)).toBe(37);
});

test("a sum is an estimate as soon as one part is", () => {
  expect(addUsage(reported, reported)).toMatchObject({ input: 20, output: 10, source: "reported" });
  expect(addUsage(reported, estimatedUsage(1, 1))).toMatchObject({ input: 11, output: 6, source: "estimated" });
});

const rows: readonly {
  name: string;
  told: Usage | null;
  isWhole: boolean;
  guess: number;
  output: number;
  source: Usage["source"];
}[] = [
  { name: "nothing told", told: null, isWhole: true, guess: 9, output: 9, source: "estimated" },
  { name: "a whole answer's own figure", told: reported, isWhole: true, guess: 9, output: 5, source: "reported" },
  {
    name: "a cut answer that went on after its figure",
    told: reported,
    isWhole: false,
    guess: 9,
    output: 9,
    source: "estimated",
  },
  {
    name: "a cut answer whose figure is higher",
    told: reported,
    isWhole: false,
    guess: 4,
    output: 5,
    source: "reported",
  },
];

for (const { name, told, isWhole, guess, output, source } of rows) {
  test(`usage so far: ${name}`, () => {
    const usage = usageSoFar(told, isWhole, estimatedUsage(7, guess));
    expect(usage).toMatchObject({ output, source, input: told === null ? 7 : 10, cacheRead: told === null ? 0 : 20 });
  });
}
