/** The provider's prompt cache: which prefixes were seen before. */
import { prefixHashes, type Prompt } from "./prompt.ts";
import { countTokens } from "./refusal.ts";

/** Input tokens of one prompt, by what the cache did with them; the four do not overlap. */
export interface CacheUse {
  readonly inputTokens: number;
  readonly readTokens: number;
  readonly writeTokens: number;
  readonly writeLongTokens: number;
}

/** A provider's memory of prompts. */
export interface PromptCache {
  /** Counts a prompt's tokens and remembers its cacheable prefixes. */
  readonly use: (prompt: Prompt) => CacheUse;
}

const MAX_PREFIXES = 10_000;

/** An empty cache; entries never expire, the oldest make room. */
export function createPromptCache(): PromptCache {
  const seen = new Set<string>();
  const remember = (hash: string): void => {
    seen.add(hash);
    if (seen.size > MAX_PREFIXES)
      for (const oldest of seen) {
        seen.delete(oldest);
        break;
      }
  };
  return {
    use: (prompt) => {
      const hashes = prefixHashes(prompt.blocks).map((hash) => `${prompt.model}\n${hash}`);
      const totals = [0];
      for (const block of prompt.blocks) totals.push((totals[totals.length - 1] ?? 0) + countTokens(block.text));
      const all = totals[totals.length - 1] ?? 0;
      const lastMarker = prompt.blocks.findLastIndex((block) => block.marker !== null) + 1;
      const end = prompt.cacheNeedsMarker ? lastMarker : prompt.blocks.length;
      const cacheable = totals[end] ?? 0;
      if (end === 0 || cacheable < prompt.cacheMinTokens)
        return { inputTokens: all, readTokens: 0, writeTokens: 0, writeLongTokens: 0 };
      let read = 0;
      for (let at = end; at > 0 && read === 0; at -= 1) if (seen.has(hashes[at] ?? "")) read = totals[at] ?? 0;
      for (let at = 1; at <= end; at += 1) {
        if (!prompt.cacheNeedsMarker || prompt.blocks[at - 1]?.marker !== null) remember(hashes[at] ?? "");
      }
      const written = prompt.reportsCacheWrites ? cacheable - read : 0;
      const long = prompt.blocks[end - 1]?.marker === "1h";
      return {
        inputTokens: all - read - written,
        readTokens: read,
        writeTokens: long ? 0 : written,
        writeLongTokens: long ? written : 0,
      };
    },
  };
}
