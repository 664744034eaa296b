import { expect, test } from "bun:test";
import { fitLine, lastExponent } from "../../bench/fit.ts";

const points = (power: number) => [1, 10, 100, 1000].map((x) => ({ x, y: 5 + 2 * x ** power }));

test("a line is found as it is", () => {
  const { slope, intercept, r2 } = fitLine(points(1));
  expect(slope).toBeCloseTo(2, 9);
  expect(intercept).toBeCloseTo(5, 6);
  expect(r2).toBeCloseTo(1, 9);
});

test("what is no line explains less", () => {
  const { r2 } = fitLine([
    { x: 1, y: 1 },
    { x: 2, y: 9 },
    { x: 3, y: 2 },
    { x: 4, y: 8 },
  ]);
  expect(r2).toBeLessThan(0.5);
});

test("the power of growth is told although the line fits well", () => {
  const origin = { x: 0, y: 5 };
  expect(lastExponent(points(1), origin)).toBeCloseTo(1, 6);
  expect(lastExponent(points(2), origin)).toBeCloseTo(2, 6);
  expect(fitLine(points(2)).r2).toBeGreaterThan(0.98);
});
