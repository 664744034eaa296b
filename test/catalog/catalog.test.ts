import { describe, expect, test } from "bun:test";
import { builtInCatalog, createCatalog, undatedId } from "../../src/catalog/catalog.ts";
import { renderEntry } from "../../src/catalog/entry.ts";
import type { Capabilities } from "../../src/catalog/model.ts";

describe("looking a model up", () => {
  test("finds an id that is there", () => {
    expect(builtInCatalog.find("gpt-4o-2024-05-13")).toMatchObject({
      id: "gpt-4o-2024-05-13",
      known: true,
      maxOutputTokens: 4096,
    });
  });
  test.each([
    ["gpt-4.1-2030-01-31", "gpt-4.1"],
    ["claude-opus-4-8-20300131", "claude-opus-4-8"],
  ])("takes %s as %s, under the name that was asked", (dated, undated) => {
    expect(builtInCatalog.find(dated)).toEqual({
      ...builtInCatalog.find(undated),
      id: dated,
      releasedOn: "2030-01-31",
    });
  });
  test.each([
    ["claude-fable-5-2", undefined, "anthropic"],
    ["claude-sonnet-4-20250514", undefined, "anthropic"],
    ["gpt-99", undefined, "openai"],
    ["llama-4", undefined, "openai"],
    ["llama-4", "anthropic", "anthropic"],
    ["claude-new", "openai", "openai"],
  ] as const)("knows nothing of %s (hint %p) but that %s serves it", (id, hint, provider) => {
    expect(builtInCatalog.find(id, hint)).toMatchObject({
      id,
      known: false,
      provider,
      prices: null,
      shutdownOn: null,
      releasedOn: id.endsWith("0514") ? "2025-05-14" : null,
    });
  });
  test("does not take object members for models", () => {
    for (const id of ["__proto__", "constructor", "toString"])
      expect(builtInCatalog.find(id)).toMatchObject({ id, known: false });
  });
  test("gives the same object for the same stranger, and forgets strangers in time", () => {
    const first = builtInCatalog.find("stranger");
    expect(builtInCatalog.find("stranger")).toBe(first);
    for (let index = 0; index < 5000; index++) builtInCatalog.find(`stranger-${index}`);
    expect(builtInCatalog.find("stranger")).not.toBe(first);
    expect(builtInCatalog.find("stranger")).toEqual(first);
  });
  test("takes only a date for a date suffix", () => {
    expect(["gpt-4-1106-preview", "gpt-4-0613", "claude-opus-4-5", "o3-2025-04-16"].map(undatedId)).toEqual([
      "gpt-4-1106-preview",
      "gpt-4-0613",
      "claude-opus-4-5",
      "o3",
    ]);
  });
  test("knows the day of release from a date suffix, and of the first dated sibling", () => {
    const day = (id: string): string | null => builtInCatalog.find(id).releasedOn;
    expect([day("gpt-4o-2024-08-06"), day("gpt-4o"), day("claude-sonnet-4-5"), day("gpt-6-sol")]).toEqual([
      "2024-08-06",
      "2024-05-13",
      "2025-09-29",
      null,
    ]);
  });
});

