/** What one process knows for the dashboard, as plain data, and the figures of several processes put together. */
import { isString, type JsonObject } from "../base/json.ts";
import type { NamedFigures } from "./live.ts";
import {
  addFigures,
  createFigures,
  type Dimension,
  DIMENSIONS,
  type Figures,
  mergeBins,
  type WindowBin,
  viewBins,
  type WindowName,
  type WindowView,
} from "./live-series.ts";

export interface LiveQuery {
  readonly window: WindowName;
  readonly by: Dimension | null;
  /** The end of the window, milliseconds since the epoch: the same for all. */
  readonly nowMs: number;
  /** The last requests, so many. */
  readonly recent: number;
}

/** Answer to a {@link LiveQuery}. */
export interface LivePart {
  readonly totals: Readonly<Figures>;
  readonly by: Readonly<Record<Dimension, readonly NamedFigures[]>>;
  /** Steps of the window in which there was something, with the groups of `by`. */
  readonly bins: readonly WindowBin[];
  /** Newest first. */
  readonly recent: readonly JsonObject[];
}

export interface LiveView {
  readonly totals: Readonly<Figures>;
  readonly by: Readonly<Record<Dimension, readonly NamedFigures[]>>;
  readonly window: WindowView;
  readonly recent: readonly JsonObject[];
}

export function mergeLive(parts: readonly LivePart[], { window, by, nowMs, recent }: LiveQuery): LiveView {
  const totals = createFigures();
  for (const part of parts) addFigures(totals, part.totals);
  const groups = DIMENSIONS.map((dimension) => [dimension, mergeNamed(parts.map((part) => part.by[dimension]))]);
  return {
    totals,
    by: Object.fromEntries(groups) as LiveView["by"],
    window: viewBins(mergeBins(parts.map(({ bins }) => bins)), window, by, nowMs),
    recent: newest(parts.map((part) => part.recent)).slice(0, recent),
  };
}

function mergeNamed(lists: readonly (readonly NamedFigures[])[]): readonly NamedFigures[] {
  const byName = new Map<string, Figures>();
  for (const { name, ...figures } of lists.flat()) {
    const sum = byName.get(name) ?? createFigures();
    addFigures(sum, figures);
    byName.set(name, sum);
  }
  return [...byName].map(([name, figures]) => ({ name, ...figures }));
}

/** In order of their ends, which is the order that each list has. */
function newest(lists: readonly (readonly JsonObject[])[]): readonly JsonObject[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  return lists.flat().toSorted((a, b) => endMs(b) - endMs(a));
}

function endMs({ time, ms }: JsonObject): number {
  return (isString(time) ? Date.parse(time) : 0) + (typeof ms === "number" ? ms : 0);
}
