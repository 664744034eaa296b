import { expect, test } from "bun:test";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { createCounter, createHistogram } from "../../src/observe/series.ts";

const NAMES = ["provider", "model"];
const BOUNDS = [0.1, 1, 10];
const label = fc.constantFrom("openai", "anthropic", "", 'a"b', "a\nb");
const counted = fc.array(
  fc.record({ provider: label, model: label, value: fc.constantFrom(0, 0.05, 0.1, 1, 5, 10, 11, 250) }),
  { maxLength: 40 },
);

/** Lines of an exposition, sorted: the order of series means nothing. */
async function lines(registry: Registry): Promise<readonly string[]> {
  return (await registry.metrics()).split("\n").filter((line) => line !== "").sort();
}

test("counts and observes what prom-client's own would", async () => {
  await fc.assert(
    fc.asyncProperty(counted, async (events) => {
      const [own, reference] = [new Registry(), new Registry()];
      const counter = createCounter<"provider" | "model">({ name: "a_total", help: "A.", labelNames: NAMES, registry: own });
      const histogram = createHistogram<"provider" | "model">({ name: "b", help: "B.", labelNames: NAMES, registry: own }, BOUNDS);
      const counterThere = new Counter({ name: "a_total", help: "A.", labelNames: NAMES, registers: [reference] });
      const histogramThere = new Histogram({ name: "b", help: "B.", labelNames: NAMES, buckets: BOUNDS, registers: [reference] });
      for (const { provider, model, value } of events) {
        counter.inc({ provider, model }, value);
        histogram.observe({ provider, model }, value);
        counterThere.inc({ provider, model }, value);
        histogramThere.observe({ provider, model }, value);
      }
      expect(await lines(own)).toEqual(await lines(reference) as string[]);
    }),
  );
});

test("a counter without labels is there from the start, counts by one or by a number, and starts anew", async () => {
  const registry = new Registry();
  const counter = createCounter<never>({ name: "a_total", help: "A.", labelNames: [], registry });
  expect(await registry.metrics()).toContain("\na_total 0\n");
  counter.inc();
  counter.inc(2);
  expect(await registry.metrics()).toContain("\na_total 3\n");
  counter.reset();
  expect(await registry.metrics()).toContain("\na_total 0\n");
});

test("refuses to count what is no number, or less than nothing", () => {
  const registry = new Registry();
  const counter = createCounter<never>({ name: "a_total", help: "A.", labelNames: [], registry });
  const histogram = createHistogram<never>({ name: "b", help: "B.", labelNames: [], registry }, BOUNDS);
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => counter.inc(value)).toThrow(RangeError);
  expect(() => histogram.observe({}, Number.NaN)).toThrow(RangeError);
});
