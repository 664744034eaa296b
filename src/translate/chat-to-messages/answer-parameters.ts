/** Parameters of the answer: how long, how many, where it ends. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { isArray, isObject, isString, type Json } from "../../base/json.ts";
import { applyOutputCap, applyVerbosity } from "../messages-upstream/answer-length.ts";
import { field, numberField, type Draft, type ParameterRow } from "../messages-upstream/draft.ts";

function isAbsent(value: Json): boolean {
  return value === null || value === false;
}

function isEmptyObject(value: Json): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

function applyCap(draft: Draft): void {
  applyOutputCap(draft, field(draft, "max_completion_tokens") === null ? "max_tokens" : "max_completion_tokens");
}

function applyChoices(draft: Draft): void {
  const count = numberField(draft, "n");
  if (count !== null && count !== 1) {
    throw unsupported("n", "this model gives one answer a request; send n = 1, or several requests");
  }
}

function applyStop(draft: Draft): void {
  const value = field(draft, "stop");
  if (value === null) return;
  const entries = isString(value) ? [value] : value;
  if (!isArray(entries) || !entries.every(isString)) {
    throw invalidRequest("stop must be a string or an array of strings", "stop");
  }
  const filled = entries.filter((entry) => entry !== "");
  const sent = filled.filter((entry) => entry.trim() !== "");
  if (sent.length > 0) draft.body.stop_sequences = sent;
  if (sent.length < filled.length) {
    // Anthropic refuses sequences of white space only.
    draft.reply.scannedStops = filled.filter((entry) => entry.trim() === "");
    draft.report.adapt("stop");
  }
}

function applyStream(draft: Draft): void {
  const isStream = field(draft, "stream") === true;
  const streamOptions = field(draft, "stream_options");
  if (streamOptions !== null && !isStream) {
    throw invalidRequest("stream_options needs stream = true; set it or leave the options out", "stream_options");
  }
}

function applySeed(draft: Draft): void {
  if (field(draft, "seed") !== null) draft.report.drop("seed");
}

function dropUnlessZero(name: string): (draft: Draft) => void {
  return (draft) => {
    const value = field(draft, name);
    if (value !== null && value !== 0) draft.report.drop(name);
  };
}

function applyLogitBias(draft: Draft): void {
  const value = field(draft, "logit_bias");
  if (value === null || isEmptyObject(value)) return;
  throw unsupported("logit_bias", "token ids belong to another vendor's tokenizer; leave logit_bias out");
}

function applyLogprobs(draft: Draft): void {
  if (!isAbsent(field(draft, "logprobs"))) {
    throw unsupported("logprobs", "this model reports no log probabilities; leave logprobs out");
  }
  const top = field(draft, "top_logprobs");
  if (top !== null && top !== 0) {
    throw unsupported("top_logprobs", "this model reports no log probabilities; leave top_logprobs out");
  }
}

function applyModalities(draft: Draft): void {
  const modalities = field(draft, "modalities");
  const asksAudio = isArray(modalities) && modalities.some((modality) => modality !== "text");
  if (asksAudio) throw unsupported("modalities", "this model answers in text only; leave modalities out");
  if (field(draft, "audio") !== null) {
    throw unsupported("audio", "this model gives no audio; leave audio out");
  }
}

/** Rows for the answer; the output cap first, as thinking depends on it. */
export const ANSWER_ROWS: readonly ParameterRow[] = [
  {
    field: "max_completion_tokens, max_tokens",
    reads: ["max_completion_tokens", "max_tokens"],
    always: true,
    outcomes: ["M", "A"],
    becomes:
      "`max_tokens`; `max_completion_tokens` wins; absent: the model's maximum, lowered by `default_max_tokens`; above the maximum: the maximum",
    apply: applyCap,
  },
  { field: "n", reads: ["n"], outcomes: ["S", "R"], becomes: "1 is the only count there is", apply: applyChoices },
  {
    field: "stop",
    reads: ["stop"],
    outcomes: ["M", "A"],
    becomes: "`stop_sequences` without empty entries; entries of white space only are found by the gateway",
    apply: applyStop,
  },
  {
    field: "stream, stream_options",
    reads: ["stream", "stream_options"],
    outcomes: ["M", "S", "R"],
    becomes: "`stream`; usage is made by the gateway; `include_obfuscation` has no effect; options need `stream`",
    apply: applyStream,
  },
  {
    field: "verbosity",
    reads: ["verbosity"],
    outcomes: ["A", "S"],
    becomes: "a sentence at the end of the last system block; `medium` has no effect",
    apply: (draft) => applyVerbosity(draft, field(draft, "verbosity"), "verbosity"),
  },
  {
    field: "seed",
    reads: ["seed"],
    outcomes: ["D", "S"],
    becomes: "not sent; null has no effect",
    apply: applySeed,
  },
  ...["presence_penalty", "frequency_penalty"].map((name): ParameterRow => ({
    field: name,
    reads: [name],
    outcomes: ["D", "S"],
    becomes: "not sent; 0 has no effect",
    apply: dropUnlessZero(name),
  })),
  {
    field: "logit_bias",
    reads: ["logit_bias"],
    outcomes: ["S", "R"],
    becomes: "refused unless empty: token ids belong to another tokenizer",
    apply: applyLogitBias,
  },
  {
    field: "logprobs, top_logprobs",
    reads: ["logprobs", "top_logprobs"],
    outcomes: ["S", "R"],
    becomes: "refused unless false or 0: there are no such numbers",
    apply: applyLogprobs,
  },
  {
    field: "modalities, audio",
    reads: ["modalities", "audio"],
    outcomes: ["S", "R"],
    becomes: "text only",
    apply: applyModalities,
  },
];
