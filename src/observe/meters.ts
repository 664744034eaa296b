/** The metrics of the table as objects to count with. */
import { Gauge, type Registry } from "prom-client";
import { METRICS, type MetricKey, type MetricRow } from "./metric-table.ts";
import { type CounterMeter, createCounter, createHistogram, type HistogramMeter } from "./series.ts";

type MeterOf<Row extends MetricRow> = Row["type"] extends "counter"
  ? CounterMeter<Row["labels"][number]>
  : Row["type"] extends "gauge"
    ? Gauge<Row["labels"][number]>
    : HistogramMeter<Row["labels"][number]>;

export type Meters = { readonly [Key in MetricKey]: MeterOf<(typeof METRICS)[Key]> };

/** Builds every metric of {@link METRICS} into `registry`. */
export function createMeters(registry: Registry): Meters {
  const meters = Object.entries(METRICS as Readonly<Record<string, MetricRow>>).map(([key, row]) => {
    const { name, help, labels: labelNames } = row;
    switch (row.type) {
      case "counter":
        return [key, createCounter({ name, help, labelNames, registry })];
      case "gauge":
        return [key, new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })];
      case "histogram":
        return [key, createHistogram({ name, help, labelNames, registry }, row.buckets ?? [])];
    }
  });
  return Object.fromEntries(meters) as Meters;
}
