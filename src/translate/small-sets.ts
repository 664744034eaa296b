/** Sets that hardly any request puts something into: until then all requests share the empty one. */

/** The empty set. */
export const NO_ITEMS: ReadonlySet<never> = new Set<never>();

const NO_LIST: readonly never[] = [];

/** `set` with `item`. A set that has items already belongs to the caller and is written to; the empty one is not. */
export function withItem<Item>(set: ReadonlySet<Item>, item: Item): ReadonlySet<Item> {
  if (set.size === 0) return new Set([item]);
  return (set as Set<Item>).add(item);
}

/** The items in the order in which they were added. */
export function listOf<Item>(set: ReadonlySet<Item>): readonly Item[] {
  return set.size === 0 ? NO_LIST : [...set];
}
