/** The answer validators by name. Each judges every choice of what the client would see. */
import type { ValidationResult } from "../base/events.ts";
import type { Json } from "../base/json.ts";
import type { ValidatorName } from "../base/names.ts";
import type { Facts, ReplyChoice, ReplyFacts, ReplyToolCall } from "../wire/format.ts";
import type { SchemaStore } from "./json-schema.ts";

/** What one validator says. `reason` carries no part of the answer; null on a pass. */
export interface Verdict {
  readonly result: ValidationResult;
  readonly reason: string | null;
}

export interface NamedVerdict extends Verdict {
  readonly validator: ValidatorName;
}

/** All validators together: `fail` if one failed, else `pass` if one passed, else `skipped`. */
export interface Judgement extends Verdict {
  readonly verdicts: readonly NamedVerdict[];
}

type ChoiceValidator = (choice: ReplyChoice, facts: Facts, schemas: SchemaStore) => Verdict;

const PASS: Verdict = { result: "pass", reason: null };
const fail = (reason: string): Verdict => ({ result: "fail", reason });
const skip = (reason: string): Verdict => ({ result: "skipped", reason });

const VALIDATORS: Readonly<Record<ValidatorName, ChoiceValidator>> = {
  json_schema: (choice, facts, schemas) => {
    if (facts.jsonSchema === null) return skip("the request asks for no schema");
    return unjudgedText(choice) ?? judgeJson(choice.text, facts.jsonSchema, schemas, "the text");
  },
  json: (choice, _facts, schemas) => unjudgedText(choice) ?? judgeJson(choice.text, null, schemas, "the text"),
  tool_arguments: (choice, facts, schemas) =>
    combine(choice.toolCalls.map((call) => judgeCall(call, facts, schemas))) ?? skip("the answer calls no tools"),
  non_empty: ({ text, toolCalls, refusal }) =>
    isBlank(text) && toolCalls.length === 0 && isBlank(refusal ?? "") ? fail("the answer is empty") : PASS,
  complete: ({ stop }) => (stop === "length" ? fail("the answer was cut by its length limit") : PASS),
  no_refusal: (choice) => (isRefusal(choice) ? fail("the answer is a refusal") : PASS),
};

/**
 * Judges a whole answer by the validators named.
 * An answer without any choice fails all but `tool_arguments` and `no_refusal`.
 */
export function judgeReply(
  names: readonly ValidatorName[],
  reply: ReplyFacts,
  facts: Facts,
  schemas: SchemaStore,
): Judgement {
  const choices = reply.choices.length > 0 ? reply.choices : [NOTHING];
  const verdicts = names.map((validator): NamedVerdict => {
    const judge = VALIDATORS[validator];
    const verdict = combine(choices.map((choice) => judge(choice, facts, schemas))) ?? skip("nothing to judge");
    return { validator, ...verdict };
  });
  const overall = combine(verdicts) ?? skip("no validator is on");
  return { result: overall.result, reason: overall.reason, verdicts };
}

const NOTHING: ReplyChoice = { text: "", toolCalls: [], refusal: null, stop: null };

/** The first failure, else a pass, else a skip; null of nothing. */
function combine(verdicts: readonly Verdict[]): Verdict | null {
  const pick = (result: ValidationResult): Verdict | undefined => verdicts.find((verdict) => verdict.result === result);
  return pick("fail") ?? pick("pass") ?? pick("skipped") ?? null;
}

/** Why the text of `choice` is not held against a format; null when it is. */
function unjudgedText(choice: ReplyChoice): Verdict | null {
  if (isRefusal(choice)) return skip("the answer is a refusal");
  if (choice.toolCalls.length > 0 && isBlank(choice.text)) return skip("the answer only calls tools");
  return null;
}

function isRefusal({ refusal, stop }: ReplyChoice): boolean {
  return !isBlank(refusal ?? "") || stop === "refusal";
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

function judgeCall(call: ReplyToolCall, facts: Facts, schemas: SchemaStore): Verdict {
  if (call.kind === "custom") return skip("a custom tool takes free text");
  if (!facts.toolNames.includes(call.name)) return fail("the answer calls a tool that was not offered");
  const schema = facts.toolSchemas.get(call.name) ?? null;
  const text = call.arguments === "" ? "{}" : call.arguments;
  return judgeJson(text, schema, schemas, `the arguments of the call to ${call.name}`);
}

/** Whether `text` is JSON, and valid by `schema` if there is one. `what` names it in the reason. */
function judgeJson(text: string, schema: Json | null, schemas: SchemaStore, what: string): Verdict {
  const parsed = parseJson(text);
  if (parsed === null) return fail(isBlank(text) ? `${what} is empty, JSON was asked for` : `${what} is not JSON`);
  if (schema === null) return PASS;
  const opened = schemas.open(schema);
  if (!opened.ok) return skip(opened.reason);
  const verdict = opened.validate(parsed.value);
  switch (verdict.result) {
    case "valid":
      return PASS;
    case "invalid":
      return fail(`${what} does not fit the schema: ${verdict.reason}`);
    case "not-validated":
      return skip(verdict.reason);
  }
}

function parseJson(text: string): { readonly value: Json } | null {
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return null;
  }
}
