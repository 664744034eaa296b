/** What the pages say that data elsewhere says too: links, models, import table, outcome classes. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OUTCOME_CLASSES, VALIDATOR_NAMES } from "../../src/base/names.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { defaultConfig } from "../../src/config/assemble.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import type { SchemaNode } from "../../src/config/section.ts";
import { DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { RESPONSE_HEADERS } from "../../src/gateway/arouter-headers.ts";
import { FEEDBACK_MAX_BYTES } from "../../src/heal/feedback.ts";
import { classified } from "../../src/upstream/classify.ts";
import { PAGES, readPage, root } from "./pages.ts";

/** Text without fenced blocks. */
function prose(page: string): string {
  return page.replaceAll(/^\s*```[\s\S]*?^\s*```$/gm, "");
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): readonly string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Targets of links in `page`, to be found at `path`, whose file or heading is not there. */
function deadLinks(path: string, page: string): readonly string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = "", anchor] = target.split("#");
      const found = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(root, found))) return true;
      return anchor !== undefined && !anchors(readPage(found)).includes(anchor);
    });
}

describe("links", () => {
  test.each(PAGES)("of %s lead somewhere", (path) => {
    expect(deadLinks(path, readPage(path))).toEqual([]);
  });

  test.each(["README.md", "docs/README.md"])("of %s reach every page of docs", (path) => {
    const reached = [...prose(readPage(path)).matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)].map(([, target = ""]) =>
      join(dirname(path), target),
    );
    const pages = PAGES.filter((each) => /^docs\/[^/]+\.md$/.test(each) || each === "docs/decisions/README.md");
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.filter((each) => each !== path && !reached.includes(each))).toEqual([]);
  });

  test("that are dead are noticed, by file and by anchor", () => {
    expect(
      deadLinks("docs/x.md", "[a](../README.md#policy) [b](no.md) [c](policy.md#nowhere) [d](https://x.y/z)"),
    ).toEqual(["no.md", "policy.md#nowhere"]);
  });

  test("reach every decision from their index", () => {
    const index = readPage("docs/decisions/README.md");
    for (const path of PAGES.filter((each) => /^docs\/decisions\/\d/.test(each))) {
      expect(index).toContain(`(${path.slice("docs/decisions/".length)})`);
    }
  });
});

