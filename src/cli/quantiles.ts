/** Quantiles of a stream of positive numbers in constant memory. */

export interface Quantiles {
  readonly add: (value: number) => void;
  /** The value below which `share` (0 to 1) of all lie, within 1 %; null when there are none. */
  readonly at: (share: number) => number | null;
}

/** Neighbouring bucket bounds differ by this factor, so a bucket's middle is at most 1 % off. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Anything smaller counts as this. */
const LEAST = 0.001;

export function createQuantiles(): Quantiles {
  const buckets = new Map<number, number>();
  let total = 0;
  return {
    add: (value) => {
      const bucket = Math.floor(Math.log(Math.max(LEAST, value)) / LOG_GROWTH);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      total += 1;
    },
    at: (share) => {
      let left = Math.max(1, Math.ceil(total * share));
      for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
        left -= count;
        if (left <= 0) return GROWTH ** (bucket + 0.5);
      }
      return null;
    },
  };
}
