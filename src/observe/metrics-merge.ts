/** The metrics of several processes as those of one. */

/** One line of the exposition. */
export interface MetricSample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric as prom-client's registry tells it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** What the figures of several processes make together. */
  readonly aggregator: "sum" | "max" | "min";
  readonly values: readonly MetricSample[];
}

const COMBINE: Readonly<Record<MetricFamily["aggregator"], (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

/** One family of each name: samples of the same name and labels become one, the others stay, in order of first sight. */
export function mergeMetrics(parts: readonly (readonly MetricFamily[])[]): readonly MetricFamily[] {
  const families = new Map<string, MetricFamily[]>();
  for (const family of parts.flat()) {
    const same = families.get(family.name);
    if (same === undefined) families.set(family.name, [family]);
    else same.push(family);
  }
  return [...families.values()].map(mergeFamily);
}

function mergeFamily(same: readonly MetricFamily[]): MetricFamily {
  const [first] = same;
  if (first === undefined) throw new RangeError("no family to merge");
  if (same.length === 1) return first;
  const combine = COMBINE[first.aggregator];
  const samples = new Map<string, { -readonly [Key in keyof MetricSample]: MetricSample[Key] }>();
  for (const sample of same.flatMap(({ values }) => values)) {
    const key = keyOf(sample);
    const known = samples.get(key);
    if (known === undefined) samples.set(key, { ...sample });
    else known.value = combine(known.value, sample.value);
  }
  return { ...first, values: [...samples.values()] };
}

/** Labels in order of name: processes may have met them in different orders. */
function keyOf({ metricName, labels }: MetricSample): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metricName, pairs]);
}

/** What stays of a process that has ended: what it has counted. Its gauges told of a state that is no more. */
export function lastingMetrics(families: readonly MetricFamily[]): readonly MetricFamily[] {
  return families.filter(({ type }) => type === "counter" || type === "histogram");
}
