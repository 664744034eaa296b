/** docs/configuration.md from the table of keys. */
import { exampleOf } from "../../src/config/render.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import type { Fields, SchemaNode } from "../../src/config/section.ts";

const INTRODUCTION = `# Configuration

<!-- Written by scripts/docs.ts from src/config/schema.ts. Change that and run \`bun scripts/docs.ts\`. -->

\`arouter.toml\` is looked for at \`--config FILE\`, else \`$AROUTER_CONFIG\`, \`./arouter.toml\`, \`/etc/arouter/arouter.toml\`.
Without a file, defaults and the environment are enough: \`OPENAI_API_KEY=… arouter\`. \`arouter init\` writes a commented file,
\`arouter check\` tells every mistake in one with its line and column.

- **Durations** are strings: \`"250ms"\`, \`"2s"\`, \`"1.5m"\`, \`"1h"\`, at most a day; \`"0s"\` is none. Bytes and counts are integers.
- **\`\${NAME}\`** in any string is taken from the environment; a variable that is not set is an error.
- **Paths** that are relative start at the folder of the file that names them.
- **Unknown keys** are errors, as a misspelled key would silently do nothing.
- **Precedence**: command line, then \`AROUTER_OPENAI_API_KEY\` and \`AROUTER_ANTHROPIC_API_KEY\`, then the file, then
  \`OPENAI_API_KEY\` and \`ANTHROPIC_API_KEY\`, then the default. An empty variable counts as unset.
- **Reload**: a changed file is taken over while running. A file with a mistake changes nothing.

Marks: **R** takes effect after a restart; a reload says so. **†** a rule of the policy or a request header may override it.
**P** may be given for one provider too, as in \`[providers.openai.retry] max = 0\`.

A key that stands in the file itself is warned about when others can read the file. \`api_key = "\${NAME}"\` and \`api_key_file\` avoid that.
`;

export function renderConfigurationPage(): string {
  const sections = Object.entries(SCHEMA).flatMap(([name, node]) =>
    node.node === "section" ? renderSection(node.keys, node.doc, [name]) : [],
  );
  const top = Object.entries(SCHEMA).filter(([, node]) => node.node === "key");
  return [INTRODUCTION, "## Top level", "", ...renderTable(top, []), "", ...sections].join("\n").trimEnd() + "\n";
}

function renderSection(fields: Fields, doc: string, path: readonly string[]): readonly string[] {
  const entries = Object.entries(fields);
  const rows = entries.filter(([, node]) => node.node !== "section");
  const lines = [`## \`[${path.join(".")}]\``, "", doc, ""];
  if (rows.length > 0) lines.push(...renderTable(rows, path), "");
  // The tables of one provider repeat the general ones, where P marks what they take.
  const nested = path[0] === "providers" && path.length === 2 ? [] : entries;
  if (nested.length === 0) {
    lines.push(
      `Also \`[${path.join(".")}.retry]\`, \`.breaker\`, \`.hedge\`, \`.timeout\` and \`.limits\`, with the keys marked P in the tables of these names.`,
      "",
    );
  }
  for (const [name, node] of nested)
    if (node.node === "section") lines.push(...renderSection(node.keys, node.doc, [...path, name]));
  return lines;
}

function renderTable(rows: readonly (readonly [string, SchemaNode])[], path: readonly string[]): readonly string[] {
  return [
    "| key | type | default | marks | |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map(([name, node]) => renderRow(name, node, path)),
  ];
}

function renderRow(name: string, node: SchemaNode, path: readonly string[]): string {
  if (node.node !== "key") {
    const keys = node.node === "section" ? [] : Object.keys(node.keys);
    return row([`\`${name}\``, `table: ${keys.map((key) => `\`${key}\``).join(", ")}`, "unset", "R", node.doc]);
  }
  const example = exampleOf([...path, name]);
  const unset = example === '""' || node.type === "table" ? "unset" : `unset; \`${example}\``;
  const marks = [node.restart ? "R" : "", node.overridable ? "†" : "", node.perProvider ? "P" : ""].filter(
    (mark) => mark !== "",
  );
  return row([
    `\`${name}\``,
    node.type,
    node.defaultToml === null ? unset : `\`${node.defaultToml}\``,
    marks.join(" "),
    node.doc,
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
