/** The stable draw behind `percent` and weighted models: the same words always give the same number. */

/**
 * Numbers in [0, 100) drawn from `salt` and a subject: FNV-1a over the UTF-16 units of `salt:subject`, mixed by
 * MurmurHash3's finalizer, because FNV alone spreads short, similar ids badly.
 * @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv-17 (read 2026-11-24)
 */
export function createDraw(salt: string): (subject: string) => number {
  const salted = hashOn(0x811c9dc5, `${salt}:`);
  return (subject) => {
    let hash = hashOn(salted, subject);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
  };
}

/** FNV-1a's state after `text`. */
function hashOn(state: number, text: string): number {
  let hash = state;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}

/** One such number. */
export function drawPercent(salt: string, subject: string): number {
  return createDraw(salt)(subject);
}
