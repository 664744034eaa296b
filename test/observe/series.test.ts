import { expect, test } from "bun:test";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { createCounter, createGauge, createHistogram } from "../../src/observe/series.ts";

const NAMES = ["provider", "model"];
const BOUNDS = [0.1, 1, 10];
const label = fc.constantFrom("openai", "anthropic", "", 'a"b', "a\nb");
const counted = fc.array(
  fc.record({ provider: label, model: label, value: fc.constantFrom(0, 0.05, 0.1, 1, 5, 10, 11, 250) }),
  { maxLength: 40 },
);

/** Lines of an exposition, sorted: the order of series means nothing. */
async function lines(registry: Registry): Promise<readonly string[]> {
  return (await registry.metrics())
    .split("\n")
    .filter((line) => line !== "")
    .sort();
}

test("counts and observes what prom-client's own would", async () => {
  await fc.assert(
    fc.asyncProperty(counted, async (events) => {
      const [own, reference] = [new Registry(), new Registry()];
      const counter = createCounter<"provider" | "model">({
        name: "a_total",
        help: "A.",
        labelNames: NAMES,
        register: (metric) => own.registerMetric(metric),
      });
      const histogram = createHistogram<"provider" | "model">(
        { name: "b", help: "B.", labelNames: NAMES, register: (metric) => own.registerMetric(metric) },
        BOUNDS,
      );
      const counterThere = new Counter({ name: "a_total", help: "A.", labelNames: NAMES, registers: [reference] });
      const histogramThere = new Histogram({
        name: "b",
        help: "B.",
        labelNames: NAMES,
        buckets: BOUNDS,
        registers: [reference],
      });
      for (const { provider, model, value } of events) {
        counter.inc({ provider, model }, value);
        histogram.observe({ provider, model }, value);
        counterThere.inc({ provider, model }, value);
        histogramThere.observe({ provider, model }, value);
      }
      expect(await lines(own)).toEqual((await lines(reference)) as string[]);
    }),
  );
});

test("a counter without labels is there from the start, counts by one or by a number, and starts anew", async () => {
  const registry = new Registry();
  const counter = createCounter<never>({
    name: "a_total",
    help: "A.",
    labelNames: [],
    register: (metric) => registry.registerMetric(metric),
  });
  expect(await registry.metrics()).toContain("\na_total 0\n");
  counter.inc();
  counter.inc(2);
  expect(await registry.metrics()).toContain("\na_total 3\n");
  counter.reset();
  expect(await registry.metrics()).toContain("\na_total 0\n");
});

test("refuses to count what is no number, or less than nothing", () => {
  const registry = new Registry();
  const counter = createCounter<never>({
    name: "a_total",
    help: "A.",
    labelNames: [],
    register: (metric) => registry.registerMetric(metric),
  });
  const histogram = createHistogram<never>(
    { name: "b", help: "B.", labelNames: [], register: (metric) => registry.registerMetric(metric) },
    BOUNDS,
  );
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => counter.inc(value)).toThrow(RangeError);
  expect(() => histogram.observe({}, Number.NaN)).toThrow(RangeError);
});

test("a gauge shows what it was set to last, with and without labels, until it is reset", async () => {
  const registry = new Registry();
  const register = (metric: Parameters<Registry["registerMetric"]>[0]): void => registry.registerMetric(metric);
  const plain = createGauge<never>({ name: "a", help: "A.", labelNames: [], register });
  const labelled = createGauge<"provider">({ name: "b", help: "B.", labelNames: ["provider"], register });
  expect(await registry.metrics()).toContain("\na 0\n");
  plain.set(3);
  plain.set(-1.5);
  labelled.set({ provider: "openai" }, 2);
  expect(await registry.metrics()).toContain("\na -1.5\n");
  expect(await registry.metrics()).toContain('\nb{provider="openai"} 2\n');
  labelled.reset();
  expect(await registry.metrics()).not.toContain("openai");
  expect(() => plain.set(Number.NaN)).toThrow(RangeError);
});