describe("an unknown model", () => {
  // Its family's newest members, and where they differ the one that refuses more.
  test("of Anthropic is the newest family at its strictest", () => {
    expect(builtInCatalog.find("claude-next").capabilities).toEqual({
      ...builtInCatalog.find("claude-opus-5-5").capabilities,
      defaultEffort: null,
      fastMode: false,
    });
    for (const newest of ["claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]) {
      expect(
        stricter(builtInCatalog.find("claude-next").capabilities, builtInCatalog.find(newest).capabilities),
      ).toEqual([]);
    }
  });
  test("of OpenAI is the newest reasoning model", () => {
    expect(builtInCatalog.find("gpt-next")).toEqual({
      ...builtInCatalog.find("gpt-6.1-sol"),
      id: "gpt-next",
      known: false,
      prices: null,
    });
  });
});

/** Permissions that `a` gives and `b` does not. */
function stricter(a: Capabilities, b: Capabilities): readonly string[] {
  const permissions = [
    "canDisableThinking",
    "betweenTools",
    "forcedToolUse",
    "prefill",
    "structuredOutputs",
    "midConversationSystem",
    "tools",
    "vision",
    "pdf",
    "audioInput",
    "fastMode",
    "webSearch",
  ] as const;
  return permissions.filter((name) => a[name] && !b[name]);
}

describe("an overlay", () => {
  test("changes what it names of a model and leaves the rest", () => {
    const { catalog, mistakes } = createCatalog([
      {
        "gpt-4.1": {
          context_tokens: 5,
          capabilities: { vision: false },
          usd_per_mtok: { standard: { input: 7, output: 8 }, batches: null },
        },
      },
    ]);
    expect(mistakes).toEqual([]);
    const before = builtInCatalog.find("gpt-4.1");
    expect(catalog.find("gpt-4.1")).toEqual({
      ...before,
      contextTokens: 5,
      capabilities: { ...before.capabilities, vision: false },
      prices: {
        standard: { base: { input: 7, output: 8 }, bands: [] },
        priority: before.prices?.priority ?? { base: { input: 0, output: 0 }, bands: [] },
      },
    });
    expect(builtInCatalog.find("gpt-4.1")).toBe(before);
  });
  test("adds a model like another, without its price and its end", () => {
    const { catalog } = createCatalog([{ mine: { like: "gpt-4o", max_output_tokens: 9 } }]);
    const like = builtInCatalog.find("gpt-4o");
    expect(catalog.find("mine")).toEqual({
      ...like,
      id: "mine",
      maxOutputTokens: 9,
      prices: null,
      shutdownOn: null,
      releasedOn: null,
    });
    expect(catalog.models.length).toBe(builtInCatalog.models.length + 1);
  });
  test("adds a model without a likeness over the unknown one of its provider", () => {
    const { catalog } = createCatalog([{ mine: { provider: "anthropic" }, "gpt-4.1-2031-01-01": {} }]);
    expect(catalog.find("mine")).toEqual({ ...builtInCatalog.find("claude-x"), id: "mine", known: true });
    expect(catalog.find("gpt-4.1-2031-01-01").prices).toEqual(builtInCatalog.find("gpt-4.1").prices);
  });
  test("lies over the ones before it, which it may liken to", () => {
    const { catalog, mistakes } = createCatalog([
      { mine: { like: "gpt-4o", context_tokens: 1 } },
      { mine: { context_tokens: 2 }, other: { like: "mine" } },
    ]);
    expect(mistakes).toEqual([]);
    expect([
      catalog.find("mine").contextTokens,
      catalog.find("other").contextTokens,
      catalog.find("other").capabilities.stop,
    ]).toEqual([2, 2, true]);
  });
  test("reads back what was printed as the same models", () => {
    const printed = Object.fromEntries(builtInCatalog.models.map((model) => [model.id, renderEntry(model)]));
    const { catalog, mistakes } = createCatalog([JSON.parse(JSON.stringify(printed))]);
    expect(mistakes).toEqual([]);
    expect(catalog.models).toEqual(builtInCatalog.models);
  });

  test.each<[string, unknown, string, string]>([
    ["an unknown field", { contxt_tokens: 1 }, "m.contxt_tokens", 'unknown key; did you mean "context_tokens"?'],
    ["a model that is no table", 3, "m", "must be a table of model fields"],
    [
      "a likeness that is not there",
      { like: "gpt-4p" },
      "m.like",
      'no model "gpt-4p" in the catalog; did you mean "gpt-4"?',
    ],
    ["a likeness that is no name", { like: 4 }, "m.like", "must be the name of a model in the catalog"],
    ["a provider", { provider: "azure" }, "m.provider", "must be one of openai, anthropic"],
    ["a kind", { kind: "image" }, "m.kind", "must be one of chat, responses, embedding"],
    ["formats", { formats: ["chat", "x"] }, "m.formats", "must be a list of chat, messages, responses"],
    ["a limit", { context_tokens: "1M" }, "m.context_tokens", "must be a whole number of tokens above 0"],
    ["a limit below 1", { input_tokens: 0 }, "m.input_tokens", "must be a whole number of tokens above 0"],
    ["a day", { shutdown_on: "soon" }, "m.shutdown_on", 'must be a day such as "2027-01-14"'],
    [
      "a capability's name",
      { capabilities: { vison: true } },
      "m.capabilities.vison",
      'unknown key; did you mean "vision"?',
    ],
    ["a flag", { capabilities: { vision: "yes" } }, "m.capabilities.vision", "must be true or false"],
    [
      "a word",
      { capabilities: { sampling: "some" } },
      "m.capabilities.sampling",
      "must be one of both, one, effort-none, no",
    ],
    [
      "efforts",
      { capabilities: { efforts: ["low", "huge"] } },
      "m.capabilities.efforts",
      "must be a list of none, minimal, low, medium, high, xhigh, max",
    ],
    [
      "a default effort",
      { capabilities: { default_effort: 3 } },
      "m.capabilities.default_effort",
      "must be one of none, minimal, low, medium, high, xhigh, max",
    ],
    ["capabilities that are no table", { capabilities: [] }, "m.capabilities", "must be a table"],
    ["a tier", { usd_per_mtok: { standrd: {} } }, "m.usd_per_mtok.standrd", 'unknown key; did you mean "standard"?'],
    ["a tier that is no table", { usd_per_mtok: { flex: 3 } }, "m.usd_per_mtok.flex", "must be a table of prices"],
    ["a missing price", { usd_per_mtok: { flex: { input: 1 } } }, "m.usd_per_mtok.flex", 'lacks "output"'],
    [
      "a negative price",
      { usd_per_mtok: { flex: { input: -1, output: 1 } } },
      "m.usd_per_mtok.flex.input",
      "must be US dollars per million tokens, 0 or more",
    ],
    [
      "a band",
      { usd_per_mtok: { flex: { input: 1, output: 1, above: { many: {} } } } },
      "m.usd_per_mtok.flex.above.many",
      "must be a whole number of input tokens = { input, output, … }",
    ],
    [
      "bands that are no table",
      { usd_per_mtok: { flex: { input: 1, output: 1, above: 3 } } },
      "m.usd_per_mtok.flex.above",
      "must be a table: a number of input tokens = { input, output, … }",
    ],
    [
      "a band in a band",
      { usd_per_mtok: { flex: { input: 1, output: 1, above: { "9": { input: 1, output: 1, above: {} } } } } },
      "m.usd_per_mtok.flex.above.9.above",
      "unknown key",
    ],
    ["a multiplier", { price_multiplier: { us: 0 } }, "m.price_multiplier.us", "must be a number above 0"],
    ["a multiplier's name", { price_multiplier: { eu: 2 } }, "m.price_multiplier.eu", "unknown key"],
  ])("reports a wrong %s by its place", (_, entry, path, text) => {
    const { mistakes, catalog } = createCatalog([{}, JSON.parse(JSON.stringify({ m: entry }))]);
    expect(mistakes.map(({ overlay, mistake }) => [overlay, mistake.path.join("."), mistake.text])).toEqual([
      [1, path, text],
    ]);
    expect(catalog.find("m").id).toBe("m");
  });
});
