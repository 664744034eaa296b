/** The top-level parameters: one table that is run on every request and printed as documentation. */
import { isObject, own, type Json } from "../../base/json.ts";
import { renderMessages } from "../messages-client/messages.ts";
import {
  cacheRow,
  createParameters,
  LAST_ROWS,
  MODEL_ROW,
  readFormat,
  readMaxTokens,
  readStops,
  scanStops,
} from "../messages-client/parameters.ts";
import type { Draft } from "../messages-client/draft.ts";
import { drop, type ParameterRow } from "../messages-client/parameter-row.ts";
import { reasoningRows, type EffortField } from "../messages-client/reasoning.ts";
import { REFUSED_ROWS } from "../messages-client/refusals.ts";
import { applyToolChoice } from "../messages-client/tools.ts";
import { applyTools, SEARCH_INCLUDE, searchesWeb } from "./tools.ts";

/**
 * The least `max_output_tokens`.
 * @see https://platform.openai.com/docs/api-reference/responses/create#responses-create-max_output_tokens (read 2026-11-24)
 */
const LEAST_OUTPUT_TOKENS = 16;

function effortOf(draft: Draft): Json | null {
  return own(draft.body["reasoning"], "effort") ?? null;
}

const EFFORT_FIELD: EffortField = {
  name: "`reasoning.effort`",
  set: (effort, draft) => {
    draft.body["reasoning"] = { effort };
  },
  read: effortOf,
  isForced: () => false,
};

/** Asks for a summary of the reasoning where the caller would be shown Claude's thinking. */
function applySummary(value: Json | undefined, draft: Draft): void {
  const type = own(own(draft.json, "thinking"), "type");
  const isOn = type === "enabled" || type === "adaptive";
  if (!isOn || value === "omitted" || draft.capabilities.reasoning !== "effort" || effortOf(draft) === "none") return;
  if (!draft.context.options.reasoningSummary) {
    if (value === "summarized") draft.report.drop("thinking.display");
    return;
  }
  const asked = draft.body["reasoning"];
  draft.body["reasoning"] = { ...(isObject(asked) ? asked : {}), summary: "auto" };
}

/** In the order in which they run: refusals before work, tools before effort, effort before sampling. */
export const PARAMETER_ROWS: readonly ParameterRow[] = [
  MODEL_ROW,
  ...REFUSED_ROWS,
  {
    field: "max_tokens",
    always: true,
    outcomes: ["M", "A", "R"],
    becomes:
      "`max_output_tokens`, at least 16 and at most the model's maximum; `reasoning_headroom` is added on reasoning models. Missing or 0: refused.",
    apply: (value, draft) => {
      draft.body["max_output_tokens"] = readMaxTokens(value, LEAST_OUTPUT_TOKENS, draft);
    },
  },
  {
    field: "messages",
    always: true,
    outcomes: ["M"],
    becomes:
      "`input`, instructions first, turn by turn (messages of one role in a row are one turn); see the rows below. An empty array is refused.",
    apply: (_value, draft) => {
      draft.body["input"] = renderMessages(draft.source, draft);
    },
  },
  cacheRow("input"),
  {
    field: "tools",
    outcomes: ["M", "A", "D", "R"],
    becomes: "Function tools and `web_search`; see the rows below.",
    apply: (_value, draft) => applyTools(draft),
  },
  {
    field: "tool_choice",
    outcomes: ["M", "D"],
    becomes: "`auto`, `any` as `required`, `tool` as the named function, `none`; dropped when there are no tools.",
    apply: applyToolChoice,
  },
  ...reasoningRows(EFFORT_FIELD),
  {
    field: "thinking.display",
    outcomes: ["M", "D"],
    becomes:
      'With thinking on, `reasoning.summary: auto` unless it is `omitted`; not asked for with `reasoning_summary = "off"`, or once the provider has refused it.',
    apply: applySummary,
  },
  drop("top_k"),
  {
    field: "stop_sequences",
    outcomes: ["A"],
    becomes: "Responses has none: the gateway matches them in the answer.",
    apply: (value, draft) => scanStops(readStops(value), draft),
  },
  {
    field: "output_config.format",
    reads: ["output_config", "output_format"],
    outcomes: ["M"],
    becomes:
      "`text.format` with `strict: true` when the schema fits OpenAI's subset, else `false` and the gateway checks the answer.",
    apply: (_value, draft) => {
      const format = readFormat(draft);
      if (format !== null) draft.body["text"] = { format: { type: "json_schema", ...format } };
    },
  },
  {
    field: "output_format",
    outcomes: ["M"],
    becomes: "As `output_config.format`, which wins.",
    apply: () => undefined,
  },
  {
    field: "stream",
    outcomes: ["M"],
    becomes: "The answer is always streamed to the gateway, which puts it together for a caller that does not stream.",
    apply: () => undefined,
  },
  ...LAST_ROWS,
];

const run = createParameters(PARAMETER_ROWS);

/** Runs the table, then asks for a stream that leaves nothing behind at the provider. */
export function applyParameters(draft: Draft): void {
  run(draft);
  const include = [
    ...(draft.capabilities.reasoning === "effort" ? ["reasoning.encrypted_content"] : []),
    ...(searchesWeb(draft) ? [SEARCH_INCLUDE] : []),
  ];
  if (include.length > 0) draft.body["include"] = include;
  draft.body["store"] = false;
  draft.body["truncation"] = "disabled";
  draft.body["stream"] = true;
}
