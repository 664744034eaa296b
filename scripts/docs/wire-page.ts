/** docs/wire.md: what becomes of each field, from the tables and maps that the translators themselves use. */
import { ERROR_KINDS, GatewayError, type ErrorKind } from "../../src/base/errors.ts";
import { isObject, type Json, type JsonObject } from "../../src/base/json.ts";
import type { FormatName } from "../../src/base/names.ts";
import { finishReason, stopFields, type StopFacts } from "../../src/translate/maps/stop-reason.ts";
import { chatUsageFromMessages, messagesUsageFromChat } from "../../src/translate/maps/usage.ts";
import { TRANSLATORS } from "../../src/translate/table.ts";
import type { FieldRow, Translator } from "../../src/translate/translator.ts";
import { renderError } from "../../src/wire/anthropic-messages/errors.ts";

const INTRODUCTION = `# Translation between the APIs

<!-- Written by scripts/docs.ts from src/translate. Change that and run \`bun scripts/docs.ts\`. -->

A request in one provider's format may name a model of the other: \`/v1/chat/completions\` or \`/v1/responses\` with a Claude
model, \`/v1/messages\` with a GPT model. It is then translated, and so is the answer, streamed or not. This page says what
becomes of each field.

Where client and provider speak the same format nothing is translated: the bytes pass through, and only the model's name and
what a rule declares (\`params\`, \`feedback\`) are changed in them.

## Which API of OpenAI is called

OpenAI's current reasoning models think and call tools together on Responses only; on Chat Completions they refuse tools.

| the client speaks | the model | called |
| --- | --- | --- |
| Chat Completions | the one it names | Chat Completions, unchanged |
| Chat Completions | another one (rule, chain, alias, header) | Chat Completions; Responses where the model refuses the request's tools there |
| Responses | any of OpenAI's | Responses, unchanged |
| Messages | one that reasons | Responses |
| Messages | any other | Chat Completions |

\`surface = "chat"\` under \`[providers.openai]\` keeps translated requests to Chat Completions, for hosts that have nothing else;
tools then cost the newer models their reasoning. \`x-arouter-upstream-format\` tells which API answered.

Reasoning goes back to the model that made it: encrypted, in the \`signature\` of thinking blocks (Messages) or in
\`reasoning_details\` (Chat). Another model is not sent it.

## How a loss is told

Each field has one or more outcomes, by its value and by what the target model can do:

| outcome | meaning | told in |
| --- | --- | --- |
| mapped | carried with its meaning | |
| adapted | carried in another way, which may be weaker | \`x-arouter-adapted\` |
| dropped | not sent; the answer may differ | \`x-arouter-dropped\` |
| no effect | not sent, and the answer is the same without it | |
| refused | the meaning would change: 400 \`unsupported-translation\` that names the field; the provider is not called | the error |

The two headers hold JSON paths, joined by \`, \`. They are on streams too, as all of this is known before the answer begins.
\`x-arouter-strict: 1\` on a request, or \`strict = true\` under \`[translation]\`, refuses whatever would be dropped or adapted.
The other keys of \`[translation]\` are in [configuration.md](configuration.md).

Fields marked *extension* are not the client's API: they carry what only the other provider has, for clients that look for it.
`;

const FORMATS: Readonly<Record<FormatName, string>> = {
  chat: "Chat Completions",
  messages: "Messages",
  responses: "Responses",
};

const PROVIDERS: Readonly<Record<FormatName, string>> = {
  chat: "an OpenAI model (Chat Completions)",
  messages: "a Claude model",
  responses: "an OpenAI model (Responses)",
};

const OUTCOMES: Readonly<Record<FieldRow["outcomes"][number], string>> = {
  M: "mapped",
  A: "adapted",
  D: "dropped",
  S: "no effect",
  R: "refused",
};

/** Sections of one direction, by the word that begins a row's field; the rest are the request's. */
const PARTS = [
  { prefix: "", title: "Request", first: "field" },
  { prefix: "answer: ", title: "Answer", first: "field of the answer" },
  { prefix: "stream: ", title: "Stream", first: "upstream event" },
  { prefix: "error: ", title: "Errors of the provider", first: "answer of the provider" },
] as const;

export function renderWirePage(): string {
  return [
    INTRODUCTION,
    ...TRANSLATORS.flatMap(renderDirection),
    ...renderStopReasons(),
    ...renderUsage(),
    ...renderGatewayErrors(),
  ].join("\n");
}

function renderDirection(pair: Translator): readonly string[] {
  const lines = [`## From ${FORMATS[pair.client]} to ${PROVIDERS[pair.upstream]}`, ""];
  for (const { prefix, title, first } of PARTS) {
    const rows = pair.rows.filter(({ field }) => partOf(field) === prefix);
    if (rows.length === 0) continue;
    lines.push(
      `### ${title}`,
      "",
      ...table(
        [first, "outcome", "what becomes of it"],
        rows.map((row) => renderRow(row, prefix)),
      ),
      "",
    );
  }
  return lines;
}

function partOf(field: string): string {
  return PARTS.find(({ prefix }) => prefix !== "" && field.startsWith(prefix))?.prefix ?? "";
}

function renderRow({ field, outcomes, becomes }: FieldRow, prefix: string): readonly string[] {
  return [code(field.slice(prefix.length)), outcomes.map((letter) => OUTCOMES[letter]).join(", "), becomes];
}

