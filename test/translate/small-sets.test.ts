import { expect, test } from "bun:test";
import { createReport } from "../../src/translate/report.ts";
import { listOf, NO_ITEMS, withItem } from "../../src/translate/small-sets.ts";

test("items are kept once, in the order in which they came, and the empty set that all share stays empty", () => {
  let mine: ReadonlySet<string> = NO_ITEMS;
  let others: ReadonlySet<string> = NO_ITEMS;
  for (const item of ["b", "a", "b"]) mine = withItem(mine, item);
  others = withItem(others, "c");
  expect([listOf(mine), listOf(others), listOf(NO_ITEMS)]).toEqual([["b", "a"], ["c"], []]);
});

test("reports do not hear of each other", () => {
  const [one, other] = [createReport(), createReport()];
  one.drop("seed");
  expect([other.dropped(), other.adapted(), one.adapted()]).toEqual([[], [], []]);
});
