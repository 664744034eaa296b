/** Holds back what is said over and over: a fault that repeats is told once in a while, with the number left out. */

export interface Repeats {
  /** How often `key` was held back since it was last told; null: hold it back now. */
  readonly admit: (key: string, nowMs: number) => number | null;
  /** Keys whose time is over and that were held back since, with the number; they are forgotten. */
  readonly expired: (nowMs: number) => readonly (readonly [string, number])[];
  /** The same for all keys, whatever their time. */
  readonly drain: () => readonly (readonly [string, number])[];
}

const NONE: ReturnType<Repeats["drain"]> = [];

/** `windowMs`: how long a key is silent once told. `maxKeys`: a new key beyond them makes room of the oldest. */
export function createRepeats(windowMs: number, maxKeys: number): Repeats {
  const held = new Map<string, { readonly untilMs: number; count: number }>();
  let nextSweepMs = 0;

  const take = (isOver: (untilMs: number) => boolean): readonly (readonly [string, number])[] => {
    const over = [...held].filter(([, { untilMs }]) => isOver(untilMs));
    for (const [key] of over) held.delete(key);
    return over.flatMap(([key, { count }]) => (count === 0 ? [] : [[key, count] as const]));
  };

  return {
    admit: (key, nowMs) => {
      const entry = held.get(key);
      if (entry !== undefined && nowMs < entry.untilMs) {
        entry.count += 1;
        return null;
      }
      if (entry === undefined && held.size >= maxKeys) held.delete(held.keys().next().value ?? key);
      held.delete(key);
      held.set(key, { untilMs: nowMs + windowMs, count: 0 });
      return entry?.count ?? 0;
    },
    expired: (nowMs) => {
      if (nowMs < nextSweepMs) return NONE;
      nextSweepMs = nowMs + windowMs;
      return take((untilMs) => untilMs <= nowMs);
    },
    drain: () => take(() => true),
  };
}
