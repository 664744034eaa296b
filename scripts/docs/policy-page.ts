/** The generated parts of docs/policy.md, from the tables of src/policy. The rest of the page is written by hand. */
import { CLIENT_NAMES } from "../../src/policy/client.ts";
import { CONDITIONS, GROUPS } from "../../src/policy/conditions.ts";
import { OVERRIDE_HEADERS } from "../../src/policy/overrides.ts";
import { THEN_FIELDS } from "../../src/policy/then-fields.ts";
import { renderParts } from "./parts.ts";

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

/** docs/policy.md as it stands, its tables written anew. */
export function renderPolicyPage(): string {
  return renderParts("docs/policy.md", PARTS);
}
