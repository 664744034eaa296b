/** Looks for many words in a text at once. */

/** Larger steps than this would not fit into a byte. */
const MAX_STEP = 255;
const LEAST_PLACES = 1024;
const MOST_PLACES = 65_536;
/** Places for each pair of characters: few of those that are in no word share one with a pair that is. */
const SPARSENESS = 16;
const NO_WORDS: readonly string[] = [];

/** Words that are looked for together. */
export interface WordScan {
  /** Whether one of them is in `text`. */
  readonly isIn: (text: string) => boolean;
  /** Those that are in `text`, added to `found`; null for none. */
  readonly allIn: (text: string, found: Set<string> | null) => Set<string> | null;
}

/**
 * Words of at least two characters, found at a fraction of a look at each character: of most pairs of characters it is known how
 * far the first of a word's last characters is away at least (Wu and Manber's way to look for many words at once). The longer the shortest
 * word, the faster. `ignoresCase`: words are lower-case ASCII, and upper-case ASCII in a text is taken for lower.
 */
export function createWordScan(words: readonly string[], { ignoresCase = false } = {}): WordScan {
  if (words.length === 0) return { isIn: () => false, allIn: (_, found) => found };
  // No more of a word than the shortest has is looked at, until there is reason to.
  const width = Math.min(...words.map(({ length }) => length), MAX_STEP + 1);
  // As small as can be, so that it stays in the processor's cache beside all else.
  let places = LEAST_PLACES;
  while (places < MOST_PLACES && places < words.length * width * SPARSENESS) places *= 2;
  const mask = places - 1;
  // Turns upper-case letters into lower, and mixes up a few others, which are told apart later.
  const fold = ignoresCase ? 0x20 : 0;
  const steps = new Uint8Array(places).fill(width - 1);
  /** By the pair that they begin with, and by the last that is looked at. */
  const bySeam = new Map<number, string[]>();
  const seamOf = (first: number, last: number): number => first * places + last;
  for (const word of words) {
    for (let at = 0; at + 1 < width; at++) {
      const place = placeOf(word, at, fold) & mask;
      steps[place] = Math.min(steps[place] as number, width - 2 - at);
    }
    const seam = seamOf(placeOf(word, 0, fold) & mask, placeOf(word, width - 2, fold) & mask);
    const known = bySeam.get(seam);
    if (known === undefined) bySeam.set(seam, [word]);
    else known.push(word);
  }

  const scan = (text: string, known: Set<string> | null, all: boolean): Set<string> | null => {
    let found = known;
    const end = text.length - 1;
    for (let at = width - 2; at < end;) {
      const place = placeOf(text, at, fold) & mask;
      const step = steps[place] as number;
      if (step > 0) {
        at += step;
        continue;
      }
      const start = at - width + 2;
      for (const word of bySeam.get(seamOf(placeOf(text, start, fold) & mask, place)) ?? NO_WORDS) {
        if (ignoresCase ? !beginsAnyCase(text, word, start) : !text.startsWith(word, start)) continue;
        found ??= new Set();
        found.add(word);
        if (!all) return found;
      }
      at += 1;
    }
    return found;
  };
  return { isIn: (text) => scan(text, null, false) !== null, allIn: (text, found) => scan(text, found, true) };
}

/** Whether a word of lower-case ASCII is at `start` of a text, in whatever case. */
function beginsAnyCase(text: string, word: string, start: number): boolean {
  // The last first: many words begin alike.
  for (let at = word.length - 1; at >= 0; at--) {
    const code = text.charCodeAt(start + at);
    const lower = code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
    if (lower !== word.charCodeAt(at)) return false;
  }
  return true;
}

/** Of the pair of characters at `at`; others may have the same. */
function placeOf(text: string, at: number, fold: number): number {
  return (text.charCodeAt(at) | fold) ^ ((text.charCodeAt(at + 1) | fold) * 37);
}

/** Those of some words that are in a text, letter case ignored. */
export type WordSearch = (text: string) => ReadonlySet<string>;

const NOTHING: ReadonlySet<string> = new Set();

/** Words times characters of the shortest from which on a scan is faster than the runtime's own search for each; never for two. */
const SCAN_FROM = 32;
const LEAST_SCANNED = 3;
/** Words of this length and longer are scanned for together. */
const LONGEST_BAND = 16;
/** The two characters that have ASCII in their lower case without being ASCII: İ and the Kelvin sign. */
const DOTTED_I = "\u0130";
const KELVIN = "\u212a";

/**
 * Looks for `words`, lower-case and none of them empty. A few short ones do not slow down the search for many long ones. A text is
 * put into lower case as a whole only where it matters that there is more than ASCII: that would take longer than to search it.
 */
export function createWordSearch(words: readonly string[]): WordSearch {
  const isAscii = words.every((word) => /^[\0-\x7f]*$/.test(word));
  const find = isAscii ? createBands(words, true) : null;
  let findLower: Find | null = null;
  return (text) => {
    if (find !== null && !text.includes(DOTTED_I) && !text.includes(KELVIN)) return find(text) ?? NOTHING;
    findLower ??= createBands(words, false);
    return findLower(text.toLowerCase()) ?? NOTHING;
  };
}

type Find = (text: string) => Set<string> | null;

/** Words of about the same length are looked for in the same way. */
function createBands(words: readonly string[], ignoresCase: boolean): Find {
  const bands = new Map<number, string[]>();
  for (const word of new Set(words)) {
    const band = Math.floor(Math.log2(Math.min(word.length, LONGEST_BAND)));
    bands.set(band, [...(bands.get(band) ?? []), word]);
  }
  const scans: WordScan[] = [];
  const single: { readonly word: string; readonly isIn: (text: string) => boolean }[] = [];
  for (const band of bands.values()) {
    const width = Math.min(...band.map(({ length }) => length));
    if (width > 1 && band.length >= LEAST_SCANNED && band.length * width >= SCAN_FROM)
      scans.push(createWordScan(band, { ignoresCase }));
    else
      single.push(
        ...band.map((word) => ({ word, isIn: ignoresCase ? anyCase(word) : (text: string) => text.includes(word) })),
      );
  }
  return (text) => {
    let found: Set<string> | null = null;
    for (const { word, isIn } of single) if (isIn(text)) (found ??= new Set()).add(word);
    for (const { allIn } of scans) found = allIn(text, found);
    return found;
  };
}

/** Of a longer word only so much is looked for at first: a pattern's worst case is its length times that of the text. */
const MAX_PATTERN = 64;

/** Whether a word of ASCII is in a text, in whatever case. */
function anyCase(word: string): (text: string) => boolean {
  const start = word.slice(0, MAX_PATTERN);
  const escaped = start.replace(/[^a-z0-9]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
  const pattern = new RegExp(escaped, "i");
  if (start === word) return (text) => pattern.test(text);
  return (text) => pattern.test(text) && text.toLowerCase().includes(word);
}
