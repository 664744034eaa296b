/** The metrics of the table as objects to count with. */
import type { Metric } from "prom-client";
import { METRICS, type MetricKey, type MetricRow } from "./metric-table.ts";
import {
  type CounterMeter,
  createCounter,
  createGauge,
  createHistogram,
  type GaugeMeter,
  type HistogramMeter,
} from "./series.ts";

type MeterOf<Row extends MetricRow> = Row["type"] extends "counter"
  ? CounterMeter<Row["labels"][number]>
  : Row["type"] extends "gauge"
    ? GaugeMeter<Row["labels"][number]>
    : HistogramMeter<Row["labels"][number]>;

export type Meters = { readonly [Key in MetricKey]: MeterOf<(typeof METRICS)[Key]> };

/** Builds every metric of {@link METRICS}; `register` takes each as prom-client's registry does. */
export function createMeters(register: (metric: Metric) => void): Meters {
  const meters = Object.entries(METRICS as Readonly<Record<string, MetricRow>>).map(([key, row]) => {
    const { name, help, labels: labelNames, together } = row;
    const settings = { name, help, labelNames, together, register };
    switch (row.type) {
      case "counter":
        return [key, createCounter(settings)];
      case "gauge":
        return [key, createGauge(settings)];
      case "histogram":
        return [key, createHistogram(settings, row.buckets ?? [])];
    }
  });
  return Object.fromEntries(meters) as Meters;
}
