/** The metrics of the table as objects to count with. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRICS, type MetricKey, type MetricRow } from "./metric-table.ts";

type MeterOf<Row extends MetricRow> = Row["type"] extends "counter"
  ? Counter<Row["labels"][number]>
  : Row["type"] extends "gauge"
    ? Gauge<Row["labels"][number]>
    : Histogram<Row["labels"][number]>;

export type Meters = { readonly [Key in MetricKey]: MeterOf<(typeof METRICS)[Key]> };

/** Builds every metric of {@link METRICS} into `registry`. */
export function createMeters(registry: Registry): Meters {
  const meters = Object.entries(METRICS as Readonly<Record<string, MetricRow>>).map(([key, row]) => {
    const { name, help } = row;
    const settings = { name, help, labelNames: [...row.labels], registers: [registry] };
    switch (row.type) {
      case "counter":
        return [key, new Counter(settings)];
      case "gauge":
        return [key, new Gauge(settings)];
      case "histogram":
        return [key, new Histogram({ ...settings, buckets: [...(row.buckets ?? [])] })];
    }
  });
  return Object.fromEntries(meters) as Meters;
}
