/** Successes and failures of the last while, in buckets; plain data. */

interface Bucket {
  /** Which bucket of time it is: `floor(nowMs / bucketMs)`. */
  readonly number: number;
  readonly successes: number;
  readonly failures: number;
  /** Failures that count only together with those of another source, by source. */
  readonly partial: Readonly<Record<string, number>>;
}

/** Oldest first, at most as many as the window has buckets. */
export type BreakerWindow = readonly Bucket[];

export interface WindowSettings {
  readonly windowMs: number;
  readonly buckets: number;
}

export type WindowEntry =
  | { readonly kind: "success" | "failure" }
  /** A failure of one of several sources: see {@link readWindow}. */
  | { readonly kind: "partial"; readonly source: string };

/** The window with one entry more and without what has grown too old. */
export function addToWindow(
  window: BreakerWindow,
  entry: WindowEntry,
  nowMs: number,
  settings: WindowSettings,
): BreakerWindow {
  const number = Math.floor(nowMs / (settings.windowMs / settings.buckets));
  let from = 0;
  let to = window.length;
  while (from < to && (window[from]?.number ?? 0) <= number - settings.buckets) from += 1;
  while (to > from && (window[to - 1]?.number ?? 0) >= number) to -= 1;
  const next = window.slice(from, to);
  const current = window[to];
  const isCurrent = current !== undefined && current.number === number;
  next.push(addToBucket(isCurrent ? current : { number, successes: 0, failures: 0, partial: NONE }, entry));
  return next;
}

const NONE: Bucket["partial"] = {};

function addToBucket(bucket: Bucket, entry: WindowEntry): Bucket {
  switch (entry.kind) {
    case "success":
      return { ...bucket, successes: bucket.successes + 1 };
    case "failure":
      return { ...bucket, failures: bucket.failures + 1 };
    case "partial": {
      const before = Object.hasOwn(bucket.partial, entry.source) ? (bucket.partial[entry.source] ?? 0) : 0;
      return { ...bucket, partial: { ...bucket.partial, [entry.source]: before + 1 } };
    }
  }
}

/** Totals of a window. Partial failures count only while they come from two sources or more. */
export function readWindow(window: BreakerWindow): { readonly total: number; readonly failures: number } {
  let successes = 0;
  let failures = 0;
  let partial = 0;
  const sources = new Set<string>();
  for (const bucket of window) {
    successes += bucket.successes;
    failures += bucket.failures;
    for (const [source, count] of Object.entries(bucket.partial)) {
      sources.add(source);
      partial += count;
    }
  }
  const counted = sources.size >= 2 ? failures + partial : failures;
  return { total: successes + counted, failures: counted };
}
