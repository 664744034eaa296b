/**
 * Public suites and recorded traffic that are too large to live in this repository. They are looked for beside it;
 * tests that read them skip, and say so, where they are not.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const candidate = process.env["AROUTER_SHARED"] ?? resolve(import.meta.dir, "../../../shared");

/** The folder with `corpus/`, `data/` and `facts/`; null where it does not exist. `AROUTER_SHARED` names another. */
export const sharedDir: string | null = existsSync(join(candidate, "corpus")) ? candidate : null;

/** Why tests over the shared data skip, for their names. */
export const sharedMissing = "no shared data beside the repository (AROUTER_SHARED names another folder)";

/** One recorded exchange. `body`, `sse` and `text` exclude each other. */
export interface CorpusRecord {
  readonly id: string;
  readonly source: {
    readonly repo: string;
    readonly path: string;
    readonly commit: string;
    readonly index: number;
    readonly license: string;
  };
  readonly provider: string;
  readonly endpoint: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  } | null;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly sse?: string;
    readonly text?: string;
  };
  readonly tags: readonly string[];
}

/** Name of a corpus file, without `.jsonl`. */
export type CorpusName = "openai-chat" | "anthropic-messages" | "openai-responses" | "response-only";

/** Reads one file of recorded traffic; an empty list where there is none. */
export function readCorpus(name: CorpusName): readonly CorpusRecord[] {
  if (sharedDir === null) return [];
  const text = readFileSync(join(sharedDir, "corpus", `${name}.jsonl`), "utf8");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as CorpusRecord);
}
