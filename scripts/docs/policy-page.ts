/** The generated parts of docs/policy.md, from the tables of src/policy. The rest of the page is written by hand. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CLIENT_NAMES } from "../../src/policy/client.ts";
import { CONDITIONS, GROUPS } from "../../src/policy/conditions.ts";
import { OVERRIDE_HEADERS } from "../../src/policy/overrides.ts";
import { THEN_FIELDS } from "../../src/policy/then-fields.ts";

const COMPARISON = /_(lt|lte|gt|gte)$/;

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** One row per condition; the four comparisons of a number share one. */
function conditionsTable(): string {
  const rows = Object.entries({ ...CONDITIONS, ...GROUPS }).flatMap(([name, { type, doc }]) => {
    if (!COMPARISON.test(name)) return [`| \`${name}\` | ${cell(type)} | ${cell(doc)} |`];
    if (!name.endsWith("_lt")) return [];
    const noun = name.replace(COMPARISON, "");
    return [`| \`${noun}_lt\` \`_lte\` \`_gt\` \`_gte\` | ${type} | ${cell(doc.replace(/: under this$/, ""))} |`];
  });
  return ["| condition | value | holds when |", "|---|---|---|", ...rows].join("\n");
}

function thenTable(): string {
  const rows = Object.entries(THEN_FIELDS).map(([name, { doc }]) => `| \`${name}\` | ${cell(doc)} |`);
  return ["| key | what it does |", "|---|---|", ...rows].join("\n");
}

function headersTable(): string {
  const rows = Object.entries(OVERRIDE_HEADERS).map(
    ([name, { values, doc }]) => `| \`x-arouter-${name}\` | ${cell(values)} | ${cell(doc)} |`,
  );
  return ["| header | value | what it does |", "|---|---|---|", ...rows].join("\n");
}

const PARTS: Readonly<Record<string, () => string>> = {
  conditions: conditionsTable,
  then: thenTable,
  headers: headersTable,
  clients: () => CLIENT_NAMES.map((name) => `\`${name}\``).join(" · "),
};

/** docs/policy.md as it stands, every part between `<!-- generated: NAME -->` and its end mark written anew. */
export function renderPolicyPage(): string {
  const page = readFileSync(resolve(import.meta.dir, "../../docs/policy.md"), "utf8");
  return Object.entries(PARTS).reduce((whole, [name, render]) => {
    const [open, close] = [`<!-- generated: ${name} -->`, `<!-- /generated: ${name} -->`];
    const [before, rest] = split(whole, open);
    const [, after] = split(rest, close);
    return `${before}${open}\n\n${render()}\n\n${close}${after}`;
  }, page);
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`docs/policy.md lacks the mark ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
