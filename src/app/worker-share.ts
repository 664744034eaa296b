/** The configuration of one of several workers: what counts for the gateway as a whole is divided among them. */
import type { LoadedConfig } from "../config/load.ts";

/** Rounded up, so that each has a place at least; a queue of none stays none. */
export function shareOfWorker(loaded: LoadedConfig, workers: number): LoadedConfig {
  const share = (whole: number): number => Math.ceil(whole / workers);
  const { limits, providers } = loaded.config;
  const { openai, anthropic } = providers;
  return {
    ...loaded,
    config: {
      ...loaded.config,
      limits: {
        ...limits,
        maxInFlight: share(limits.maxInFlight),
        queueDepth: share(limits.queueDepth),
        rssBytes: limits.rssBytes === null ? null : share(limits.rssBytes),
      },
      providers: {
        openai: { ...openai, providerInFlight: share(openai.providerInFlight) },
        anthropic: { ...anthropic, providerInFlight: share(anthropic.providerInFlight) },
      },
    },
  };
}
