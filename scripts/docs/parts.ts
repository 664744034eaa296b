/** Pages written by hand with generated parts between marks. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** The page at `path` as it stands, every part between `<!-- generated: NAME -->` and its end mark written anew. */
export function renderParts(path: string, parts: Readonly<Record<string, () => string>>): string {
  const page = readFileSync(resolve(import.meta.dir, "../..", path), "utf8");
  return Object.entries(parts).reduce((whole, [name, render]) => {
    const [open, close] = [`<!-- generated: ${name} -->`, `<!-- /generated: ${name} -->`];
    const [before, rest] = split(path, whole, open);
    const [, after] = split(path, rest, close);
    return `${before}${open}\n\n${render()}\n\n${close}${after}`;
  }, page);
}

function split(path: string, text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`${path} lacks the mark ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** A Markdown table. */
export function renderTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heading), `|${heading.map(() => " --- |").join("")}`, ...rows.map(line)].join("\n");
}
