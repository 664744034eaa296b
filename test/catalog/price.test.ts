import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Usage } from "../../src/base/usage.ts";
import { builtInCatalog, createCatalog } from "../../src/catalog/catalog.ts";
import { costUsd, renderUsd, type PriceOptions } from "../../src/catalog/price.ts";

const none: Usage = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 0,
  reasoning: 0,
  source: "reported",
};
const usage = (parts: Partial<Usage>): Usage => ({ ...none, ...parts });

describe("costUsd", () => {
  // Expected figures are worked out by hand from the vendors' prices per million tokens.
  test.each<[string, string, Partial<Usage>, PriceOptions, string]>([
    [
      "fresh, cached and output tokens",
      "claude-sonnet-4-5-20250929",
      { input: 30, cacheRead: 400, output: 25 },
      {},
      "0.000585",
    ],
    ["both kinds of cache writes", "claude-sonnet-4-5", { cacheWrite: 1000, cacheWriteLong: 1000 }, {}, "0.00975"],
    ["gpt-4o-mini", "gpt-4o-mini", { input: 40, output: 256 }, {}, "0.0001596"],
    ["the band's last token", "claude-haiku-5-5", { input: 100_000 }, {}, "0.01"],
    ["a band for the whole request", "claude-haiku-5-5", { input: 100_001, output: 10 }, {}, "0.0500255"],
    [
      "a band reached by cached tokens",
      "claude-haiku-5-5",
      { input: 1, cacheRead: 60_000, cacheWrite: 40_000 },
      {},
      "0.0280005",
    ],
    ["a band's long writes", "claude-haiku-5-5", { cacheWriteLong: 100_001 }, {}, "0.100001"],
    ["the us region", "claude-haiku-5-5", { input: 1000, output: 1000 }, { inferenceGeo: "us" }, "0.00066"],
    ["another region", "claude-haiku-5-5", { input: 1000, output: 1000 }, { inferenceGeo: "global" }, "0.0006"],
    ["the fast speed", "claude-opus-5", { input: 1000, output: 100 }, { speed: "fast" }, "0.015"],
    ["fast in the us", "claude-opus-5", { input: 1000, output: 100 }, { speed: "fast", inferenceGeo: "us" }, "0.0165"],
    ["the batch API", "claude-sonnet-4-5", { input: 1000, output: 100 }, { batch: true }, "0.00225"],
    [
      "a batch's long writes, which have no price",
      "claude-sonnet-4-5",
      { cacheWriteLong: 1000 },
      { batch: true },
      "0.0015",
    ],
    ["the tier called batch", "claude-sonnet-4-5", { input: 1000, output: 100 }, { serviceTier: "batch" }, "0.00225"],
    ["the default tier", "gpt-4.1", { input: 1000, output: 100 }, { serviceTier: "default" }, "0.0028"],
    ["the auto tier", "gpt-4.1", { input: 1000, output: 100 }, { serviceTier: "auto" }, "0.0028"],
    ["the priority tier", "gpt-4.1", { input: 1000, output: 100 }, { serviceTier: "priority" }, "0.0049"],
    ["the flex tier", "gpt-5", { input: 1000, cacheRead: 1000, output: 100 }, { serviceTier: "flex" }, "0.0011875"],
    ["cached tokens without a price of their own", "gpt-5-pro", { cacheRead: 1000 }, {}, "0.015"],
  ])("prices %s", (_, id, parts, options, expected) => {
    const cost = costUsd(builtInCatalog.find(id), usage(parts), options);
    expect(cost === null ? null : renderUsd(cost)).toBe(expected);
  });

  test.each<[string, string, PriceOptions]>([
    ["an unknown model", "gpt-99", {}],
    ["a tier without prices", "claude-sonnet-4-5", { serviceTier: "priority" }],
    ["an unheard-of tier", "gpt-4.1", { serviceTier: "scale" }],
    ["a tier named like an object's own", "gpt-4.1", { serviceTier: "__proto__" }],
    ["a tier named constructor", "gpt-4.1", { serviceTier: "constructor" }],
    ["a speed without a figure", "claude-sonnet-5", { speed: "fast" }],
    ["a region without a figure", "gpt-4.1", { inferenceGeo: "us" }],
  ])("leaves %s unpriced, not free", (_, id, options) => {
    expect(costUsd(builtInCatalog.find(id), usage({ input: 10 }), options)).toBeNull();
  });

  test("prices an answer without tokens at zero", () => {
    expect(costUsd(builtInCatalog.find("gpt-4.1"), none)).toBe(0);
  });

  test("does not count reasoning beside the output that contains it", () => {
    const model = builtInCatalog.find("gpt-5");
    expect(costUsd(model, usage({ output: 100, reasoning: 90 }))).toBe(costUsd(model, usage({ output: 100 })));
  });

  test("picks the highest of several bands", () => {
    const { catalog, mistakes } = createCatalog([
      {
        banded: {
          usd_per_mtok: {
            standard: { input: 1, output: 1, above: { "20": { input: 3, output: 1 }, "10": { input: 2, output: 1 } } },
          },
        },
      },
    ]);
    expect(mistakes).toEqual([]);
    const model = catalog.find("banded");
    expect([10, 11, 20, 21].map((input) => costUsd(model, usage({ input })))).toEqual([1e-5, 2.2e-5, 4e-5, 6.3e-5]);
  });

  test("is exact to 1e-12 where floating sums are not", () => {
    const model = builtInCatalog.find("gpt-4o-mini");
    const parts = usage({ input: 987_654_321, cacheRead: 123_456_789, output: 555_555_555 });
    // 0.15, 0.075 and 0.6 dollars per million, in whole pico-dollars.
    const pico = 987_654_321n * 150_000n + 123_456_789n * 75_000n + 555_555_555n * 600_000n;
    expect(costUsd(model, parts)).toBe(Number(pico) / 1e12);
  });
});

describe("renderUsd", () => {
  test.each([
    [0.000585, "0.000585"],
    [0, "0"],
    [-0, "0"],
    [-0.0000132, "-0.0000132"],
    [1e-12, "0.000000000001"],
    [4e-13, "0"],
    [-4e-13, "0"],
    [10, "10"],
    [1234.5, "1234.5"],
    [0.1 + 0.2, "0.3"],
  ])("writes %p as %p", (dollars, text) => {
    expect(renderUsd(dollars)).toBe(text);
  });
  test("is twelve places without their zeros, whichever way it gets there", () => {
    const amount = fc.oneof(
      fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((pico) => pico / 1e12),
      fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((micro) => micro / 1e6),
      fc.double({ min: -2000, max: 2000, noNaN: true }),
    );
    fc.assert(
      fc.property(amount, (dollars) => {
        const places = dollars.toFixed(12).replace(/\.?0+$/, "");
        expect(renderUsd(dollars)).toBe(places === "-0" ? "0" : places);
      }),
      { numRuns: 2000 },
    );
  });
});
