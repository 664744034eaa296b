/** What an answer says of itself, kept for the traces: never its text. */
import type { AttemptRecord } from "../base/events.ts";
import type { ReplyFacts, StopClass } from "../wire/format.ts";

/** Words of the GenAI conventions where they have one. */
const FINISH_REASONS: Readonly<Record<NonNullable<StopClass>, string>> = {
  stop: "stop",
  length: "length",
  tool: "tool_call",
  refusal: "content_filter",
  pause: "pause",
  other: "other",
};
/** Of names that an upstream gives. */
const MAX_CHARACTERS = 128;

export function noteAnswer(attempt: AttemptRecord, { id, model, choices, serviceTier }: ReplyFacts): void {
  attempt.serviceTier = serviceTier;
  attempt.answer = {
    id: id?.slice(0, MAX_CHARACTERS) ?? null,
    model: model?.slice(0, MAX_CHARACTERS) ?? null,
    finishReasons: finishReasons(choices),
  };
}

function finishReasons(choices: ReplyFacts["choices"]): readonly string[] {
  const reasons: string[] = [];
  for (const { stop } of choices) if (stop !== null) reasons.push(FINISH_REASONS[stop]);
  return reasons;
}
