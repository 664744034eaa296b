/** Claude models as the simulator serves them; independent of the gateway's catalog, as openai-models.ts is. */

/** What one family accepts. */
export interface ClaudeModel {
  readonly answersAs: string;
  readonly thinking: readonly ("adaptive" | "enabled" | "disabled" | "between_tools")[];
  /** Thinks although the request says nothing. */
  readonly thinksUnasked: boolean;
  /** Efforts at which `disabled` and `between_tools` are refused are `xhigh` and `max`. */
  readonly efforts: readonly string[];
  /** `any`; `one`: temperature or top_p; `default`: only the default value. */
  readonly sampling: "any" | "one" | "default";
  readonly forcedTools: boolean;
  readonly prefill: boolean;
  readonly systemRole: boolean;
  readonly structuredOutputs: boolean;
  /** Signatures are bound to everything before the block. */
  readonly boundThinking: boolean;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly cacheMinTokens: number;
  readonly shutdownOn: string | null;
}

const NEWEST = {
  thinking: ["adaptive"],
  thinksUnasked: true,
  efforts: ["low", "medium", "high", "xhigh", "max"],
  sampling: "default",
  forcedTools: false,
  prefill: false,
  systemRole: true,
  structuredOutputs: true,
  boundThinking: true,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  cacheMinTokens: 512,
  shutdownOn: null,
} as const satisfies Omit<ClaudeModel, "answersAs">;

const FIVE = { ...NEWEST, forcedTools: true, boundThinking: false } as const;
const FOUR_5 = {
  ...FIVE,
  thinking: ["enabled", "disabled"],
  thinksUnasked: false,
  efforts: [],
  sampling: "one",
  prefill: true,
  systemRole: false,
  contextTokens: 200_000,
  maxOutputTokens: 64_000,
  cacheMinTokens: 1024,
} as const;
const GONE = { ...FOUR_5, sampling: "any", structuredOutputs: false, shutdownOn: "2026-06-15" } as const;

const ROWS: readonly (readonly [pattern: RegExp, dated: string, model: Omit<ClaudeModel, "answersAs">])[] = [
  [/^claude-(fable|mythos)-5-[12]/, "", NEWEST],
  [/^claude-opus-5-5/, "", NEWEST],
  [/^claude-sonnet-5-5/, "", { ...NEWEST, thinking: ["adaptive", "between_tools"] }],
  [/^claude-haiku-5-5/, "", { ...NEWEST, thinking: ["adaptive", "disabled"], forcedTools: true }],
  [/^claude-(fable|mythos)-5/, "", FIVE],
  [/^claude-opus-5/, "", { ...FIVE, thinking: ["adaptive", "disabled"] }],
  [/^claude-sonnet-5/, "", { ...FIVE, thinking: ["adaptive", "disabled"], systemRole: false }],
  [/^claude-opus-4-8/, "", { ...FIVE, thinking: ["adaptive", "disabled"], thinksUnasked: false }],
  [
    /^claude-opus-4-7/,
    "20260416",
    { ...FIVE, thinking: ["adaptive", "disabled"], thinksUnasked: false, systemRole: false },
  ],
  [
    /^claude-(opus|sonnet)-4-6/,
    "",
    {
      ...FIVE,
      thinking: ["adaptive", "enabled", "disabled"],
      thinksUnasked: false,
      sampling: "one",
      efforts: ["high", "low", "max", "medium"],
      systemRole: false,
    },
  ],
  [/^claude-opus-4-5/, "20251101", { ...FOUR_5, efforts: ["high", "low", "medium"] }],
  [/^claude-sonnet-4-5/, "20250929", { ...FOUR_5, shutdownOn: "2026-11-30" }],
  [/^claude-haiku-4-5/, "20251001", FOUR_5],
  [/^claude-(opus|sonnet)-4/, "", GONE],
  [/^claude-3-7-sonnet/, "", GONE],
  [/^claude-(2|3)/, "", { ...GONE, thinking: [], maxOutputTokens: 8192 }],
];

/** Undated ids the simulator knows; any of them may carry a date (`-20250929`) or `-latest`. */
export const CLAUDE_IDS = [
  "claude-fable-5-2",
  "claude-fable-5-1",
  "claude-mythos-5-2",
  "claude-mythos-5-1",
  "claude-opus-5-5",
  "claude-sonnet-5-5",
  "claude-haiku-5-5",
  "claude-fable-5",
  "claude-mythos-5",
  "claude-opus-5",
  "claude-sonnet-5",
  "claude-opus-4-8",
  "claude-opus-4-7",
  "claude-opus-4-6",
  "claude-sonnet-4-6",
  "claude-opus-4-5",
  "claude-sonnet-4-5",
  "claude-haiku-4-5",
  "claude-opus-4-1",
  "claude-opus-4-0",
  "claude-opus-4",
  "claude-sonnet-4-0",
  "claude-sonnet-4",
  "claude-3-7-sonnet",
  "claude-3-5-sonnet",
  "claude-3-5-haiku",
  "claude-3-opus",
  "claude-3-haiku",
  "claude-2.1",
] as const;

const KNOWN: ReadonlySet<string> = new Set(CLAUDE_IDS);

/** The model called `id`, or null: no such model. */
export function findClaudeModel(id: string): ClaudeModel | null {
  const undated = id.replace(/-(\d{8}|latest)$/, "");
  if (!KNOWN.has(id) && !KNOWN.has(undated)) return null;
  const row = ROWS.find(([pattern]) => pattern.test(id));
  if (row === undefined) return null;
  const [, dated, model] = row;
  return { ...model, answersAs: undated !== id || dated === "" ? id : `${id}-${dated}` };
}
