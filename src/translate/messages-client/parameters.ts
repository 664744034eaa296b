/** The top-level parameters that both APIs take alike: rows that are run on every request and printed as documentation. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { sha256Hex } from "../../base/ids.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderResponseFormat } from "../maps/response-format.ts";
import { createTable, type Step } from "../parameter-table.ts";
import { withItem } from "../small-sets.ts";
import { cacheMarker, NO_MARKER, type Draft } from "./draft.ts";
import { drop, type ParameterRow } from "./parameter-row.ts";
import { markLastPart } from "./user.ts";

/** Longest `safety_identifier` that OpenAI takes. */
const MAX_IDENTIFIER_CHARS = 128;

/**
 * The output cap to send, at least `leastTokens`.
 * @throws GatewayError `invalid-request` when there is none, `unsupported-translation` for 0
 */
export function readMaxTokens(value: Json | undefined, leastTokens: number, draft: Draft): number {
  if (value === undefined) {
    throw invalidRequest("max_tokens is missing", "max_tokens", "missing_required_parameter");
  }
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw invalidRequest("max_tokens is not a whole number above 0", "max_tokens");
  }
  if (value === 0) {
    throw unsupported("max_tokens", "max_tokens: 0 only warms Anthropic's cache; ask for at least 1 token");
  }
  const { model, options } = draft.context;
  const isReasoning = draft.capabilities.reasoning === "effort";
  const wanted = Math.max(leastTokens, value + (isReasoning ? options.reasoningHeadroom : 0));
  const sent = Math.min(wanted, model.maxOutputTokens ?? wanted);
  if (sent < value || value < leastTokens) draft.report.adapt("max_tokens", String(sent));
  return sent;
}

/** The stop sequences of a request; none when it asks for none. */
export function readStops(value: Json | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!isArray(value) || !value.every(isString)) {
    throw invalidRequest("stop_sequences is not an array of strings", "stop_sequences");
  }
  return value.filter((stop) => stop !== "");
}

/** Leaves `stops` to be matched in the answer by the gateway. */
export function scanStops(stops: readonly string[], draft: Draft): void {
  if (stops.length === 0) return;
  draft.scannedStops = stops;
  draft.report.adapt("stop_sequences");
}

/**
 * OpenAI's schema format (name, schema, strict) for `output_config.format`, else `output_format`; null without. Without
 * strict decoding the model is only asked for the schema, and the answer is checked.
 * @throws GatewayError `invalid-request` for any other format
 */
export function readFormat(draft: Draft): JsonObject | null {
  const format = readFormatAt(own(own(draft.source, "output_config"), "format"), "output_config.format");
  const schemaFormat = format ?? readFormatAt(own(draft.source, "output_format"), "output_format");
  if (schemaFormat !== null && own(schemaFormat, "strict") !== true)
    draft.checks = withItem(draft.checks, "json_schema");
  return schemaFormat;
}

function readFormatAt(value: Json | undefined, path: string): JsonObject | null {
  if (value === undefined || value === null) return null;
  const schema = own(value, "schema");
  if (own(value, "type") !== "json_schema" || !isObject(schema)) {
    throw invalidRequest(`${path} is not known; use type json_schema with a schema`, path);
  }
  const named = own(renderResponseFormat(schema), "json_schema");
  return isObject(named) ? named : null;
}

/** Fields of `value` beside the known ones are dropped by name. */
function dropOthers(value: Json | undefined, path: string, known: readonly string[], draft: Draft): void {
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    if (!known.includes(key) && value[key] !== null) draft.report.drop(`${path}.${key}`);
  }
}

function applyUserId(value: Json | undefined, draft: Draft): void {
  if (!isString(value) || value === "") return;
  const hash = sha256Hex(value);
  draft.body["safety_identifier"] = value.length <= MAX_IDENTIFIER_CHARS ? value : hash;
  draft.body["prompt_cache_key"] = hash;
}

/** The model's name. */
export const MODEL_ROW: ParameterRow = {
  field: "model",
  always: true,
  outcomes: ["M"],
  becomes: "The model that the request was routed to.",
  apply: (_value, draft) => {
    draft.body["model"] = draft.context.modelId;
  },
};

/** The top-level cache marker, on `field` of the body. */
export const cacheRow = (field: "messages" | "input"): ParameterRow => ({
  field: "cache_control",
  outcomes: ["M", "S"],
  becomes: "`prompt_cache_breakpoint` on the last part, where the model takes them; other models cache by themselves.",
  apply: (value, draft) => {
    const marker = cacheMarker(value, draft);
    const messages = draft.body[field];
    if (marker !== NO_MARKER && isArray(messages)) {
      const marked = [...messages] as JsonObject[];
      markLastPart(marked, marker, draft.surface);
      draft.body[field] = marked;
    }
  },
});

/** After the rows of the API itself. */
export const LAST_ROWS: readonly ParameterRow[] = [
  {
    field: "output_config",
    outcomes: ["D"],
    becomes: "`task_budget` and any other field are not sent.",
    apply: (value, draft) => dropOthers(value, "output_config", ["effort", "format"], draft),
  },
  {
    field: "metadata.user_id",
    outcomes: ["M"],
    becomes: "`safety_identifier` (hashed over 128 characters) and, hashed, `prompt_cache_key`.",
    apply: applyUserId,
  },
  {
    field: "metadata",
    outcomes: ["D"],
    becomes: "Other fields are not sent.",
    apply: (value, draft) => dropOthers(value, "metadata", ["user_id"], draft),
  },
  {
    field: "service_tier",
    outcomes: ["M", "S"],
    becomes: "`standard_only` as `default`; `auto` is what happens anyway.",
    apply: (value, draft) => {
      if (value === "standard_only") draft.body["service_tier"] = "default";
      else if (value !== undefined && value !== "auto") draft.report.drop("service_tier");
    },
  },
  {
    field: "speed",
    outcomes: ["M", "D", "S"],
    becomes: "`fast` as `service_tier: fast` when `allow_fast` is set, else dropped; `standard` has no effect.",
    apply: (value, draft) => {
      if (value === undefined || value === "standard") return;
      if (value === "fast" && draft.context.options.allowFast) draft.body["service_tier"] = "fast";
      else draft.report.drop("speed");
    },
  },
  { field: "betas", outcomes: ["S"], becomes: "Not sent, nor is the header `anthropic-beta`.", apply: () => undefined },
  drop("context_management"),
  drop("fallbacks"),
  drop("fallback_credit_token"),
  drop("diagnostics"),
  drop("billing_policy"),
  drop("user_profile_id"),
  drop("workspace_id"),
];

/** A field, read by its path of keys; null counts as absent. */
function readField(json: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = json;
  for (const key of path) value = own(value, key);
  return value ?? undefined;
}

/** A table that runs on a draft. Top-level fields that no row knows are dropped. */
export function createParameters(rows: readonly ParameterRow[]): (draft: Draft) => void {
  const run = createTable([SYSTEM_STEP, ...rows.map(toStep)]);
  return (draft) => run(draft.json, draft);
}

function toStep({ field, reads, always = false, apply }: ParameterRow): Step<Draft> {
  const path = field.split(".");
  return {
    reads: reads ?? path.slice(0, 1),
    always,
    apply: (draft) => apply(readField(draft.json, path), draft),
  };
}

/** Instructions are written with the messages. */
const SYSTEM_STEP: Step<Draft> = { reads: ["system"], apply: () => undefined };
