import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { renderChart } from "../../bench/chart.ts";
import type { GrowthReport } from "../../bench/growth-report.ts";
import { renderGrowthPage } from "../../bench/render-growth.ts";
import { renderPage } from "../../bench/render-page.ts";
import { NAMES, type Report } from "../../bench/report.ts";
import { WORKLOADS } from "../../bench/workloads.ts";
import { madeUpReport, row } from "./support.ts";

const docs = resolve(import.meta.dir, "../../docs");

function read(name: string): string {
  return readFileSync(join(docs, name), "utf8");
}

describe("docs/benchmarks.md", () => {
  test("has a row for each workload at each number of connections", () => {
    const page = renderPage(madeUpReport());
    for (const { id } of WORKLOADS) {
      expect(page.split(`| ${id} · ${NAMES.compiled} | 125 | 1.25 |`)).toHaveLength(3);
    }
    expect(page).toContain("| W1 · ARouter, compiled, traces of 10 % | 150 | 1.50 |");
  });

  test("shows the direct call's times as they are, and what others add to them", () => {
    const page = renderPage(madeUpReport());
    expect(page).toContain("| W2 · direct | – | – | 1000 | 1.00 | 2.00 | 0.50 |");
    expect(page).toContain("| W2 · bare proxy | 100 | 1.00 | 1000 | +0.20 | +0.00 | +0.10 |");
  });

  test("tells the other gateways of its run", () => {
    expect(renderPage(madeUpReport())).toContain("None was on the machine of this run.");
    const page = renderPage(madeUpReport({ peers: ["other"], rows: [row("W1", "other", 700)] }));
    expect(page).toContain("In this run: other.");
    expect(page).toContain("| W1 · other | 700 |");
  });

  test.skipIf(!existsSync(join(docs, "benchmarks.json")))("is what its figures render to, with the chart", () => {
    const report = JSON.parse(read("benchmarks.json")) as Report;
    expect(read("benchmarks.md")).toBe(renderPage(report));
    expect(read("img/benchmarks.svg")).toBe(renderChart(report));
  });
});

describe("docs/benchmarks-growth.md", () => {
  test.skipIf(!existsSync(join(docs, "benchmarks-growth.json")))("is what its figures render to", () => {
    const report = JSON.parse(read("benchmarks-growth.json")) as GrowthReport;
    expect(read("benchmarks-growth.md")).toBe(renderGrowthPage(report));
  });
});

describe("the chart", () => {
  const chart = renderChart(madeUpReport());

  test("is well-formed, and needs nothing from outside", () => {
    const open: string[] = [];
    for (const [, closing, name = "", , self] of chart.matchAll(/<(\/?)([a-z]+)((?:\s[^<>]*?)?)(\/?)>/g)) {
      if (closing === "/") expect(open.pop()).toBe(name);
      else if (self !== "/") open.push(name);
    }
    expect(open).toEqual([]);
    expect(chart).not.toMatch(/&(?!amp;|lt;)/);
    expect(chart.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|url\(|@import|href/);
  });

  test("follows the reader between light and dark", () => {
    expect(chart).toContain("@media(prefers-color-scheme:dark)");
  });

  test("has a bar for each workload, as long as its figure", () => {
    const widths = (text: string): number[] =>
      [...text.matchAll(/<rect class="bar"[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths(chart)).toHaveLength(WORKLOADS.length);
    const rows = [row("W1", NAMES.bare, 100), row("W1", NAMES.compiled, 200)];
    const more = [row("W2", NAMES.bare, 100), row("W2", NAMES.compiled, 400)];
    const [two = 0, four = 0] = widths(renderChart(madeUpReport({ rows: [...rows, ...more] })));
    expect(four / two).toBeCloseTo(2, 2);
  });

  test("marks the goal of those that have one", () => {
    expect(chart.match(/<line class="goal"/g)).toHaveLength(WORKLOADS.filter(({ target }) => target !== null).length);
  });
});
