/** The stable draw behind `percent` and weighted models: the same words always give the same number. */

/**
 * A number in [0, 100) drawn from `salt` and `subject`: FNV-1a over the UTF-16 units of `salt:subject`, mixed by
 * MurmurHash3's finalizer, because FNV alone spreads short, similar ids badly.
 * @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv-17 (read 2026-11-24)
 */
export function drawPercent(salt: string, subject: string): number {
  let hash = 0x811c9dc5;
  const text = `${salt}:${subject}`;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}
