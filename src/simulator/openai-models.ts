/**
 * OpenAI models as the simulator serves them. An own table, written from the vendor's pages and recorded traffic, and not the
 * gateway's catalog: a mistake there must not hide itself here.
 */

/** What one family accepts on Chat Completions and Responses. */
export interface OpenAiModel {
  /** Dated name that answers carry. */
  readonly answersAs: string;
  readonly reasoning: boolean;
  /** `any`; `default`: only 1; `effort-none`: any while the effort is none; `refused`: not even the default. */
  readonly sampling: "any" | "default" | "effort-none" | "refused";
  readonly defaultEffort: string | null;
  readonly efforts: readonly string[];
  /** `max_tokens` is accepted beside `max_completion_tokens`. */
  readonly maxTokensField: boolean;
  /** Function tools on Chat: always, unless another effort than none is asked for, only with effort none asked for, never. */
  readonly chatTools: "yes" | "unless-effort" | "effort-none" | "no";
  readonly stop: boolean;
  readonly parallelControl: boolean;
  readonly systemRole: boolean;
  readonly developerRole: boolean;
  readonly vision: boolean;
  readonly audio: boolean;
  readonly search: boolean;
  readonly structuredOutputs: boolean;
  readonly cacheBreakpoints: boolean;
  readonly endpoints: readonly ("chat" | "responses" | "embeddings")[];
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** `YYYY-MM-DD`: from that day on it is gone. */
  readonly shutdownOn: string | null;
}

const PLAIN = {
  reasoning: false,
  sampling: "any",
  defaultEffort: null,
  efforts: [],
  maxTokensField: true,
  chatTools: "yes",
  stop: true,
  parallelControl: true,
  systemRole: true,
  developerRole: true,
  vision: true,
  audio: false,
  search: false,
  structuredOutputs: true,
  cacheBreakpoints: false,
  endpoints: ["chat", "responses"],
  inputTokens: 128_000,
  maxOutputTokens: 16_384,
  shutdownOn: null,
} as const satisfies Omit<OpenAiModel, "answersAs">;

const REASONING = {
  ...PLAIN,
  reasoning: true,
  sampling: "default",
  defaultEffort: "medium",
  efforts: ["low", "medium", "high"],
  maxTokensField: false,
  stop: false,
  inputTokens: 272_000,
  maxOutputTokens: 128_000,
} as const satisfies Omit<OpenAiModel, "answersAs">;

const SERIES_O = {
  ...REASONING,
  sampling: "refused",
  parallelControl: false,
  inputTokens: 200_000,
  maxOutputTokens: 100_000,
} as const satisfies Omit<OpenAiModel, "answersAs">;

type Row = readonly [pattern: RegExp, dated: string, model: Omit<OpenAiModel, "answersAs">];

const NONE_TO_XHIGH = ["none", "low", "medium", "high", "xhigh"] as const;
const NONE_TO_MAX = [...NONE_TO_XHIGH, "max"] as const;
const OLD = { ...PLAIN, vision: false, structuredOutputs: false, maxOutputTokens: 4096 } as const;
const GPT_6 = { ...REASONING, chatTools: "effort-none", cacheBreakpoints: true, inputTokens: 922_000 } as const;
const GPT_5_4 = { ...REASONING, sampling: "effort-none", chatTools: "unless-effort", efforts: NONE_TO_XHIGH } as const;

