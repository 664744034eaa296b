import { expect, test } from "bun:test";
import fc from "fast-check";
import type { MetricFamily } from "../../src/observe/metrics-merge.ts";
import { type Asked, createGathering } from "../../src/supervisor/gathering.ts";
import { createFakeClock } from "../support/fake-clock.ts";

function requests(count: number, depth: number): readonly MetricFamily[] {
  const row = (name: string, type: string, value: number): MetricFamily => ({
    name,
    help: name,
    type,
    aggregator: "sum",
    values: [{ metricName: name, labels: {}, value }],
  });
  return [row("requests_total", "counter", count), row("queue_depth", "gauge", depth)];
}

function open() {
  const clock = createFakeClock();
  const gathering = createGathering<Asked>(clock);
  /** A worker that answers with what `counts` holds; undefined: that it failed; null: not at all. */
  const worker = (counts: { value: readonly MetricFamily[] | null | undefined }, number = 0): Asked => {
    const self = {
      slot: { number },
      ask: (id: number): void => {
        if (counts.value !== null) gathering.answered(self, id, counts.value);
      },
    };
    return self;
  };
  const scrape = async (workers: readonly Asked[]): Promise<readonly number[]> => {
    const gathered = gathering.gather(workers, "metrics", null);
    await clock.advance(2000);
    const [merged] = (await gathered) as readonly (readonly MetricFamily[])[];
    return (merged ?? []).map(({ values }) => values[0]?.value ?? Number.NaN);
  };
  return { gathering, worker, scrape };
}

test("metrics of all are one answer, and what a worker that ended had counted stays; its gauges go", async () => {
  const { gathering, worker, scrape } = open();
  const counts = [{ value: requests(5, 1) }, { value: requests(7, 2) }];
  const workers = counts.map((each, slot) => worker(each, slot));
  expect(await scrape(workers)).toEqual([12, 3]);
  const [first, second] = workers;
  if (first === undefined || second === undefined) throw new Error("two were made");
  gathering.forget(first);
  expect(await scrape([second])).toEqual([12, 2]);
  // Its successor begins at zero.
  const third = worker({ value: requests(1, 0) });
  expect(await scrape([second, third])).toEqual([13, 2]);
  gathering.forget(third);
  gathering.forget(second);
  const fourth = worker({ value: requests(0, 0) }, 1);
  expect(await scrape([fourth])).toEqual([13, 0]);
});

test("a worker that does not answer in time counts as it last did", async () => {
  const { worker, scrape } = open();
  const counts: { value: readonly MetricFamily[] | null } = { value: requests(5, 1) };
  const workers = [worker(counts), worker({ value: requests(2, 0) }, 1)];
  expect(await scrape(workers)).toEqual([7, 1]);
  counts.value = null;
  expect(await scrape(workers)).toEqual([7, 1]);
});

test("a worker that fails to tell its metrics counts as it last did", async () => {
  const { worker, scrape } = open();
  const counts: { value: readonly MetricFamily[] | undefined } = { value: requests(5, 1) };
  const workers = [worker(counts), worker({ value: undefined }, 1)];
  expect(await scrape(workers)).toEqual([5, 1]);
  counts.value = undefined;
  expect(await scrape(workers)).toEqual([5, 1]);
});

test("no count falls by a digit when a worker ends, whatever fractions there are", async () => {
  const dollars = fc.nat(1e9).map((count) => count / 1e6);
  await fc.assert(
    fc.asyncProperty(
      fc.array(dollars, { minLength: 2, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(4), dollars), { minLength: 1, maxLength: 6 }),
      async (starts, endings) => {
        const { gathering, worker, scrape } = open();
        const workers = starts.map((count, slot) => worker({ value: requests(count, 0) }, slot));
        const counts: number[] = [];
        const look = async (living: readonly Asked[]): Promise<void> =>
          void counts.push((await scrape(living))[0] ?? -1);
        await look(workers);
        for (const [at, count] of endings) {
          const slot = at % workers.length;
          const [ended] = workers.splice(slot, 1, worker({ value: requests(count, 0) }, slot));
          if (ended === undefined) throw new Error("each slot has a worker");
          gathering.forget(ended);
          await look(workers.filter((_, other) => other !== slot));
          await look(workers);
        }
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      },
    ),
  );
});
