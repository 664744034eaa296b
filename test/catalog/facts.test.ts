/** The built-in catalog against the facts it was made from, read independently of the code that reads the catalog. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtInCatalog, undatedId } from "../../src/catalog/catalog.ts";
import type { Model, Rates } from "../../src/catalog/model.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

interface FactRates {
  readonly input: number;
  readonly output: number;
  readonly cache_read?: number;
  readonly cache_write?: number;
  readonly cache_write_1h?: number;
  readonly cache_write_12h?: number;
}

interface Fact {
  readonly provider: string;
  readonly kind: string;
  readonly endpoints?: readonly string[];
  readonly context_tokens?: number;
  readonly max_output_tokens?: number;
  readonly can?: readonly string[];
  readonly cannot?: readonly string[];
  readonly extra_reasoning_efforts?: readonly string[];
  readonly reasoning_effort_levels?: readonly string[];
  readonly default_reasoning_effort?: string;
  readonly thinking_always_on?: boolean;
  readonly prompt_cache_min_tokens?: number;
  readonly deprecated_on?: string;
  readonly usd_per_mtok: Readonly<
    Record<string, { readonly base: FactRates; readonly above?: Readonly<Record<string, FactRates>> }>
  >;
  readonly price_multiplier?: Readonly<Record<string, number>>;
}

interface Facts {
  readonly as_of: string;
  readonly models: Readonly<Record<string, Fact>>;
}

const facts: Facts | null =
  sharedDir === null ? null : JSON.parse(readFileSync(join(sharedDir, "facts/models.json"), "utf8"));
const rows = Object.entries(facts?.models ?? {});
const found = (id: string): Model => builtInCatalog.find(id);

function rates({ input, output, cache_read, cache_write, cache_write_1h, cache_write_12h }: FactRates): Rates {
  const long = cache_write_1h ?? cache_write_12h;
  return {
    input,
    output,
    ...(cache_read === undefined ? {} : { cacheRead: cache_read }),
    ...(cache_write === undefined ? {} : { cacheWrite: cache_write }),
    ...(long === undefined ? {} : { cacheWriteLong: long }),
  };
}

describe.skipIf(facts === null)(`the catalog and the facts${facts === null ? ` (${sharedMissing})` : ""}`, () => {
  test("has the same models, as of the same month", () => {
    expect(builtInCatalog.asOf).toBe(facts?.as_of ?? "");
    expect(builtInCatalog.models.map((model) => model.id).sort()).toEqual(rows.map(([id]) => id).sort());
    expect(rows.length).toBe(138);
  });

  test.each(rows)("%s costs the same", (id, fact) => {
    const prices = Object.entries(fact.usd_per_mtok).map(([tier, { base, above = {} }]) => {
      const bands = Object.entries(above).map(([over, band]) => ({ overTokens: Number(over), rates: rates(band) }));
      return [tier, { base: rates(base), bands: bands.sort((a, b) => a.overTokens - b.overTokens) }] as const;
    });
    expect(found(id).prices).toEqual(Object.fromEntries(prices));
    expect(found(id).priceMultipliers).toEqual(fact.price_multiplier ?? {});
  });

  test.each(rows)("%s has the same limits and end", (id, fact) => {
    const model = found(id);
    const inputAlone = fact.context_tokens === 272_000 || fact.context_tokens === 922_000;
    expect(model.provider as string).toBe(fact.provider);
    expect(model.inputTokens).toBe(inputAlone ? (fact.context_tokens ?? null) : null);
    expect(model.contextTokens).toBe(
      inputAlone ? (fact.context_tokens ?? 0) + (fact.max_output_tokens ?? 0) : (fact.context_tokens ?? null),
    );
    expect(model.maxOutputTokens).toBe(fact.max_output_tokens ?? null);
    expect(model.promptCacheMinTokens).toBe(fact.prompt_cache_min_tokens ?? null);
    // Both are stated elsewhere to end with their dated forms.
    const ends2027 = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini"].includes(id);
    expect(model.shutdownOn).toBe(ends2027 ? "2027-01-14" : (fact.deprecated_on ?? null));
  });

  // Seen in recorded traffic on /v1/responses although the facts do not list it.
  const recordedOnResponses = ["gpt-4o", "gpt-4o-mini", "o3-mini", "o4-mini"];
  test.each(rows)("%s is served on the same routes", (id, fact) => {
    const endpoints = fact.endpoints ?? [fact.provider === "anthropic" ? "/v1/messages" : "/v1/chat/completions"];
    const formats = [
      ...(endpoints.includes("/v1/messages") ? ["messages"] : []),
      ...(endpoints.includes("/v1/chat/completions") ? ["chat"] : []),
      ...(endpoints.includes("/v1/responses") || recordedOnResponses.includes(undatedId(id)) ? ["responses"] : []),
    ];
    expect(found(id).formats as readonly string[]).toEqual(fact.kind === "embedding" ? [] : formats);
    const onResponsesOnly = formats.length === 1 && formats[0] === "responses";
    expect(found(id).kind as string).toBe(fact.kind === "chat" && onResponsesOnly ? "responses" : fact.kind);
  });

  test.each(rows)("%s refuses what the facts show refused", (id, { cannot = [], provider }) => {
    const { capabilities: can } = found(id);
    const held: Readonly<Record<string, boolean>> = {
      assistant_prefill: can.prefill,
      sampling_params: can.sampling !== "no",
      forced_tool_use: can.forcedToolUse,
      function_calling: can.tools,
      tool_choice: can.forcedToolUse,
      response_schema: can.structuredOutputs,
      vision: can.vision,
      reasoning: can.reasoning !== "none",
      // o1-2024-12-17 is listed as able, its family as not.
      parallel_function_calling: can.parallelToolControl,
    };
    expect(cannot.filter((name) => held[name] === true)).toEqual([]);
    expect(provider).toBe(found(id).provider);
  });

  test.each(rows)("%s can what the facts show it can", (id, { can: list = [] }) => {
    const { capabilities: can } = found(id);
    const held: Readonly<Record<string, boolean>> = {
      assistant_prefill: can.prefill,
      forced_tool_use: can.forcedToolUse,
      function_calling: can.tools,
      native_structured_output: can.structuredOutputs,
      response_schema: can.structuredOutputs,
      vision: can.vision,
      pdf_input: can.pdf,
      audio_input: can.audioInput,
      web_search: can.webSearch,
      reasoning: can.reasoning !== "none",
      adaptive_thinking: can.reasoning.startsWith("adaptive"),
      legacy_thinking: can.reasoning === "adaptive+budget",
      output_config: can.efforts.length > 0,
      mid_conversation_system: can.midConversationSystem,
      speed: can.fastMode,
      fast_mode: can.fastMode,
      prompt_cache_breakpoint: can.cacheBreakpoints,
      parallel_function_calling: can.parallelToolControl,
    };
    // The two known differences: see docs on what was recorded.
    const excused =
      id === "claude-sonnet-5"
        ? ["mid_conversation_system"]
        : id === "o1-2024-12-17"
          ? ["parallel_function_calling"]
          : [];
    expect(list.filter((name) => held[name] === false)).toEqual(excused);
  });

  test.each(rows)("%s takes the same efforts", (id, fact) => {
    const { capabilities: can } = found(id);
    const order = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    const extra = id === "gpt-5-search-api-2025-10-14" ? ["minimal"] : (fact.extra_reasoning_efforts ?? []);
    const levels = fact.reasoning_effort_levels ?? ["low", "medium", "high", ...extra];
    const takesEffort = can.reasoning === "effort" || fact.can?.includes("output_config") === true;
    expect(can.efforts as readonly string[]).toEqual(
      takesEffort ? [...levels].sort((a, b) => order.indexOf(a) - order.indexOf(b)) : [],
    );
    if (fact.default_reasoning_effort !== undefined)
      expect(can.defaultEffort as string).toBe(fact.default_reasoning_effort);
  });
});
