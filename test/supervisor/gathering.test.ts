import { expect, test } from "bun:test";
import type { MetricFamily } from "../../src/observe/metrics-merge.ts";
import { createGathering } from "../../src/supervisor/gathering.ts";
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
  const gathering = createGathering<{ readonly ask: (id: number) => void }>(clock);
  /** A worker that answers with what `counts` holds; null: not at all. */
  const worker = (counts: { value: readonly MetricFamily[] | null }) => {
    const self = {
      ask: (id: number): void => {
        if (counts.value !== null) gathering.answered(self, id, counts.value);
      },
    };
    return self;
  };
  const scrape = async (workers: readonly { readonly ask: (id: number) => void }[]): Promise<readonly number[]> => {
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
  const workers = counts.map(worker);
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
  const fourth = worker({ value: requests(0, 0) });
  expect(await scrape([fourth])).toEqual([13, 0]);
});

test("a worker that does not answer in time counts as it last did", async () => {
  const { worker, scrape } = open();
  const counts: { value: readonly MetricFamily[] | null } = { value: requests(5, 1) };
  const workers = [worker(counts), worker({ value: requests(2, 0) })];
  expect(await scrape(workers)).toEqual([7, 1]);
  counts.value = null;
  expect(await scrape(workers)).toEqual([7, 1]);
});
