/** The top-level parameters: one table that is run on every request and printed as documentation. */
import { invalidRequest } from "../../base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { nearestEffort, parseEffort } from "../maps/reasoning.ts";
import { createTable } from "../parameter-table.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";
import { renderInput } from "./input.ts";
import { REFUSED_ROWS } from "./refusals.ts";
import { TOOL_ROWS } from "./tools.ts";

/** The least `max_output_tokens`. */
const LEAST_OUTPUT_TOKENS = 16;

function applyOutputCap(draft: Draft): void {
  const name = field(draft, "max_completion_tokens") === null ? "max_tokens" : "max_completion_tokens";
  const wanted = field(draft, name);
  if (wanted === null) return;
  if (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < 1) {
    throw invalidRequest(`${name} is not a whole number above 0`, name);
  }
  const sent = Math.min(Math.max(wanted, LEAST_OUTPUT_TOKENS), draft.context.model.maxOutputTokens ?? Infinity);
  if (sent !== wanted) draft.report.adapt(name, String(sent));
  draft.body["max_output_tokens"] = sent;
}

function applyStop(draft: Draft): void {
  const value = field(draft, "stop");
  if (value === null) return;
  const entries = isString(value) ? [value] : value;
  if (!isArray(entries) || !entries.every(isString)) {
    throw invalidRequest("stop must be a string or an array of strings", "stop");
  }
  draft.reply.stops = entries.filter((entry) => entry !== "");
  if (draft.reply.stops.length > 0) draft.report.adapt("stop");
}

function applyStream(draft: Draft): void {
  const options = field(draft, "stream_options");
  if (options === null) return;
  if (field(draft, "stream") !== true) {
    throw invalidRequest("stream_options needs stream = true; set it or leave the options out", "stream_options");
  }
  draft.reply.includeUsage = own(options, "include_usage") === true;
  const obfuscation = own(options, "include_obfuscation");
  if (typeof obfuscation === "boolean") draft.body["stream_options"] = { include_obfuscation: obfuscation };
}

function applyEffort(draft: Draft): void {
  const asked = field(draft, "reasoning_effort");
  if (asked === null) return;
  const effort = parseEffort(asked);
  if (effort === null) {
    throw invalidRequest(
      "reasoning_effort is not known; use none, minimal, low, medium, high, xhigh or max",
      "reasoning_effort",
    );
  }
  const sent = nearestEffort(effort, draft.capabilities.efforts);
  if (sent === null) {
    if (effort !== "none") draft.report.drop("reasoning_effort");
    return;
  }
  if (sent !== effort) draft.report.adapt("reasoning_effort", sent);
  draft.body["reasoning"] = { effort: sent };
}

/** Whether the caller looks for reasoning in the answer, by the extensions that other gateways know. */
function wantsReasoning(draft: Draft): boolean {
  return field(draft, "include_reasoning") === true || isObject(field(draft, "reasoning"));
}

function applySummary(draft: Draft): void {
  if (!wantsReasoning(draft) || draft.capabilities.reasoning !== "effort") return;
  const reasoning = draft.body["reasoning"];
  if (!draft.context.options.reasoningSummary || own(reasoning, "effort") === "none") return;
  draft.body["reasoning"] = { ...(isObject(reasoning) ? reasoning : {}), summary: "auto" };
}

function applySampling(name: string): (draft: Draft) => void {
  return (draft) => {
    const value = field(draft, name);
    if (value === null) return;
    const { sampling, defaultEffort } = draft.capabilities;
    const effort = own(draft.body["reasoning"], "effort") ?? defaultEffort;
    if (sampling === "effort-none" ? effort === "none" : sampling !== "no") draft.body[name] = value;
    else if (value !== 1) draft.report.drop(name);
  };
}

function renderFormat(format: Json): JsonObject | null {
  if (own(format, "type") !== "json_schema") return isObject(format) ? { type: own(format, "type") ?? "text" } : null;
  const named = own(format, "json_schema");
  const copied: Record<string, Json> = {};
  for (const key of ["name", "description", "schema", "strict"]) {
    const value = own(named, key);
    if (value !== undefined && value !== null) copied[key] = value;
  }
  return { type: "json_schema", ...copied };
}

