/**
 * Counters, gauges and histograms that are cheap to count with, most of all those that are bound: prom-client joins all label values to
 * a text for every count, which was a fifth of what a request costs. It only renders what these hold, and is loaded at the first scrape: it brings
 * half of Node's network modules with it.
 */
import type { Metric } from "prom-client";

export type Labels<Name extends string> = Readonly<Partial<Record<Name, string>>>;

export interface CounterMeter<Name extends string> {
  /** @throws RangeError for what is no finite number of 0 or more */
  readonly inc: (labels?: Labels<Name> | number, value?: number) => void;
  /** For counts of the same labels over and over; {@link reset} unties it. */
  readonly bind: (labels: Labels<Name>) => BoundCounter;
  readonly reset: () => void;
}

/** A counter with its labels, looked up once. There is a line of it from the first count on. */
export interface BoundCounter {
  /** @throws RangeError for what is no finite number of 0 or more */
  readonly add: (value: number) => void;
}

/** A histogram with its labels, as {@link BoundCounter}. */
export interface BoundHistogram {
  /** @throws RangeError for what is no finite number */
  readonly observe: (value: number) => void;
}

export interface GaugeMeter<Name extends string> {
  /** @throws RangeError for what is no number */
  readonly set: (labels: Labels<Name> | number, value?: number) => void;
  readonly reset: () => void;
}

export interface HistogramMeter<Name extends string> {
  /** @throws RangeError for what is no finite number */
  readonly observe: (labels: Labels<Name>, value: number) => void;
  /** For figures of the same labels over and over. */
  readonly bind: (labels: Labels<Name>) => BoundHistogram;
}

export interface MeterSettings {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** What the figures of several processes make together; else their sum. */
  readonly together?: "max" | "min" | undefined;
  /** Takes the metric as prom-client's registry does. */
  readonly register: (metric: Metric) => void;
}

interface Cell {
  readonly labels: Readonly<Record<string, string>>;
}

/** One line of the exposition. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

type Level<Value> = Map<string | undefined, Level<Value> | Value>;

/** Cells by their label values, found through one map for each label. */
function createCells<Value extends Cell>(labelNames: readonly string[], create: (labels: Cell["labels"]) => Value) {
  const cells: Value[] = [];
  const root: Level<Value> = new Map();
  const add = (labels: Labels<string>): Value => {
    const cell = create(
      Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    );
    cells.push(cell);
    return cell;
  };
  return {
    cells,
    at: (labels: Labels<string>): Value => {
      let level = root;
      for (let index = 0; index < labelNames.length - 1; index++) {
        const value = labels[labelNames[index] as string];
        let next = level.get(value) as Level<Value> | undefined;
        if (next === undefined) {
          next = new Map();
          level.set(value, next);
        }
        level = next;
      }
      const last = labels[labelNames.at(-1) ?? ""];
      let cell = level.get(last) as Value | undefined;
      if (cell === undefined) {
        cell = add(labels);
        level.set(last, cell);
      }
      return cell;
    },
    clear: (): void => {
      root.clear();
      cells.length = 0;
    },
  };
}

type MeterType = "counter" | "gauge" | "histogram";

function register({ register, ...about }: MeterSettings, type: MeterType, values: () => readonly Sample[]): void {
  const { name, help, together: aggregator = "sum" } = about;
  const metric = { name, get: () => Promise.resolve({ name, help, type, values: values(), aggregator }) };
  register(metric as unknown as Metric);
}

/** Cells of one number each. Without labels there is one, which is there from the start. */
function createValues(settings: MeterSettings, type: MeterType) {
  const { name, labelNames } = settings;
  const { cells, at, clear } = createCells(labelNames, (labels) => ({ labels, value: 0 }));
  const start = (): void => {
    if (labelNames.length === 0) at(NO_LABELS);
  };
  start();
  register(settings, type, () => cells.map(({ labels, value }) => ({ metricName: name, labels, value })));
  return {
    at,
    reset: (): void => {
      clear();
      start();
    },
  };
}

const NO_LABELS = {};

class TiedCounter<Name extends string> implements BoundCounter {
  readonly #name: string;
  readonly #labels: Labels<Name>;
  readonly #at: (labels: Labels<Name>) => { value: number };
  #cell: { value: number } | null = null;

  constructor(name: string, labels: Labels<Name>, at: (labels: Labels<Name>) => { value: number }) {
    this.#name = name;
    this.#labels = labels;
    this.#at = at;
  }

  add(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
      throw new RangeError(`${this.#name} cannot grow by ${value}`);
    (this.#cell ??= this.#at(this.#labels)).value += value;
  }
}

export function createCounter<Name extends string>(settings: MeterSettings): CounterMeter<Name> {
  const { name } = settings;
  const { at, reset } = createValues(settings, "counter");
  const bind = (labels: Labels<Name>): BoundCounter => new TiedCounter(name, labels, at);
  return {
    inc: (labels, value = 1) => {
      if (typeof labels === "object") bind(labels).add(value);
      else bind(NO_LABELS as Labels<Name>).add(labels ?? value);
    },
    bind,
    reset,
  };
}

export function createGauge<Name extends string>(settings: MeterSettings): GaugeMeter<Name> {
  const { at, reset } = createValues(settings, "gauge");
  return {
    set: (labels, value) => {
      const level = typeof labels === "number" ? labels : value;
      if (level === undefined || Number.isNaN(level)) throw new RangeError(`${settings.name} cannot be ${level}`);
      at(typeof labels === "object" ? labels : NO_LABELS).value = level;
    },
    reset,
  };
}

interface Distribution {
  readonly counts: Float64Array;
  sum: number;
}

class TiedHistogram<Name extends string> implements BoundHistogram {
  readonly #name: string;
  readonly #labels: Labels<Name>;
  readonly #bounds: readonly number[];
  readonly #at: (labels: Labels<Name>) => Distribution;
  #cell: Distribution | null = null;

  constructor(
    name: string,
    labels: Labels<Name>,
    bounds: readonly number[],
    at: (labels: Labels<Name>) => Distribution,
  ) {
    this.#name = name;
    this.#labels = labels;
    this.#bounds = bounds;
    this.#at = at;
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`${this.#name} cannot observe ${value}`);
    const cell = (this.#cell ??= this.#at(this.#labels));
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    cell.counts[index] = (cell.counts[index] as number) + 1;
    cell.sum += value;
  }
}

/** @param bounds upper bounds of the buckets, ascending */
export function createHistogram<Name extends string>(
  settings: MeterSettings,
  bounds: readonly number[],
): HistogramMeter<Name> {
  const { name, labelNames } = settings;
  const { cells, at } = createCells(labelNames, (labels) => ({
    labels,
    /** Not cumulative; the last one is for what is above every bound. */
    counts: new Float64Array(bounds.length + 1),
    sum: 0,
  }));
  register(settings, "histogram", () =>
    cells.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const buckets = Array.from(counts, (own, index): Sample => {
        count += own;
        return { metricName: `${name}_bucket`, labels: { le: bounds[index] ?? "+Inf", ...labels }, value: count };
      });
      const total = { metricName: `${name}_sum`, labels, value: sum };
      return [...buckets, total, { metricName: `${name}_count`, labels, value: count }];
    }),
  );
  const bind = (labels: Labels<Name>): BoundHistogram => new TiedHistogram(name, labels, bounds, at);
  return { observe: (labels, value) => bind(labels).observe(value), bind };
}
