/** Looks for many words at once in bytes, as `word-search.ts` does in texts. */

/** Whether there is something in the bytes from `start` to `end`. */
export type ByteScan = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Larger steps than this would not fit into a byte. */
const MAX_STEP = 255;
const LEAST_PLACES = 1024;
const MOST_PLACES = 65_536;
/** Places for each pair of bytes: few of those that are in no word share one with a pair that is. */
const SPARSENESS = 16;

/**
 * Whether one of `words`, each of at least two characters, is in bytes of UTF-8. Of most pairs of bytes it is known how far the first of
 * a word's last bytes is away at least (Wu and Manber).
 */
export function createByteScan(words: readonly string[]): ByteScan {
  if (words.length === 0) return () => false;
  const encoder = new TextEncoder();
  const needles = words.map((word) => encoder.encode(word));
  // No more of a word than the shortest has is looked at, until there is reason to.
  const width = Math.min(...needles.map(({ length }) => length), MAX_STEP + 1);
  // As small as can be, so that it stays in the processor's cache beside all else.
  let places = LEAST_PLACES;
  while (places < MOST_PLACES && places < words.length * width * SPARSENESS) places *= 2;
  const mask = places - 1;
  const steps = new Uint8Array(places).fill(width - 1);
  const byLastPair = new Map<number, Uint8Array[]>();
  for (const needle of needles) {
    for (let at = 0; at + 1 < width; at++) {
      const place = placeOf(needle, at) & mask;
      steps[place] = Math.min(steps[place] as number, width - 2 - at);
    }
    const last = placeOf(needle, width - 2) & mask;
    byLastPair.set(last, [...(byLastPair.get(last) ?? []), needle]);
  }
  return (bytes, start, end) => {
    for (let at = start + width - 2; at + 1 < end;) {
      const place = placeOf(bytes, at) & mask;
      const step = steps[place] as number;
      if (step > 0) {
        at += step;
        continue;
      }
      for (const needle of byLastPair.get(place) ?? []) if (isAt(bytes, at - width + 2, end, needle)) return true;
      at += 1;
    }
    return false;
  };
}

function isAt(bytes: Uint8Array, start: number, end: number, needle: Uint8Array): boolean {
  if (start + needle.length > end) return false;
  for (let index = 0; index < needle.length; index++) if (bytes[start + index] !== needle[index]) return false;
  return true;
}

/** Of the pair of bytes at `at`; others may have the same. */
function placeOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) ^ ((bytes[at + 1] as number) * 37);
}
