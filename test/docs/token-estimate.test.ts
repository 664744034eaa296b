/** The errors of the token estimate, as docs/policy.md quotes them, are those that the bench prints. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { sharedDir, sharedMissing } from "../support/shared.ts";
import { readPage, root } from "./pages.ts";

const LABELS: Readonly<Record<string, string>> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  "openai chat": "OpenAI, Chat Completions",
  "openai responses": "OpenAI, Responses",
};
const title = "the token estimate is as far off as the documents say";

test.skipIf(sharedDir === null)(
  sharedDir === null ? `${title} (${sharedMissing})` : title,
  () => {
    const printed = Bun.spawnSync([process.execPath, join(root, "bench/tokens.ts")]).stdout.toString();
    const rows = [...printed.matchAll(/^(.+?) +n +(\d+) +median error (\S+ %) +p95 (\S+ %)/gm)].flatMap(
      ([, source = "", count = "", median = "", p95 = ""]) => {
        const label = LABELS[source];
        return label === undefined ? [] : [`| ${label} | ${count} | ${median} | ${p95} |`];
      },
    );
    expect(rows).toHaveLength(Object.keys(LABELS).length);
    const page = readPage("docs/policy.md");
    for (const row of rows) expect(page).toContain(`\n${row}\n`);
  },
  30_000,
);
