/** The top-level parameters: one table that is run on every request and printed as documentation. */
import { REFUSED_ROWS } from "../messages-client/refusals.ts";
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
import { drop, type ParameterRow } from "../messages-client/parameter-row.ts";
import { applyToolChoice } from "../messages-client/tools.ts";
import { reasoningRows, type EffortField } from "../messages-client/reasoning.ts";
import { applyTools } from "./tools.ts";

/** Longest `stop` array that OpenAI takes. */
const MAX_STOPS = 4;

const EFFORT_FIELD: EffortField = {
  name: "`reasoning_effort`",
  set: (effort, draft) => {
    draft.body["reasoning_effort"] = effort;
  },
  read: (draft) => draft.body["reasoning_effort"] ?? null,
  isForced: (draft) => draft.body["tools"] !== undefined && draft.capabilities.toolsOnChat === "effort-none",
};

/** In the order in which they run: refusals before work, tools before effort, effort before sampling. */
export const PARAMETER_ROWS: readonly ParameterRow[] = [
  MODEL_ROW,
  ...REFUSED_ROWS,
  {
    field: "max_tokens",
    always: true,
    outcomes: ["M", "A", "R"],
    becomes:
      "`max_completion_tokens` (`max_tokens` on the oldest models), at most the model's maximum; `reasoning_headroom` is added on reasoning models. Missing or 0: refused.",
    apply: (value, draft) => {
      draft.body[draft.capabilities.outputCapField] = readMaxTokens(value, 1, draft);
    },
  },
  {
    field: "messages",
    always: true,
    outcomes: ["M"],
    becomes:
      "`messages`, instructions first, turn by turn (messages of one role in a row are one turn); see the rows below. An empty array is refused.",
    apply: (_value, draft) => {
      draft.body["messages"] = renderMessages(draft.source, draft);
    },
  },
  cacheRow("messages"),
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
  ...reasoningRows(EFFORT_FIELD),
  drop("top_k"),
  {
    field: "stop_sequences",
    outcomes: ["M", "A"],
    becomes: "`stop`; over 4 of them, or on a model that refuses it, the gateway matches them in the answer.",
    apply: (value, draft) => {
      const stops = readStops(value);
      if (!draft.capabilities.stop || stops.length > MAX_STOPS) scanStops(stops, draft);
      else if (stops.length > 0) draft.body["stop"] = stops;
    },
  },
  {
    field: "output_config.format",
    reads: ["output_config", "output_format"],
    outcomes: ["M"],
    becomes:
      "`response_format` with `strict: true` when the schema fits OpenAI's subset, else `false` and the gateway checks the answer.",
    apply: (_value, draft) => {
      const format = readFormat(draft);
      if (format !== null) draft.body["response_format"] = { type: "json_schema", json_schema: format };
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
    becomes: "The same, with `stream_options.include_usage`.",
    apply: (value, draft) => {
      if (value !== true) return;
      draft.body["stream"] = true;
      draft.body["stream_options"] = { include_usage: true };
    },
  },
  ...LAST_ROWS,
];

/** Runs the table. */
export const applyParameters = createParameters(PARAMETER_ROWS);
