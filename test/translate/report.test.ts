import { expect, test } from "bun:test";
import { createReport } from "../../src/translate/report.ts";

test("lists paths once, in the order in which they came, with what took their place", () => {
  const report = createReport();
  for (const path of ["seed", "top_k", "seed"]) report.drop(path);
  report.adapt("temperature", "1");
  report.adapt("messages");
  expect(report.dropped()).toEqual(["seed", "top_k"]);
  expect(report.adapted()).toEqual(["temperature=1", "messages"]);
});

test("tells the number of those beyond 32", () => {
  const report = createReport();
  for (let index = 0; index < 40; index++) report.drop(`x${index}`);
  expect(report.dropped()).toHaveLength(33);
  expect(report.dropped().at(-1)).toBe("+8");
});
