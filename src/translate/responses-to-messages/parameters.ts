/** Parameters of a Responses request that are neither tools nor history. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json } from "../../base/json.ts";
import { applyOutputCap, applyVerbosity } from "../messages-upstream/answer-length.ts";
import { field, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";
import { askForObject, askForSchema } from "../messages-upstream/structured-output.ts";
import { applyReasoning } from "../messages-upstream/thinking.ts";

const STATELESS = "answers of this model are not stored; send the whole conversation in input";

function refuseState(name: string, message: string): (draft: Draft) => void {
  return (draft) => {
    const value = field(draft, name);
    if (value !== null && value !== false) throw unsupported(name, message);
  };
}

function applyTruncation(draft: Draft): void {
  if (field(draft, "truncation") === "auto") draft.report.drop("truncation");
}

function applyInclude(draft: Draft): void {
  const include = field(draft, "include");
  if (isArray(include) && include.includes("message.output_text.logprobs")) {
    throw unsupported("include", "this model reports no log probabilities; leave message.output_text.logprobs out");
  }
}

function applyTopLogprobs(draft: Draft): void {
  const top = field(draft, "top_logprobs");
  if (top !== null && top !== 0) {
    throw unsupported("top_logprobs", "this model reports no log probabilities; leave top_logprobs out");
  }
}

function dropUnlessNull(name: string): (draft: Draft) => void {
  return (draft) => {
    if (field(draft, name) !== null) draft.report.drop(name);
  };
}

function applyText(draft: Draft): void {
  const text = own(draft.source, "text");
  applyVerbosity(draft, own(text, "verbosity"), "text.verbosity");
  const format = own(text, "format") ?? null;
  switch (own(format, "type")) {
    case undefined:
    case null:
    case "text":
      return;
    case "json_object":
      askForObject(draft, "text.format");
      return;
    case "json_schema": {
      const schema = own(format, "schema");
      const description = own(format, "description");
      if (isObject(schema)) askForSchema(draft, schema, isString(description) ? description : null, "text.format");
      else askForObject(draft, "text.format");
      return;
    }
    default:
      throw invalidRequest("text.format.type must be text, json_object or json_schema", "text.format.type");
  }
}

/** Whether the caller wants to read the reasoning. */
function showsSummary(reasoning: Json): boolean {
  const summary = own(reasoning, "summary") ?? own(reasoning, "generate_summary") ?? null;
  return summary !== null && summary !== "none";
}

function applyEffort(draft: Draft): void {
  const reasoning = field(draft, "reasoning");
  const shows = showsSummary(reasoning);
  applyReasoning(draft, { effort: own(reasoning, "effort") ?? null, path: "reasoning.effort", shows });
  const thinking = draft.body.thinking;
  // A summary takes time to write; who did not ask for one does not wait for it.
  if (!shows && own(thinking, "type") === "adaptive") draft.body.thinking = { type: "adaptive" };
}

const ignore = (): void => undefined;

/** Rows for the answer and for state at OpenAI; the output cap first, as thinking depends on it. */
export const ANSWER_ROWS: readonly ParameterRow[] = [
  {
    field: "max_output_tokens",
    reads: ["max_output_tokens"],
    always: true,
    outcomes: ["M", "A"],
    becomes:
      "`max_tokens`; absent: the model's maximum, lowered by `default_max_tokens`; above the maximum: the maximum",
    apply: (draft) => applyOutputCap(draft, "max_output_tokens"),
  },
  ...["previous_response_id", "conversation"].map((name): ParameterRow => ({
    field: name,
    reads: [name],
    outcomes: ["R", "S"],
    becomes: "refused: answers are not stored; null has no effect",
    apply: refuseState(name, STATELESS),
  })),
  {
    field: "background",
    reads: ["background"],
    outcomes: ["R", "S"],
    becomes: "refused: there is nothing to ask for the answer later; false has no effect",
    apply: refuseState("background", "this model answers at once only; leave background out"),
  },
  {
    field: "prompt",
    reads: ["prompt"],
    outcomes: ["R", "S"],
    becomes: "refused: stored prompts are at OpenAI",
    apply: refuseState("prompt", "the prompt is stored at OpenAI, where this model cannot read it; send its text"),
  },
  {
    field: "stream, stream_options",
    reads: ["stream", "stream_options"],
    outcomes: ["M", "S"],
    becomes: "`stream`; `include_obfuscation` has no effect",
    apply: ignore,
  },
  {
    field: "include",
    reads: ["include"],
    outcomes: ["S", "R"],
    becomes:
      "encrypted reasoning is always given, other values have no effect; `message.output_text.logprobs` is refused: there are no such numbers",
    apply: applyInclude,
  },
  {
    field: "top_logprobs",
    reads: ["top_logprobs"],
    outcomes: ["S", "R"],
    becomes: "refused unless 0: there are no such numbers",
    apply: applyTopLogprobs,
  },
  {
    field: "truncation",
    reads: ["truncation"],
    outcomes: ["D", "S"],
    becomes: "`auto` is not sent: a conversation that is too long is refused; `disabled` has no effect",
    apply: applyTruncation,
  },
  {
    field: "max_tool_calls",
    reads: ["max_tool_calls"],
    outcomes: ["D", "S"],
    becomes: "not sent; null has no effect",
    apply: dropUnlessNull("max_tool_calls"),
  },
  {
    field: "client_metadata",
    reads: ["client_metadata"],
    outcomes: ["S"],
    becomes: "notes of the client for OpenAI, without effect on the answer",
    apply: ignore,
  },
];

/** The row for the answer's form; run after tools and tool choice, before reasoning. */
export const TEXT_ROWS: readonly ParameterRow[] = [
  {
    field: "text",
    reads: ["text"],
    outcomes: ["M", "A", "S"],
    becomes:
      "`format`: `output_config.format` for a schema that Claude can be held to, else a forced tool, else an instruction and a check of the answer; `json_object`: an instruction and a check; `verbosity`: a sentence at the end of the last system block",
    apply: applyText,
  },
];

/** The row for reasoning; run after tool choice and the answer's form. */
export const REASONING_ROWS: readonly ParameterRow[] = [
  {
    field: "reasoning",
    reads: ["reasoning"],
    outcomes: ["M", "A", "D"],
    becomes:
      "`effort`: `thinking` and `output_config.effort`, or a thinking budget on models that need one; a level the model lacks becomes the next lower one; `summary`: thinking is shown, of any length",
    apply: applyEffort,
  },
];