/** Names of models in `text`; no globs, and nothing that only begins like one. */
function modelNames(text: string): readonly string[] {
  const names = text.matchAll(/(?<![\w./:-])(?:gpt-\d|claude-(?!code|cli)[a-z]+-\d|o\d(?=[-`"]))[\w.-]*\w(?![\w*])/g);
  return [...new Set([...names].map(([name]) => name))];
}

describe("models", () => {
  const [year = "", month = ""] = builtInCatalog.asOf.split("-");
  const aYearOn = `${Number(year) + 1}-${month}-31`;
  const shipped = readdirSync(join(root, "policies"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .map((path) => `policies/${path}`);
  const handwritten = PAGES.filter((path) => path !== "docs/models.md");

  test.each([...handwritten, ...shipped, "arouter.toml"])("named in %s stay for a year", (path) => {
    // The one sample with models of its time stands between marks.
    const text = readFileSync(join(root, path), "utf8").replaceAll(
      /<!-- original sample -->[\s\S]*?<!-- \/original sample -->/g,
      "",
    );
    const short = modelNames(text).filter((name) => {
      const model = builtInCatalog.find(name);
      return !model.known || (model.shutdownOn !== null && model.shutdownOn <= aYearOn);
    });
    expect(short).toEqual([]);
  });

  test("are told from what only looks like one", () => {
    expect(modelNames('gpt-6-luna, "claude-haiku-5-5" claude-* claude-code/1 gpt-4o-mini. ft:gpt-4.1')).toEqual([
      "gpt-6-luna",
      "claude-haiku-5-5",
      "gpt-4o-mini",
    ]);
  });
});

/** Names such as `limits.body_bytes` in `text`; none of a file, as `metrics.ts`, or of the chart's values, which have capitals. */
function keyNames(text: string): readonly string[] {
  const sections = Object.keys(SCHEMA).join("|");
  const names = text.matchAll(new RegExp(`\`((?:${sections})(?:\\.(?:[a-z][a-z_0-9]*|\\*))+)\``, "g"));
  return [...new Set([...names].map(([, name = ""]) => name))].filter(
    (name) => !/\.(?:ts|md|toml|yaml|json|jsonl|pem)$/.test(name),
  );
}

/** Whether the configuration has a key or a table of that name; `*` stands for any. */
function isKey(name: string): boolean {
  let nodes: readonly SchemaNode[] = [{ node: "section", doc: "", keys: SCHEMA }];
  for (const part of name.split(".")) {
    const tables = nodes.filter((node) => node.node !== "key");
    // What lies in a table of a user's own names is the user's.
    if (tables.length === 0) return nodes.some((node) => node.node === "key" && node.type.startsWith("table"));
    nodes = tables.flatMap(({ keys }) =>
      part === "*" ? Object.values(keys) : Object.hasOwn(keys, part) ? [keys[part] as SchemaNode] : [],
    );
  }
  return nodes.length > 0;
}

describe("keys of the configuration", () => {
  test.each(PAGES.filter((path) => path !== "docs/configuration.md"))("named in %s are there", (path) => {
    // Generated tables have names of their own kind, and are right by themselves.
    const written = prose(readPage(path)).replaceAll(/<!-- generated: [\s\S]*?<!-- \/generated: /g, "");
    expect(keyNames(written).filter((name) => !isKey(name))).toEqual([]);
  });

  test("are told from what only looks like one", () => {
    const text =
      "`limits.body_bytes` `limits.body_bites` `providers.*.base_url` `auth.keys.web` `log.ts` `metrics.serviceMonitor` a.b";
    const names = keyNames(text);
    expect(names).toEqual(["limits.body_bytes", "limits.body_bites", "providers.*.base_url", "auth.keys.web"]);
    expect(names.filter((name) => !isKey(name))).toEqual(["limits.body_bites"]);
  });
});

/** Rows of the first table after `heading`, cells without backticks. */
function tableAfter(page: string, heading: string): readonly (readonly string[])[] {
  const lines = page.slice(page.indexOf(heading)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("| ---"));
  const rows: string[][] = [];
  for (const line of lines.slice(from + 1)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  }
  return rows;
}

describe("ARCHITECTURE.md", () => {
  const page = readPage("ARCHITECTURE.md");
  const checked = readFileSync(join(root, "test/architecture.test.ts"), "utf8");

  test("shows the import table that is checked", () => {
    const [, body = ""] = /const MAY_IMPORT[^{]*\{\n([\s\S]*?)\n\};/.exec(checked) ?? [];
    const expected = body.split("\n").map((line) => {
      const [, folder = "", allowed = ""] = /^\s*"?([\w.]+)"?: (.+),$/.exec(line) ?? [];
      if (allowed === "everything") return [folder, "everything"];
      return [folder, JSON.parse(allowed).join(", ") || "nothing"];
    });
    expect(expected.length).toBeGreaterThan(10);
    expect(tableAfter(page, "## Who may import whom")).toEqual(expected);
  });

  test("maps every folder of src", () => {
    // An empty folder is none: a clone would not have it.
    const folders = readdirSync(join(root, "src")).filter(
      (name) => name.includes(".") || readdirSync(join(root, "src", name)).length > 0,
    );
    const mapped = tableAfter(page, "## Map").map(([folder]) => folder ?? "");
    expect(folders.filter((folder) => !mapped.includes(folder))).toEqual([]);
  });

  test("names the files that are there", () => {
    const named = [...page.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(([, path = ""]) => path);
    const missing = named.filter((path) => !existsSync(join(root, path)) && !existsSync(join(root, "src", path)));
    expect(missing).toEqual([]);
  });
});

describe("README.md", () => {
  const page = readPage("README.md");

  test("names every header of an answer", () => {
    const names = Object.keys(RESPONSE_HEADERS);
    const section = page.slice(page.indexOf("## Headers"), page.indexOf("## Routes"));
    expect(names.filter((name) => !new RegExp(`\`-${name}[\`:]`).test(section))).toEqual([]);
  });

  test("has every command", () => {
    const help = Bun.spawnSync([process.execPath, join(root, "src/main.ts"), "--help"]).stdout.toString();
    const commands = [...help.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name = ""]) => name);
    expect(commands.length).toBeGreaterThan(8);
    const shown = tableAfter(page, "## Commands").map(([cell = ""]) => cell);
    expect(commands.filter((name) => !shown.some((cell) => cell.includes(`arouter ${name}`)))).toEqual([]);
  });
});

describe("docs/resilience.md", () => {
  const rows = tableAfter(readPage("docs/resilience.md"), "## Outcome classes");

  test("has every outcome class in order", () => {
    expect(rows.map(([name]) => name)).toEqual([...OUTCOME_CLASSES]);
  });

  test("says of each how it is retried and what the breaker makes of it, as the code has it", () => {
    for (const name of OUTCOME_CLASSES) {
      const [, , retried = "", , breaker = ""] = rows.find(([first]) => first === name) ?? [];
      const { retry, breaker: counted } = classified(name);
      expect([name, retried]).toEqual([
        name,
        expect.stringMatching({ no: /^(no\b|$)/, backoff: /^with backoff/, "at-once": /^once, at once/ }[retry]),
      ]);
      const shown = {
        success: /^success/,
        failure: /^failure/,
        neutral: /^neutral/,
        answered: /^neutral/,
        throttled: /^neutral/,
      };
      expect([name, breaker]).toEqual([name, expect.stringMatching(shown[counted])]);
    }
  });
});

test("docs/self-healing.md has every validator in order", () => {
  const rows = tableAfter(readPage("docs/self-healing.md"), "## Validators");
  expect(rows.map(([name]) => name)).toEqual([...VALIDATOR_NAMES]);
});

test("no page refers to what is outside the repository", () => {
  const leaking = PAGES.filter((path) =>
    /\.\.\/shared|\/work\/|WIRE\.md|POLICY\.md|RESILIENCE\.md|HOUSE\.md/.test(readPage(path)),
  );
  expect(leaking).toEqual([]);
});

describe("figures in the prose", () => {
  const { breaker, hedge, heal, limits, retry, stream } = defaultConfig;
  const figures: readonly (readonly [page: string, words: string, actual: unknown, stated: unknown])[] = [
    ["docs/resilience.md", "`limits.max_attempts` (6)", limits.maxAttempts, 6],
    [
      "docs/resilience.md",
      "1.2 times the offered load and three",
      [retry.budgetRatio, retry.budgetMinPerSecond],
      [0.2, 3],
    ],
    ["docs/resilience.md", "They open at 5 failures in a row", breaker.consecutiveFailures, 5],
    [
      "docs/resilience.md",
      "a failure rate of 0.5 over at least 20",
      [breaker.failureRate, breaker.minRequests],
      [0.5, 20],
    ],
    ["docs/resilience.md", "in 30 seconds", breaker.windowMs, 30_000],
    [
      "docs/resilience.md",
      "After 5 seconds, doubled at each re-opening up to 60",
      [breaker.openBaseMs, breaker.openMaxMs],
      [5_000, 60_000],
    ],
    ["docs/resilience.md", "`hedge.max_extra` (2 % of first tries)", hedge.maxExtra, 0.02],
    ["docs/resilience.md", "After 15 seconds of silence (`stream.keepalive`)", stream.keepaliveMs, 15_000],
    ["docs/resilience.md", "`stream.commit_after` (45 s)", stream.commitAfterMs, 45_000],
    [
      "docs/self-healing.md",
      "`preflush_bytes` (8192) of content, 2 MiB",
      [heal.preflushBytes, heal.rawBytes],
      [8192, 2 ** 21],
    ],
    ["docs/self-healing.md", "one user message of at most 4 KiB", FEEDBACK_MAX_BYTES, 4096],
    [
      "docs/self-healing.md",
      "200000 steps or 50 ms",
      [DEFAULT_SCHEMA_LIMITS.maxSteps, DEFAULT_SCHEMA_LIMITS.maxMs],
      [200_000, 50],
    ],
    [
      "docs/decisions/0004-own-schema-evaluator.md",
      "200000 steps and 50 ms",
      [DEFAULT_SCHEMA_LIMITS.maxSteps, DEFAULT_SCHEMA_LIMITS.maxMs],
      [200_000, 50],
    ],
  ];
  test.each(figures)("%s: %s", (page, words, actual, stated) => {
    expect(readPage(page).replaceAll(/\s+/g, " ")).toContain(words);
    expect(actual).toEqual(stated);
  });
});
