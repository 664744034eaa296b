/**
 * Replay and report over a long ledger: time and memory. `bun bench/ledger.ts [LINES]`, a million unless said.
 * The ledger is written to a temporary folder and removed again.
 */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { CliIo } from "../src/cli/io.ts";
import { runReplay } from "../src/cli/replay.ts";
import { runReport } from "../src/cli/report.ts";
import { renderLedgerLine } from "../src/observe/ledger-line.ts";
import { ARRIVAL_MS, healedRecord } from "../test/observe/support.ts";

const lines = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "ledger-bench-"));
const ledger = join(folder, "ledger.jsonl");
const policy = resolve(import.meta.dir, "../policies/default.yaml");

const MEBIBYTE = 1024 * 1024;
const BATCH = 1000;

function writeLedger(): void {
  const descriptor = openSync(ledger, "w");
  for (let start = 0; start < lines; start += BATCH) {
    let batch = "";
    for (let number = start; number < Math.min(lines, start + BATCH); number++) {
      const record = healedRecord();
      const facts = { ...record.facts, tokens_input: number % 5000, messages: 1 + (number % 7) };
      const line = { ...record, id: `req_ar_${number}`, wallMs: ARRIVAL_MS + number * 100, facts };
      batch += `${renderLedgerLine(line, { keepBody: false })}\n`;
    }
    writeSync(descriptor, batch);
  }
  closeSync(descriptor);
}

async function time(name: string, run: (io: CliIo) => Promise<number>): Promise<void> {
  const io: CliIo = {
    stdout: () => undefined,
    stderr: (text) => void process.stderr.write(text),
    env: {},
    cwd: folder,
    isTerminal: false,
    now: () => Date.now(),
  };
  const startedMs = performance.now();
  const exit = await run(io);
  const seconds = (performance.now() - startedMs) / 1000;
  if (exit !== 0) throw new Error(`${name} ended with ${exit}`);
  const resident = Math.round(process.memoryUsage.rss() / MEBIBYTE);
  process.stdout.write(
    `${name.padEnd(8)} ${seconds.toFixed(1)} s   ${Math.round(lines / seconds)} lines/s   ${resident} MiB resident\n`,
  );
}

try {
  writeLedger();
  process.stdout.write(`${lines} lines, ${Math.round(statSync(ledger).size / MEBIBYTE)} MiB\n`);
  await time("report", (io) => runReport([ledger, "--json"], io));
  await time("replay", (io) => runReplay([ledger, "--policy", policy, "--json"], io));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
