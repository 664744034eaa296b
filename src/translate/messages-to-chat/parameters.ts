/** The top-level parameters: one table that is run on every request and printed as documentation. */
import { invalidRequest, unsupported } from "../../base/errors.ts";
import { sha256Hex } from "../../base/ids.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { renderResponseFormat } from "../maps/response-format.ts";
import { cacheMarker, type Draft } from "./draft.ts";
import { renderMessages } from "./messages.ts";
import { drop, type ParameterRow } from "./parameter-row.ts";
import { REASONING_ROWS } from "./reasoning.ts";
import { REFUSED_ROWS } from "./refusals.ts";
import { applyToolChoice, applyTools } from "./tools.ts";
import { markLastPart } from "./user.ts";

/** Longest `stop` array and `safety_identifier` that OpenAI takes. */
const MAX_STOPS = 4;
const MAX_IDENTIFIER_CHARS = 128;

function applyMaxTokens(value: Json | undefined, draft: Draft): void {
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
  const wanted = value + (isReasoning ? options.reasoningHeadroom : 0);
  const sent = Math.min(wanted, model.maxOutputTokens ?? wanted);
  if (sent < value) draft.report.adapt("max_tokens", String(sent));
  draft.body[draft.capabilities.outputCapField] = sent;
}

function applyStops(value: Json | undefined, draft: Draft): void {
  if (value === undefined) return;
  if (!isArray(value) || !value.every(isString)) {
    throw invalidRequest("stop_sequences is not an array of strings", "stop_sequences");
  }
  const stops = value.filter((stop) => stop !== "");
  if (stops.length === 0) return;
  if (draft.capabilities.stop && stops.length <= MAX_STOPS) {
    draft.body["stop"] = stops;
  } else {
    draft.scannedStops = stops;
    draft.report.adapt("stop_sequences");
  }
}

function applyFormat(value: Json | undefined, path: string, draft: Draft): void {
  if (value === undefined) return;
  const schema = own(value, "schema");
  if (own(value, "type") !== "json_schema" || !isObject(schema)) {
    throw invalidRequest(`${path} is not known; use type json_schema with a schema`, path);
  }
  const format = renderResponseFormat(schema);
  draft.body["response_format"] = format;
  // Without strict decoding the model is only asked for the schema; the caller was promised it.
  if (own(own(format, "json_schema"), "strict") !== true) draft.checks.add("json_schema");
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

/** In the order in which they run: refusals before work, tools before effort, effort before sampling. */
export const PARAMETER_ROWS: readonly ParameterRow[] = [
  {
    field: "model",
    outcomes: ["M"],
    becomes: "The model that the request was routed to.",
    apply: (_value, draft) => {
      draft.body["model"] = draft.context.modelId;
    },
  },
  ...REFUSED_ROWS,
  {
    field: "max_tokens",
    outcomes: ["M", "A", "R"],
    becomes:
      "`max_completion_tokens` (`max_tokens` on the oldest models), at most the model's maximum; `reasoning_headroom` is added on reasoning models. Missing or 0: refused.",
    apply: applyMaxTokens,
  },
  {
    field: "messages",
    outcomes: ["M"],
    becomes:
      "`messages`, instructions first, turn by turn (messages of one role in a row are one turn); see the rows below. An empty array is refused.",
    apply: (_value, draft) => {
      draft.body["messages"] = renderMessages(draft.source, draft);
    },
  },
  {
    field: "cache_control",
    outcomes: ["M", "S"],
    becomes:
      "`prompt_cache_breakpoint` on the last part, where the model takes them; other models cache by themselves.",
    apply: (value, draft) => {
      const marker = cacheMarker(value, draft);
      const messages = draft.body["messages"];
      if (Object.keys(marker).length > 0 && isArray(messages)) markLastPart(messages as JsonObject[], marker);
    },
  },
  {
    field: "tools",
    outcomes: ["M", "A", "D", "R"],
    becomes:
      "Function tools; see the rows below. Models that take tools on Chat only without reasoning are sent `reasoning_effort: none`, models that take none refuse.",
    apply: (_value, draft) => applyTools(draft),
  },
  {
    field: "tool_choice",
    outcomes: ["M", "D"],
    becomes: "`auto`, `any` as `required`, `tool` as the named function, `none`; dropped when there are no tools.",
    apply: applyToolChoice,
  },
  ...REASONING_ROWS,
  drop("top_k"),
  {
    field: "stop_sequences",
    outcomes: ["M", "A"],
    becomes: "`stop`; over 4 of them, or on a model that refuses it, the gateway matches them in the answer.",
    apply: applyStops,
  },
  {
    field: "output_config.format",
    outcomes: ["M"],
    becomes:
      "`response_format` with `strict: true` when the schema fits OpenAI's subset, else `false` and the gateway checks the answer.",
    apply: (_value, draft) =>
      applyFormat(own(own(draft.source, "output_config"), "format") ?? undefined, "output_config.format", draft),
  },
  {
    field: "output_format",
    outcomes: ["M"],
    becomes: "As `output_config.format`, which wins.",
    apply: (_value, draft) => {
      if (draft.body["response_format"] !== undefined) return;
      applyFormat(own(draft.source, "output_format") ?? undefined, "output_format", draft);
    },
  },
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
  {
    field: "stream",
    outcomes: ["M"],
    becomes: "The same, with `stream_options.include_usage`.",
    apply: (value, draft) => {
      if (value !== true) return;
      draft.body["stream"] = true;
      draft.body["stream_options"] = { include_usage: true };
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

const KNOWN: ReadonlySet<string> = new Set([
  "system",
  ...PARAMETER_ROWS.map((row) => row.field.split(".", 1)[0] ?? row.field),
]);

function readField(json: JsonObject, field: string): Json | undefined {
  let value: Json | undefined = json;
  for (const key of field.split(".")) value = own(value, key);
  return value ?? undefined;
}

/** Runs the table on the draft's request; top-level fields that no row knows are dropped. */
export function applyParameters(draft: Draft): void {
  for (const row of PARAMETER_ROWS) row.apply(readField(draft.json, row.field), draft);
  for (const key of Object.keys(draft.json)) {
    if (!KNOWN.has(key) && draft.json[key] !== null) draft.report.drop(key);
  }
}
