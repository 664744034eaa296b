/** The Response object around the output items. */
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { ReplyContext } from "../translator.ts";
import type { ResponsesReplyPlan } from "./reply-plan.ts";

/** What tells one answer from another. */
export interface Envelope {
  /** Anthropic's id without its prefix. */
  readonly base: string;
  /** The Response while it is being made. */
  readonly open: () => JsonObject;
  /** The Response at its end. */
  readonly close: (end: ResponseEnd) => JsonObject;
}

/** What is known at the end only. */
export interface ResponseEnd {
  readonly output: readonly JsonObject[];
  /** Why the answer is not whole; null: it is. */
  readonly incomplete: "max_output_tokens" | "content_filter" | null;
  readonly usage: JsonObject;
  readonly serviceTier: string | null;
}

/** Creates the envelope for the answer that begins with `message`. */
export function createEnvelope(plan: ResponsesReplyPlan, message: Json | undefined, context: ReplyContext): Envelope {
  const id = own(message, "id");
  const base = isString(id) ? id.replace(/^msg_/, "") : "";
  const model = context.modelShown ?? own(message, "model") ?? "";
  const render = (
    status: string,
    incomplete: JsonObject | null,
    output: readonly Json[],
    rest: JsonObject,
  ): JsonObject => ({
    id: `resp_${base}`,
    object: "response",
    created_at: context.createdSeconds,
    status,
    error: null,
    incomplete_details: incomplete,
    model,
    output,
    ...plan.echo,
    store: false,
    ...rest,
  });
  return {
    base,
    open: () => render("in_progress", null, [], { usage: null }),
    close: ({ output, incomplete, usage, serviceTier }) => {
      const details = incomplete === null ? null : { reason: incomplete };
      const tier = serviceTier === null ? {} : { service_tier: serviceTier };
      return render(incomplete === null ? "completed" : "incomplete", details, output, { ...tier, usage });
    },
  };
}

/** Why an answer with this `stop_reason` is not whole. */
export function incompleteReason(stopReason: Json | undefined): ResponseEnd["incomplete"] {
  switch (stopReason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "max_output_tokens";
    case "refusal":
      return "content_filter";
    default:
      return null;
  }
}
