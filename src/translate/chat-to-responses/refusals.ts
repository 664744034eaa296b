/** Parameters that ask for an answer of a kind that this model does not give. */
import { unsupported } from "../../base/errors.ts";
import { isArray, isObject } from "../../base/json.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";

function applyChoices(draft: Draft): void {
  const count = field(draft, "n");
  if (count !== null && count !== 1) {
    throw unsupported("n", "this model gives one answer a request; send n = 1, or several requests");
  }
}

function applyLogprobs(draft: Draft): void {
  const asked = field(draft, "logprobs");
  const top = field(draft, "top_logprobs");
  if ((asked === null || asked === false) && (top === null || top === 0)) return;
  throw unsupported("logprobs", "this model reports no log probabilities; leave logprobs out");
}

function applyLogitBias(draft: Draft): void {
  const value = field(draft, "logit_bias");
  if (value === null || (isObject(value) && Object.keys(value).length === 0)) return;
  throw unsupported("logit_bias", "this model takes no logit_bias; leave it out");
}

function applyModalities(draft: Draft): void {
  const modalities = field(draft, "modalities");
  if (isArray(modalities) && modalities.some((modality) => modality !== "text")) {
    throw unsupported("modalities", "this model answers in text only; leave modalities out");
  }
  if (field(draft, "audio") !== null) throw unsupported("audio", "this model gives no audio; leave audio out");
}

/** Refused unless they are empty. */
export const REFUSED_ROWS: readonly ParameterRow[] = [
  { field: "n", reads: ["n"], outcomes: ["S", "R"], becomes: "1 is the only count there is", apply: applyChoices },
  {
    field: "logprobs, top_logprobs",
    reads: ["logprobs", "top_logprobs"],
    outcomes: ["S", "R"],
    becomes: "refused unless false or 0: there are no such numbers",
    apply: applyLogprobs,
  },
  {
    field: "logit_bias",
    reads: ["logit_bias"],
    outcomes: ["S", "R"],
    becomes: "refused unless empty",
    apply: applyLogitBias,
  },
  {
    field: "modalities, audio",
    reads: ["modalities", "audio"],
    outcomes: ["S", "R"],
    becomes: "text only",
    apply: applyModalities,
  },
];
