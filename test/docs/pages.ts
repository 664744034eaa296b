/** The pages that a user reads, and the code blocks in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dir, "../..");

/** Paths from the root of the repository: its own pages, then docs/. */
export const PAGES: readonly string[] = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path.replaceAll("\\", "/")}`)
    .toSorted(),
];

export function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** One fenced block. */
export interface Snippet {
  /** Line of its opening fence, from 1. */
  readonly line: number;
  /** The word after the fence; "" without one. */
  readonly language: string;
  readonly text: string;
  /** Why it is not run; null when it is. */
  readonly notRun: string | null;
  /** File name under which it is saved for the commands after it. */
  readonly file: string | null;
  /** Its lines are to be found in the output of the command before it. */
  readonly isOutput: boolean;
}

/** The blocks of `page` in order. An indented block, as in a list, loses its indentation. */
export function readSnippets(page: string): readonly Snippet[] {
  const lines = page.split("\n");
  const snippets: Snippet[] = [];
  let mark = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const fence = /^(\s*)```(\S*)\s*$/.exec(line);
    if (fence === null) {
      if (line.trim() !== "") mark = line.trim();
      continue;
    }
    const [, indent = "", language = ""] = fence;
    const from = at + 1;
    do at++;
    while (at < lines.length && (lines[at] ?? "").trim() !== "```");
    const body = lines.slice(from, at).map((text) => (text.startsWith(indent) ? text.slice(indent.length) : text));
    snippets.push({
      line: from,
      language,
      text: `${body.join("\n")}\n`,
      notRun: /^<!-- not run: (.+) -->$/.exec(mark)?.[1] ?? null,
      file: /^<!-- file: (\S+) -->$/.exec(mark)?.[1] ?? null,
      isOutput: mark === "<!-- output -->",
    });
    mark = "";
  }
  return snippets;
}
