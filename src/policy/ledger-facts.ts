/** The `facts` of a ledger line: all that a later replay needs to decide again, without any text or name of a person. */
import { isArray, isObject, isString, own } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { EFFORTS, FORMAT_NAMES, PROVIDER_NAMES } from "../base/names.ts";
import type { FormatName, ProviderName } from "../base/names.ts";
import { sha256 } from "../base/secret.ts";
import type { Facts } from "../wire/format.ts";
import type { Condition } from "./condition.ts";
import type { ConditionContext, PolicyInput } from "./context.ts";
import { BREAKER_STATES } from "./context.ts";
import { NO_OVERRIDES, readOverrides } from "./overrides.ts";
import type { Overrides } from "./overrides.ts";
import type { Policy } from "./policy.ts";
import { indexConditions } from "./rule-index.ts";
import type { FindAll } from "./rule-index.ts";
import { compact } from "./containers.ts";

/**
 * Facts of a request under `policy`, as its decision saw them. Absent and false ones are left out, but for those that every line has. `tested` holds
 * the outcome of each condition whose subject is not kept; see docs/observability.md.
 */
export function factsForLedger(policy: Policy, context: ConditionContext): JsonObject {
  const { input, model } = context;
  const { facts } = input;
  const recorded = recordedOf(policy);
  return compact({
    model,
    model_requested: model === facts.model ? undefined : facts.model,
    provider: context.provider ?? undefined,
    tokens_input: facts.tokensInput,
    max_tokens: facts.maxTokens ?? undefined,
    messages: facts.messages,
    tool_names: facts.toolNames.length === 0 ? undefined : facts.toolNames,
    tool_choice: facts.toolChoice ?? undefined,
    in_tool_loop: facts.inToolLoop || undefined,
    has_image: facts.hasImage || undefined,
    has_document: facts.hasDocument || undefined,
    has_audio: facts.hasAudio || undefined,
    response_format_type: facts.responseFormatType,
    reasoning: facts.reasoning || undefined,
    reasoning_effort: facts.reasoningEffort ?? undefined,
    has_cache_control: facts.hasCacheControl || undefined,
    key: input.key ?? undefined,
    client: input.client ?? undefined,
    provider_state: { ...input.providerState },
    overrides: Object.keys(input.overrides.values).length === 0 ? undefined : input.overrides.values,
    tested: testedOf(recorded, context),
    tested_ids: recorded.ids,
  });
}

/** Characters of conditions up to which a line lists every outcome. */
const MAX_LISTED_CHARS = 2048;
/** 36 bits of a condition's SHA-256: that one which was not tested is taken for one of a thousand that were has odds of 1 to 70 million. */
const ID_CHARS = 6;
/** Ids that are kept, so that a replay reckons each once. */
const MAX_IDS = 10_000;
const ids = new Map<string, string>();

function idOf(key: string): string {
  let id = ids.get(key);
  if (id === undefined) {
    id = Buffer.from(sha256(key)).toString("base64url").slice(0, ID_CHARS);
    if (ids.size >= MAX_IDS) ids.clear();
    ids.set(key, id);
  }
  return id;
}

/** Combinations of outcomes that are kept for each policy: clients may bring about any. */
const MAX_COMBINATIONS = 256;

/** What is kept of a policy's recorded conditions. */
interface Recorded {
  readonly conditions: readonly Condition[];
  /** The ids of all, one after the other; undefined: a line lists them all. */
  readonly ids: string | undefined;
  readonly find: FindAll;
  /** By the positions of those that hold. */
  readonly combinations: Map<string, JsonObject>;
}
const recordedBy = new WeakMap<Policy, Recorded>();

function recordedOf(policy: Policy): Recorded {
  const known = recordedBy.get(policy);
  if (known !== undefined) return known;
  const listsAll = policy.recorded.reduce((sum, { key }) => sum + key.length, 0) <= MAX_LISTED_CHARS;
  const conditions = listsAll ? policy.recorded : policy.recorded.filter(({ replayable }) => !replayable);
  const made: Recorded = {
    conditions,
    ids: listsAll ? undefined : conditions.map(({ key }) => idOf(key)).join(""),
    find: indexConditions(conditions),
    combinations: new Map(),
  };
  recordedBy.set(policy, made);
  return made;
}

/**
 * The outcomes of the recorded conditions: one object for all requests that have the same. Where there are many conditions, what is not listed
 * is as short as can be, as every line has it.
 */
