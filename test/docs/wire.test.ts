/** docs/wire.md: that it is up to date is asserted with all generated files; here, that nothing is left out of it. */
import { describe, expect, test } from "bun:test";
import { renderWirePage } from "../../scripts/docs/wire-page.ts";
import { ERROR_KINDS } from "../../src/base/errors.ts";
import { TRANSLATORS } from "../../src/translate/table.ts";

const page = renderWirePage();

describe("docs/wire.md", () => {
  test.each(TRANSLATORS.map((pair) => [`${pair.client} to ${pair.upstream}`, pair] as const))(
    "holds every row of %s once",
    (_name, pair) => {
      for (const { becomes } of pair.rows) expect(page).toContain(`| ${becomes.replaceAll("|", "\\|")} |`);
      const named = pair.rows.map(({ field }) => field);
      expect(named.filter((field, index) => named.indexOf(field) !== index)).toEqual([]);
    },
  );

  test("has as many rows as the tables of the translators", () => {
    const [beforeEndings = ""] = page.split("## Why an answer ended");
    const directions = beforeEndings.slice(beforeEndings.indexOf("## From "));
    const tables = directions.match(/^\| --- /gm)?.length ?? 0;
    const lines = directions.match(/^\| /gm)?.length ?? 0;
    const rows = TRANSLATORS.reduce((sum, pair) => sum + pair.rows.length, 0);
    expect(lines - 2 * tables).toBe(rows);
  });

  test("shows every table with as many cells in each row as in its head", () => {
    for (const block of page.split("\n\n").filter((text) => text.startsWith("| "))) {
      const widths = block.split("\n").map((line) => line.replaceAll("\\|", "").split("|").length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  test("names every kind of error that the gateway makes", () => {
    for (const kind of Object.keys(ERROR_KINDS)) expect(page).toContain(`| \`${kind}\` |`);
  });
});
