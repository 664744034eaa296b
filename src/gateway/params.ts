/** `params` of a rule as edits of the body that is sent. */
import type { FormatName } from "../base/names.ts";
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import type { ParamsBlock } from "../policy/decision.ts";
import type { FieldEdit } from "../wire/splice.ts";

/** Where a field stands: at the top of the body, or under `key` of an object there. */
interface Place {
  readonly field: string;
  readonly key?: string;
}

/**
 * OpenAI's two APIs name some fields differently, and a rule does not know on which of them its target is asked: Chat's names
 * are understood on Responses too.
 * @see https://platform.openai.com/docs/guides/migrate-to-responses (read 2026-11-24)
 */
const ON_RESPONSES: Readonly<Record<string, Place>> = {
  max_tokens: { field: "max_output_tokens" },
  max_completion_tokens: { field: "max_output_tokens" },
  reasoning_effort: { field: "reasoning", key: "effort" },
  verbosity: { field: "text", key: "verbosity" },
  response_format: { field: "text", key: "format" },
};

/** Fields of Chat that Responses refuses: a rule that sets one has no effect there. */
const NOT_ON_RESPONSES: ReadonlySet<string> = new Set([
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "n",
  "prediction",
  "presence_penalty",
  "seed",
  "stop",
]);

/** The least `max_output_tokens` that Responses takes. */
const LEAST_OUTPUT_TOKENS = 16;

function placeOf(name: string, surface: FormatName): Place | null {
  if (surface !== "responses") return { field: name };
  if (NOT_ON_RESPONSES.has(name)) return null;
  return Object.hasOwn(ON_RESPONSES, name) ? (ON_RESPONSES[name] ?? null) : { field: name };
}

/** `value` as the place takes it. */
function fit(value: Json, { field, key }: Place): Json {
  if (field === "max_output_tokens" && typeof value === "number") return Math.max(LEAST_OUTPUT_TOKENS, value);
  const schema = own(value, "json_schema");
  return key === "format" && isObject(schema) ? { ...schema, type: "json_schema" } : value;
}

function isEmpty(record: Readonly<Record<string, unknown>>): boolean {
  for (const _ in record) return false;
  return true;
}

/** Whether `params` would change nothing. */
export function isEmptyParams({ set, cap, drop }: ParamsBlock): boolean {
  return drop.length === 0 && isEmpty(set) && isEmpty(cap);
}

/** Of each block: set, then caps over what is there, then drops. `json` is the body before them. */
export function paramEdits(
  blocks: readonly ParamsBlock[],
  json: Readonly<Record<string, Json>>,
  surface: FormatName,
): readonly FieldEdit[] {
  const edited = new Map<string, Json | undefined>();
  const current = (field: string): Json | undefined => (edited.has(field) ? edited.get(field) : own(json, field));
  const read = ({ field, key }: Place): Json | undefined => {
    const value = current(field);
    return key === undefined ? value : own(value, key);
  };
  /** `undefined` takes the value out, and with it an object that it leaves empty. */
  const write = (place: Place, value: Json | undefined): void => {
    const { field, key } = place;
    if (key === undefined) {
      edited.set(field, value);
      return;
    }
    const holder = current(field);
    const { [key]: _before, ...rest }: JsonObject = isObject(holder) ? holder : {};
    const next: JsonObject = value === undefined ? rest : { ...rest, [key]: value };
    edited.set(field, Object.keys(next).length === 0 ? undefined : next);
  };

  for (const { set, cap: caps, drop } of blocks) {
    for (const [name, value] of Object.entries(set)) {
      const place = placeOf(name, surface);
      if (place !== null) write(place, fit(value, place));
    }
    for (const [name, cap] of Object.entries(caps)) {
      const place = placeOf(name, surface);
      if (place === null) continue;
      const value = read(place);
      if (typeof value !== "number" || value > cap) write(place, fit(cap, place));
    }
    for (const name of drop) {
      const place = placeOf(name, surface);
      if (place !== null && read(place) !== undefined) write(place, undefined);
    }
  }
  return [...edited].map(([field, value]) => (value === undefined ? { field, drop: true } : { field, value }));
}
