/** The end of a ledger, for what wants to remember requests from before a restart. */
import { stat } from "node:fs/promises";
import { isObject, type Json, type JsonObject } from "../base/json.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/** The last lines of the ledger at `path`, oldest first, out of its last 4 MiB; none when it cannot be read. */
export async function readLedgerTail(path: string, maxLines: number): Promise<readonly JsonObject[]> {
  try {
    // A pipe is no past, and reading it would wait for its writer: this process.
    if (!(await stat(path)).isFile()) return [];
    const file = Bun.file(path);
    const start = Math.max(0, file.size - MAX_BYTES);
    const lines = (await file.slice(start).text()).split("\n");
    // What begins in the middle of a line is none.
    return (start > 0 ? lines.slice(1) : lines).slice(-maxLines - 1).flatMap(parseLine);
  } catch {
    return [];
  }
}

function parseLine(line: string): readonly JsonObject[] {
  try {
    const json = JSON.parse(line) as Json;
    return isObject(json) ? [json] : [];
  } catch {
    return [];
  }
}
