/** Recorded provider traffic of the shared folder, one record a line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { sharedDir } from "./shared.ts";

export interface CorpusRecord {
  readonly id: string;
  readonly endpoint: string;
  /** `verbatim`: bodies as on the wire, but for their spacing. */
  readonly fidelity: string;
  readonly request: { readonly path: string; readonly body: JsonObject } | null;
  readonly response: { readonly status: number; readonly body?: Json; readonly sse?: string; readonly text?: string };
  readonly tags: readonly string[];
}

export type CorpusName =
  "openai-chat" | "openai-responses" | "anthropic-messages" | "response-only" | "errors-other-endpoints";

/** The records of one file; none when the shared folder is not there. */
export function readCorpus(name: CorpusName): readonly CorpusRecord[] {
  if (sharedDir === null) return [];
  return readFileSync(join(sharedDir, "corpus", `${name}.jsonl`), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CorpusRecord);
}
