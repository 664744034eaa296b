/** Which of a provider's APIs a request is sent to. */
import type { FormatName } from "../base/names.ts";
import type { Model } from "../catalog/model.ts";
import type { Facts } from "../wire/format.ts";

/** What decides it besides what the provider offers. */
export interface SurfaceWish {
  /** The candidate's model. */
  readonly model: Model;
  readonly facts: Facts;
  /** Another model is asked than the client named. */
  readonly isSwapped: boolean;
  /** `providers.openai.surface`. */
  readonly openaiSurface: "auto" | "chat";
}

/**
 * The API to call, of the `formats` that a provider speaks. The client's own format passes through where the provider speaks
 * it; but a Chat request whose model was exchanged for one that takes its tools only on Responses goes there. Messages
 * clients are served on Responses by reasoning models, which think and call tools together there only, and on Chat by others.
 */
export function chooseSurface(formats: readonly FormatName[], wish: SurfaceWish): FormatName {
  const { format } = wish.facts;
  const [first = format] = formats;
  if (!formats.includes("responses")) return formats.includes(format) ? format : first;
  switch (format) {
    case "responses":
      return "responses";
    case "chat":
      return wish.isSwapped && needsResponses(wish) ? "responses" : "chat";
    case "messages":
      return formats.includes("messages") ? "messages" : surfaceOfMessages(wish);
    default:
      return format satisfies never;
  }
}

function surfaceOfMessages({ model, openaiSurface }: SurfaceWish): FormatName {
  if (openaiSurface === "chat" || !model.formats.includes("responses")) return "chat";
  return model.capabilities.reasoning === "effort" || !model.formats.includes("chat") ? "responses" : "chat";
}

/** Whether the model refuses a Chat request: altogether, or its tools with the effort that is asked or the model's own. */
function needsResponses({ model, facts, openaiSurface }: SurfaceWish): boolean {
  if (openaiSurface === "chat" || !model.formats.includes("responses")) return false;
  if (!model.formats.includes("chat")) return true;
  const { toolsOnChat, defaultEffort } = model.capabilities;
  if (facts.toolNames.length === 0 || toolsOnChat === "yes") return false;
  return toolsOnChat === "no" || (facts.reasoningEffort ?? defaultEffort) !== "none";
}