function applyText(draft: Draft): void {
  const format = renderFormat(own(draft.source, "response_format") ?? null);
  const verbosity = field(draft, "verbosity");
  if (format === null && verbosity === null) return;
  draft.body["text"] = { ...(format === null ? {} : { format }), ...(isString(verbosity) ? { verbosity } : {}) };
}

/** A field that is not sent; null, false and 0 have no effect. */
function dropped(name: string): ParameterRow {
  return {
    field: name,
    reads: [name],
    outcomes: ["D", "S"],
    becomes: "not sent; null, false and 0 have no effect",
    apply: (draft) => {
      const value = field(draft, name);
      if (value !== null && value !== false && value !== 0) draft.report.drop(name);
    },
  };
}

/** Fields of the same name and meaning. */
const COPIED = [
  "service_tier",
  "metadata",
  "moderation",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
] as const;

/** In the order in which they run: the effort before the sampling that depends on it. */
export const PARAMETER_ROWS: readonly ParameterRow[] = [
  {
    field: "model, messages",
    reads: ["model", "messages"],
    always: true,
    outcomes: ["M", "R"],
    becomes: "`model` as routed; `messages` as `input` by the rows below; an empty array is refused",
    apply: (draft) => {
      draft.body["model"] = draft.context.modelId;
      draft.body["input"] = renderInput(draft);
    },
  },
  {
    field: "max_completion_tokens, max_tokens",
    reads: ["max_completion_tokens", "max_tokens"],
    outcomes: ["M", "A"],
    becomes: "`max_output_tokens`, at least 16 and at most the model's maximum; `max_completion_tokens` wins",
    apply: applyOutputCap,
  },
  {
    field: "stop",
    reads: ["stop"],
    outcomes: ["A"],
    becomes: "Responses has none: the gateway matches them in the answer",
    apply: applyStop,
  },
  {
    field: "stream, stream_options",
    reads: ["stream", "stream_options"],
    outcomes: ["M", "R"],
    becomes: "the answer is always streamed to the gateway; `include_obfuscation` the same; options need `stream`",
    apply: applyStream,
  },
  ...TOOL_ROWS,
  {
    field: "reasoning_effort",
    reads: ["reasoning_effort"],
    outcomes: ["M", "A", "D"],
    becomes: "`reasoning.effort`, the nearest lower level the model has; dropped on models that do not reason",
    apply: applyEffort,
  },
  {
    field: "reasoning, include_reasoning",
    reads: ["reasoning", "include_reasoning"],
    outcomes: ["M", "S"],
    becomes: "`reasoning.summary: auto`, shown in `reasoning_content` (extension); without it none is asked for",
    apply: applySummary,
  },
  ...["temperature", "top_p"].map((name): ParameterRow => ({
    field: name,
    reads: [name],
    outcomes: ["M", "D", "S"],
    becomes: "the same; dropped on models that refuse it, where 1, the default, has no effect",
    apply: applySampling(name),
  })),
  {
    field: "response_format, verbosity",
    reads: ["response_format", "verbosity"],
    outcomes: ["M"],
    becomes: "`text.format` and `text.verbosity`",
    apply: applyText,
  },
  ...REFUSED_ROWS,
  ...COPIED.map((name): ParameterRow => ({
    field: name,
    reads: [name],
    outcomes: ["M"],
    becomes: "the same",
    apply: (draft) => {
      const value = field(draft, name);
      if (value !== null) draft.body[name] = value;
    },
  })),
  ...["store", "seed", "prediction", "presence_penalty", "frequency_penalty"].map(dropped),
];

const run = createTable(PARAMETER_ROWS);

/** Runs the table; fields that no row knows are dropped. Then asks for a stream that leaves nothing at the provider. */
export function applyParameters(draft: Draft): void {
  run(draft.json, draft);
  if (draft.capabilities.reasoning === "effort") draft.body["include"] = ["reasoning.encrypted_content"];
  draft.body["store"] = false;
  draft.body["truncation"] = "disabled";
  draft.body["stream"] = true;
}
