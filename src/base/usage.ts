/** Tokens of one answer, in one shape for both providers. */
export interface Usage {
  /** Input tokens that were neither read from nor written to a cache. */
  readonly input: number;
  readonly cacheRead: number;
  /** Written to the cache for its default time (Anthropic 5 min), all writes that are not `cacheWriteLong`. */
  readonly cacheWrite: number;
  /** Written to the long-lived cache (Anthropic 1 h, OpenAI 12 h), not contained in `cacheWrite`. */
  readonly cacheWriteLong: number;
  /** Output tokens, reasoning included. */
  readonly output: number;
  readonly reasoning: number;
  /** Whether the provider reported it, or the gateway estimated it. */
  readonly source: "reported" | "estimated";
}

/** Input tokens of every kind together: what OpenAI calls `prompt_tokens`. */
export function totalInput(usage: Usage): number {
  return usage.input + usage.cacheRead + usage.cacheWrite + usage.cacheWriteLong;
}

/** Usage that no provider reported. */
export function estimatedUsage(input: number, output: number): Usage {
  return { input, cacheRead: 0, cacheWrite: 0, cacheWriteLong: 0, output, reasoning: 0, source: "estimated" };
}

/**
 * Usage of an answer that may not have come to its end. Anthropic reports its input at the start, and an output that only
 * counts what was made by then: of a cut answer the estimate stands where it is higher.
 */
export function usageSoFar(reported: Usage | null, isWhole: boolean, estimated: Usage): Usage {
  if (reported === null) return estimated;
  if (isWhole || estimated.output <= reported.output) return reported;
  return { ...reported, output: estimated.output, source: "estimated" };
}

/** Sum of two usages (continuations of one answer); estimated as soon as one part is. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    cacheWriteLong: a.cacheWriteLong + b.cacheWriteLong,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    source: a.source === "estimated" || b.source === "estimated" ? "estimated" : "reported",
  };
}
