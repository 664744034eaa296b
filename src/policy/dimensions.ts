/** What a request is in the dimensions of formulas, for those that can be looked up by value. */
import { PROVIDER_NAMES } from "../base/names.ts";
import type { ConditionContext } from "./context.ts";
import { SEARCHES } from "./text-search.ts";
import type { SearchName } from "./text-search.ts";

/** Words and names; null, of a word also "": absent. A flag is `true` or `false`. */
export type TextReader = (context: ConditionContext) => string | null;
/** null: absent. */
export type NumberReader = (context: ConditionContext) => number | null;

const NUMBERS: Readonly<Record<string, NumberReader>> = {
  tokens_input: ({ facts }) => facts.tokensInput,
  max_tokens: ({ facts }) => facts.maxTokens,
  messages: ({ facts }) => facts.messages,
  tools: ({ facts }) => facts.toolNames.length,
};

const TEXTS: Readonly<Record<string, TextReader>> = {
  model: ({ model }) => model,
  key: ({ input }) => input.key,
  user: ({ facts }) => facts.user,
  client: ({ input }) => input.client,
  format: ({ format }) => format,
  response_format_type: ({ facts }) => facts.responseFormatType,
  provider: ({ provider }) => provider ?? "",
  tool_choice: ({ facts }) => facts.toolChoice ?? "",
  reasoning_effort: ({ facts }) => facts.reasoningEffort ?? "",
  in_tool_loop: ({ facts }) => String(facts.inToolLoop),
  has_image: ({ facts }) => String(facts.hasImage),
  has_document: ({ facts }) => String(facts.hasDocument),
  has_audio: ({ facts }) => String(facts.hasAudio),
  stream: ({ facts }) => String(facts.stream),
  reasoning: ({ facts }) => String(facts.reasoning),
  has_cache_control: ({ facts }) => String(facts.hasCacheControl),
  ...Object.fromEntries(
    PROVIDER_NAMES.map((name): [string, TextReader] => [
      `provider_state:${name}`,
      ({ input }) => input.providerState[name] ?? "closed",
    ]),
  ),
};

/** Dimensions that each bear a name: what a client calls its headers and its metadata. */
export interface Family {
  /** Those that a request has. */
  readonly names: (context: ConditionContext) => Iterable<string>;
  /** null: absent. */
  readonly get: (context: ConditionContext, name: string) => string | null;
}

export const FAMILIES: Readonly<Record<"header" | "metadata", Family>> = {
  header: {
    names: ({ input }) => input.headers.keys(),
    get: ({ input }, name) => input.headers.get(name),
  },
  metadata: {
    names: ({ facts }) => Object.keys(facts.metadata),
    get: ({ facts: { metadata } }, name) => (Object.hasOwn(metadata, name) ? (metadata[name] ?? null) : null),
  },
};

/** By dimension; null for one that nothing is known of. */
export const READERS = {
  number: (dimension: string): NumberReader | null =>
    Object.hasOwn(NUMBERS, dimension) ? (NUMBERS[dimension] ?? null) : null,
  text: (dimension: string): TextReader | null => (Object.hasOwn(TEXTS, dimension) ? (TEXTS[dimension] ?? null) : null),
  named: (dimension: string): { readonly family: Family; readonly name: string } | null => {
    const [, kind, name = ""] = /^(header|metadata):(.*)$/s.exec(dimension) ?? [];
    return kind === "header" || kind === "metadata" ? { family: FAMILIES[kind], name } : null;
  },
  search: (dimension: string): SearchName | null => SEARCHES.find((name) => name === dimension) ?? null,
};