/** First match wins; a dated id (`-2024-07-18`) matches its family. */
const ROWS: readonly Row[] = [
  [
    /^gpt-6-(astra|rosalind)|^gpt-6\.1-sol/,
    "",
    { ...GPT_6, chatTools: "no", efforts: ["low", "medium", "high", "xhigh", "max"] },
  ],
  [/^gpt-6/, "", { ...GPT_6, efforts: NONE_TO_MAX }],
  // Recorded: temperature 0.5 with effort none.
  [/^gpt-5\.6/, "", { ...GPT_6, sampling: "effort-none", efforts: NONE_TO_XHIGH }],
  [
    /^gpt-5(\.\d)?-pro|^o\d-pro|-codex|deep-research|^computer-use/,
    "",
    { ...REASONING, chatTools: "no", efforts: [...NONE_TO_XHIGH, "minimal"], endpoints: ["responses"] },
  ],
  [/^gpt-5\.5/, "2026-04-23", { ...GPT_5_4, inputTokens: 1_050_000 }],
  [/^gpt-5\.4-nano/, "2026-03-17", { ...GPT_5_4, defaultEffort: "none", shutdownOn: "2027-04-01" }],
  [/^gpt-5\.4-mini/, "2026-03-17", { ...GPT_5_4, defaultEffort: "none" }],
  [/^gpt-5\.4/, "2026-03-05", { ...GPT_5_4, defaultEffort: "none", inputTokens: 1_050_000 }],
  [/^gpt-5(\.\d)?-chat/, "", { ...PLAIN, maxTokensField: false, shutdownOn: "2026-07-23" }],
  [/^gpt-5-search-api/, "2025-10-14", { ...REASONING, search: true }],
  [/^gpt-5\.2/, "2025-12-11", { ...GPT_5_4, defaultEffort: "none" }],
  [
    /^gpt-5\.1/,
    "2025-11-13",
    {
      ...REASONING,
      sampling: "effort-none",
      defaultEffort: "none",
      efforts: ["none", "low", "medium", "high"],
      shutdownOn: "2027-04-01",
    },
  ],
  [/^gpt-5/, "2025-08-07", { ...REASONING, efforts: ["minimal", "low", "medium", "high"], shutdownOn: "2026-12-11" }],
  [
    /^o1-mini/,
    "2024-09-12",
    { ...SERIES_O, chatTools: "no", systemRole: false, developerRole: false, shutdownOn: "2025-10-27" },
  ],
  [/^o3-mini/, "2025-01-31", { ...SERIES_O, stop: true, vision: false, shutdownOn: "2026-10-23" }],
  [/^o1/, "2024-12-17", { ...SERIES_O, shutdownOn: "2026-10-23" }],
  [/^o4-mini/, "2025-04-16", { ...SERIES_O, shutdownOn: "2026-10-23" }],
  [/^o3/, "2025-04-16", { ...SERIES_O, shutdownOn: "2026-12-11" }],
  [
    /^gpt-4\.1-nano/,
    "2025-04-14",
    { ...PLAIN, inputTokens: 1_047_576, maxOutputTokens: 32_768, shutdownOn: "2026-10-23" },
  ],
  [/^gpt-4\.1/, "2025-04-14", { ...PLAIN, inputTokens: 1_047_576, maxOutputTokens: 32_768, shutdownOn: "2027-01-14" }],
  [/^gpt-4o-.*search/, "2025-03-11", { ...PLAIN, search: true, sampling: "refused" }],
  [/^gpt-4o-.*audio|^gpt-audio/, "", { ...PLAIN, audio: true, vision: false, shutdownOn: "2027-01-20" }],
  [/^gpt-4o-2024-05-13/, "", { ...PLAIN, maxOutputTokens: 4096, structuredOutputs: false, shutdownOn: "2026-10-23" }],
  [/^gpt-4o-mini/, "2024-07-18", { ...PLAIN, shutdownOn: "2027-01-14" }],
  [/^gpt-4o/, "2024-08-06", { ...PLAIN, shutdownOn: "2027-01-14" }],
  [/^gpt-4\.5/, "2025-02-27", { ...PLAIN, shutdownOn: "2025-07-14" }],
  [/^gpt-4-(turbo|vision|\d{4}-preview)/, "", { ...OLD, vision: true, shutdownOn: "2026-10-23" }],
  [/^gpt-4/, "0613", { ...OLD, inputTokens: 8192, shutdownOn: "2026-10-23" }],
  [/^gpt-3\.5-turbo-0613/, "", { ...OLD, inputTokens: 4096, shutdownOn: "2024-09-13" }],
  [/^gpt-3\.5-turbo/, "0125", { ...OLD, inputTokens: 16_385, shutdownOn: "2026-10-23" }],
  [/^text-embedding-(3-large|3-small|ada-002)/, "", { ...PLAIN, endpoints: ["embeddings"], inputTokens: 8191 }],
];

/** Undated ids the simulator knows; any of them may carry a date suffix. */
export const OPENAI_IDS = [
  "gpt-6-astra",
  "gpt-6-astra-law",
  "gpt-6-luna",
  "gpt-6-rosalind",
  "gpt-6-sol",
  "gpt-6.1-sol",
  "gpt-6.1-terra",
  "gpt-5.6",
  "gpt-5.6-luna",
  "gpt-5.6-sol",
  "gpt-5.6-terra",
  "gpt-5.5",
  "gpt-5.5-pro",
  "gpt-5.4",
  "gpt-5.4-mini",
  "gpt-5.4-nano",
  "gpt-5.4-pro",
  "gpt-5.3-codex",
  "gpt-5.2",
  "gpt-5.2-pro",
  "gpt-5.1",
  "gpt-5",
  "gpt-5-mini",
  "gpt-5-nano",
  "gpt-5-pro",
  "gpt-5-search-api",
  "gpt-5-chat-latest",
  "o1",
  "o1-mini",
  "o3",
  "o3-mini",
  "o3-pro",
  "o4-mini",
  "gpt-4.1",
  "gpt-4.1-mini",
  "gpt-4.1-nano",
  "gpt-4o",
  "gpt-4o-mini",
  "gpt-4o-search-preview",
  "gpt-4o-mini-search-preview",
  "gpt-4o-audio-preview",
  "gpt-4o-mini-audio-preview",
  "gpt-audio",
  "gpt-audio-1.5",
  "gpt-audio-mini",
  "gpt-4.5-preview",
  "gpt-4-turbo",
  "gpt-4-turbo-preview",
  "gpt-4-vision-preview",
  "gpt-4",
  "gpt-3.5-turbo",
  "gpt-3.5-turbo-16k",
  "computer-use-preview",
  "text-embedding-3-large",
  "text-embedding-3-small",
  "text-embedding-ada-002",
] as const;

const KNOWN: ReadonlySet<string> = new Set(OPENAI_IDS);
const DATE_SUFFIX = /-(\d{4}-\d{2}-\d{2}|\d{4}-preview|\d{4})$/;

/** The model called `id`, or null: no such model. */
export function findOpenAiModel(id: string): OpenAiModel | null {
  const undated = id.replace(DATE_SUFFIX, "");
  if (!KNOWN.has(id) && !KNOWN.has(undated)) return null;
  const row = ROWS.find(([pattern]) => pattern.test(id));
  if (row === undefined) return null;
  const [, dated, model] = row;
  return { ...model, answersAs: undated !== id || dated === "" ? id : `${id}-${dated}` };
}