const STOP_REASONS: readonly string[] = [
  "end_turn",
  "stop_sequence",
  "max_tokens",
  "model_context_window_exceeded",
  "tool_use",
  "pause_turn",
  "refusal",
  "compaction",
];

const NOTHING_ELSE: StopFacts = { hasToolCall: false, refusal: null, stopSequence: null };

const ENDINGS: readonly { readonly shown: string; readonly reason: string; readonly facts: StopFacts }[] = [
  { shown: "`stop`", reason: "stop", facts: NOTHING_ELSE },
  { shown: "`stop` with a refusal", reason: "stop", facts: { ...NOTHING_ELSE, refusal: "no" } },
  { shown: "`stop` with a tool call", reason: "stop", facts: { ...NOTHING_ELSE, hasToolCall: true } },
  { shown: "`tool_calls`", reason: "tool_calls", facts: { ...NOTHING_ELSE, hasToolCall: true } },
  { shown: "`length`", reason: "length", facts: NOTHING_ELSE },
  { shown: "`content_filter`", reason: "content_filter", facts: NOTHING_ELSE },
  {
    shown: "any, where the gateway found a stop sequence",
    reason: "stop",
    facts: { ...NOTHING_ELSE, stopSequence: "END" },
  },
];

function renderStopReasons(): readonly string[] {
  const toChat = STOP_REASONS.map((reason) => [code(reason), code(finishReason(reason))]);
  const toMessages = ENDINGS.map(({ shown, reason, facts }) => [shown, code(stopFields(reason, facts).stop_reason)]);
  return [
    "## Why an answer ended",
    "",
    ...table(
      ["Claude's `stop_reason`", "`finish_reason` for a Chat client"],
      [...toChat, ["any other", code(finishReason("other"))]],
    ),
    "",
    "A paused turn (`pause_turn`) is continued by the gateway first, so clients rarely see that one.",
    "",
    ...table(["OpenAI's `finish_reason`", "`stop_reason` for a Messages client"], toMessages),
    "",
  ];
}

/** Counters of one token each; what counts it is found by asking the map. */
const CLAUDE_USAGES: readonly (readonly [string, JsonObject])[] = [
  ["input_tokens", { input_tokens: 1 }],
  ["cache_read_input_tokens", { cache_read_input_tokens: 1 }],
  ["cache_creation_input_tokens", { cache_creation_input_tokens: 1 }],
  ["output_tokens", { output_tokens: 1 }],
  ["output_tokens_details.thinking_tokens", { output_tokens_details: { thinking_tokens: 1 } }],
];
const OPENAI_USAGES: readonly (readonly [string, JsonObject])[] = [
  ["prompt_tokens", { prompt_tokens: 1 }],
  ["prompt_tokens_details.cached_tokens", { prompt_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } }],
  ["prompt_tokens_details.cache_write_tokens", { prompt_tokens: 1, prompt_tokens_details: { cache_write_tokens: 1 } }],
  ["completion_tokens", { completion_tokens: 1 }],
  ["completion_tokens_details.reasoning_tokens", { completion_tokens_details: { reasoning_tokens: 1 } }],
];

function renderUsage(): readonly string[] {
  const rows = (usages: typeof CLAUDE_USAGES, translate: (usage: JsonObject) => JsonObject): readonly string[][] =>
    usages.map(([name, usage]) => [code(name), counting(translate(usage)).map(code).join(", ")]);
  return [
    "## Usage",
    "",
    "OpenAI's input count includes what was read from and written to the cache, Anthropic's excludes both. Output counts include",
    "reasoning on either side.",
    "",
    ...table(
      ["a token that Claude counts in", "counts for a Chat client in"],
      rows(CLAUDE_USAGES, chatUsageFromMessages),
    ),
    "",
    ...table(
      [
        "a token that OpenAI counts in (cached and written ones also in `prompt_tokens`)",
        "counts for a Messages client in",
      ],
      rows(OPENAI_USAGES, messagesUsageFromChat),
    ),
    "",
  ];
}

/** Paths of the counters that are not 0. */
function counting(json: Json, path = ""): readonly string[] {
  if (!isObject(json)) return json === 0 ? [] : [path];
  return Object.entries(json).flatMap(([name, value]) => counting(value, path === "" ? name : `${path}.${name}`));
}

function renderGatewayErrors(): readonly string[] {
  const rows = Object.keys(ERROR_KINDS).map((kind) => {
    const error = new GatewayError(kind as ErrorKind, "");
    const envelope = JSON.parse(renderError(error, "")) as { readonly error: { readonly type: string } };
    return [code(kind), String(error.status), `${code(error.type)} / ${code(error.code)}`, code(envelope.error.type)];
  });
  return [
    "## Errors of the gateway's own",
    "",
    "What the gateway itself refuses comes in the envelope of the API that was called, with its kind in `x-arouter-error`. An error",
    "of the provider has no such header.",
    "",
    ...table(["kind", "status", "OpenAI `type` / `code`", "Anthropic `type`"], rows),
    "",
    "`code` is more exact where a single field is at fault (`missing_required_parameter`, `invalid_json`, …), and a rule's `block` may",
    "name another status from 400 to 499.",
    "",
  ];
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
