/** Durations in buckets that grow by a fixed factor: quantiles within 10 % at a fixed size. */

/** Counts by bucket; null until there is a duration. */
export type Histogram = Uint32Array | null;

const PER_OCTAVE = 4;
/** From 1 ms to 2^20 ms, some 17 minutes. */
const BUCKETS = 20 * PER_OCTAVE;

/** `histogram`, made if need be, with one more duration. */
export function recordDuration(histogram: Histogram, milliseconds: number): Uint32Array {
  const counts = histogram ?? new Uint32Array(BUCKETS);
  const bucket = Math.floor(Math.log2(Math.max(1, milliseconds)) * PER_OCTAVE);
  const index = Math.min(BUCKETS - 1, bucket);
  counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

/** The sum of several histograms. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  let merged: Histogram = null;
  for (const histogram of histograms) {
    if (histogram === null) continue;
    merged ??= new Uint32Array(BUCKETS);
    for (let index = 0; index < BUCKETS; index += 1) merged[index] = (merged[index] ?? 0) + (histogram[index] ?? 0);
  }
  return merged;
}

/** The duration, in milliseconds, below which `share` (0 to 1) of all lie; null without any. */
export function quantile(histogram: Histogram, share: number): number | null {
  if (histogram === null) return null;
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let left = share * total;
  for (let index = 0; index < BUCKETS; index += 1) {
    const count = histogram[index] ?? 0;
    if (count > 0 && left <= count) {
      const inside = count === 0 ? 0 : left / count;
      return Math.round(2 ** ((index + inside) / PER_OCTAVE) * 10) / 10;
    }
    left -= count;
  }
  return null;
}