function testedOf({ conditions, ids: idsOfAll, find, combinations }: Recorded, context: ConditionContext): JsonObject {
  const holding = find(context);
  const name = holding.length === 0 ? "" : holding.join();
  let tested = combinations.get(name);
  if (tested === undefined) {
    const held = holding.map((at) => conditions[at]?.key ?? "");
    const listed = idsOfAll === undefined ? conditions.map(({ key }) => key) : held;
    tested = Object.fromEntries(listed.map((key) => [key, held.includes(key)]));
    if (combinations.size < MAX_COMBINATIONS) combinations.set(name, tested);
  }
  return tested;
}

/** The outcome of a condition by a line's facts; null when it was not tested. */
function outcomeIn(facts: JsonObject, key: string): boolean | null {
  const outcome = own(own(facts, "tested"), key);
  if (typeof outcome === "boolean") return outcome;
  const asked = own(facts, "tested_ids");
  if (!isString(asked)) return null;
  const id = idOf(key);
  for (let at = asked.indexOf(id); at >= 0; at = asked.indexOf(id, at + 1)) if (at % ID_CHARS === 0) return false;
  return null;
}

const NO_HEADERS = new Headers();

/** What a ledger line says besides its facts. */
export interface LedgerLine {
  readonly id: string;
  readonly format: FormatName;
  readonly stream: boolean;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  readonly facts: JsonObject;
}

function word<const Word extends string>(words: readonly Word[], value: Json | undefined): Word | null {
  return words.find((known) => known === value) ?? null;
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function textOf(value: Json | undefined): string | null {
  return isString(value) ? value : null;
}

/** The overrides that shaped a recorded decision. */
function overridesFromLedger(values: Json | undefined): Overrides {
  if (!isObject(values)) return NO_OVERRIDES;
  const headers = Object.entries(values).filter((entry): entry is [string, string] => isString(entry[1]));
  return readOverrides(
    new Headers(headers.map(([name, value]): [string, string] => [`x-arouter-${name}`, value])),
    "all",
  );
}

/**
 * The input of a recorded decision. `providerOf` answers for models other than the one recorded.
 * @throws GatewayError `invalid-request` when the record's overrides are none
 */
export function inputFromLedger(line: LedgerLine, providerOf: (model: string) => ProviderName | null): PolicyInput {
  const { facts } = line;
  const model = textOf(own(facts, "model")) ?? "";
  const recordedProvider = word(PROVIDER_NAMES, own(facts, "provider"));
  const states = own(facts, "provider_state");
  return {
    facts: factsFromLedger(line),
    headers: NO_HEADERS,
    client: textOf(own(facts, "client")),
    key: textOf(own(facts, "key")),
    providerOf: (name) => (name === model && recordedProvider !== null ? recordedProvider : providerOf(name)),
    providerState: Object.fromEntries(
      PROVIDER_NAMES.flatMap((provider) => {
        const state = word(BREAKER_STATES, own(states, provider));
        return state === null ? [] : [[provider, state]];
      }),
    ),
    requestId: line.id,
    wallMs: line.wallMs,
    overrides: overridesFromLedger(own(facts, "overrides")),
    recall: (key) => outcomeIn(facts, key),
  };
}

function factsFromLedger({ facts, format, stream }: LedgerLine): Facts {
  const toolNames = own(facts, "tool_names");
  return {
    format: word(FORMAT_NAMES, format) ?? "chat",
    model: textOf(own(facts, "model_requested")) ?? textOf(own(facts, "model")) ?? "",
    stream,
    tokensInput: numberOf(own(facts, "tokens_input")) ?? 0,
    maxTokens: numberOf(own(facts, "max_tokens")),
    messages: numberOf(own(facts, "messages")) ?? 0,
    toolNames: isArray(toolNames) ? toolNames.filter(isString) : [],
    toolChoice: word(["auto", "none", "required", "named"], own(facts, "tool_choice")),
    inToolLoop: own(facts, "in_tool_loop") === true,
    hasImage: own(facts, "has_image") === true,
    hasDocument: own(facts, "has_document") === true,
    hasAudio: own(facts, "has_audio") === true,
    responseFormatType: word(["text", "json_object", "json_schema"], own(facts, "response_format_type")) ?? "text",
    jsonSchema: null,
    toolSchemas: new Map(),
    reasoning: own(facts, "reasoning") === true,
    reasoningEffort: word(EFFORTS, own(facts, "reasoning_effort")),
    hasCacheControl: own(facts, "has_cache_control") === true,
    metadata: {},
    user: null,
    systemText: "",
    promptText: "",
    choices: 1,
    replayable: true,
    streamUsage: true,
  };
}

/** Whether `facts` of a ledger line are complete enough to decide again. */
export function hasLedgerFacts(facts: Json | undefined): facts is JsonObject {
  return isObject(facts) && isString(own(facts, "model"));
}
