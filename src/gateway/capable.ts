/** Whether a model can serve a request at all, by the catalog's facts. */
import type { Model } from "../catalog/model.ts";
import type { Facts } from "../wire/format.ts";

/**
 * Why `model` cannot serve the request; null when nothing known speaks against it. `translated`: the request is rewritten
 * for it, so what a translation adapts (a forced tool choice) does not count.
 */
export function incapability(model: Model, facts: Facts, translated: boolean): string | null {
  const { capabilities } = model;
  if (facts.hasImage && !capabilities.vision) return "takes no images";
  if (facts.hasDocument && !capabilities.pdf) return "takes no documents";
  if (facts.hasAudio && !capabilities.audioInput) return "takes no audio";
  if (facts.toolNames.length > 0 && !capabilities.tools) return "takes no tools";
  const forced = facts.toolChoice === "required" || facts.toolChoice === "named";
  if (forced && !translated && !capabilities.forcedToolUse) return "refuses a forced tool choice";
  const window = model.inputTokens ?? model.contextTokens;
  if (window !== null && facts.tokensInput > window) return `has a context of ${window} tokens`;
  return null;
}
