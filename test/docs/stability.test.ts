/** The promise of docs/stability.md: no public name goes unnoticed. */
import { describe, expect, test } from "bun:test";
import { readPage } from "./pages.ts";
import { lostNames, readPromisedNames, readPublicNames, type PublicNames } from "./public-names.ts";

describe("public names", () => {
  const promised = readPromisedNames();
  const today = readPublicNames();

  test.each(Object.keys(promised))("of %s are all there, with the types and words they had", (surface) => {
    expect(lostNames({ [surface]: promised[surface] ?? [] }, today)).toEqual([]);
  });

  test("are listed for every surface", () => {
    expect(Object.keys(promised).toSorted()).toEqual(Object.keys(today).toSorted());
    for (const names of Object.values(promised)) expect(names.length).toBeGreaterThan(4);
  });

  const without = (surface: string, name: string): PublicNames => ({
    ...today,
    [surface]: (today[surface] ?? []).filter((each) => each !== name),
  });

  test.each([
    ["configuration", "limits.max_attempts: integer"],
    ["configuration", 'hedge.after = "p95"'],
    ["policy", "#/$defs/when.tokens_input_lt: integer"],
    ["policy", '#/$defs/then.validate[] = "json_schema"'],
    ["ledger", "v1 saved_usd"],
    ["ledger", "v1 attempts[].usage.cache_read"],
    ["metrics", "counter arouter_retries_total{class, provider, rule}"],
    ["response headers", "fallback-reason"],
    ["request headers", "no-route"],
    ["errors", "circuit-open 503 server_error upstream_unavailable"],
    ["commands", "replay --policy"],
    ["routes", "POST /v1/responses generate"],
    ["chart", "keys.existingSecret"],
  ])("of %s: the loss of %s is noticed", (surface, name) => {
    expect(promised[surface]).toContain(name);
    expect(lostNames(promised, without(surface, name))).toEqual([`${surface}: ${name}`]);
  });

  test("are in the page that promises them, by surface", () => {
    const page = readPage("docs/stability.md");
    for (const word of ["arouter.toml", "policy", "ledger", "x-arouter-", "metrics", "log fields", "routes", "chart"]) {
      expect(page).toContain(word);
    }
  });
});
