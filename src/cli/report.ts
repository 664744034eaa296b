/** `arouter report`: what the requests of a ledger used, cost and saved. */
import { renderDiagnostic } from "../base/diagnostic.ts";
import { loadConfig } from "../config/load.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readLedgers } from "./ledger-lines.ts";
import { addEntry, createReportTally, REPORT_KEYS } from "./report-tally.ts";
import { renderReportJson, renderReportText } from "./report-render.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter report: requests, tokens, cost, saved, heals, errors and latency of a ledger

  arouter report LEDGER… [--by rule|model|tag|day] [--json] [--config FILE]

  LEDGER    files that [ledger] wrote, rotated ones too; without one, the configured ledger
  --by      one line per rule (default), answering model, tag or day (UTC)
  --json    print the result as JSON
  --config  arouter.toml, for the ledger's place

Tokens and cost are those of all attempts, failed and healed ones too. A request with several tags counts under each.
`;

const MAX_FILES = 10_000;

/** Runs the command. Exit 0; 2 for bad usage, or what cannot be read. */
export async function runReport(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("report", args, io, {
    help: HELP,
    options: { by: { type: "string" }, json: { type: "boolean" }, config: { type: "string" } },
    maxPositionals: MAX_FILES,
  });
  if ("exit" in line) return line.exit;
  const { values, positionals } = line;
  const by = REPORT_KEYS.find((key) => key === (values.by ?? "rule"));
  if (by === undefined) {
    io.stderr(`arouter report: --by must be one of ${REPORT_KEYS.join(", ")}\nTry "arouter report --help".\n`);
    return EXIT.usage;
  }
  const paths = positionals.length > 0 ? positionals : configuredLedger(values.config, io);
  if (paths === null) return EXIT.usage;
  try {
    const tally = createReportTally();
    for (const entry of readLedgers("report", paths, io)) addEntry(tally, entry, by);
    io.stdout(values.json === true ? renderReportJson(tally, by) : renderReportText(tally, by));
    return EXIT.fine;
  } catch (error) {
    io.stderr(`arouter report: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
}

/** The ledger of the configuration; null, and why, when there is none. */
function configuredLedger(configFile: string | undefined, io: CliIo): readonly string[] | null {
  const overrides = configFile === undefined ? {} : { configFile };
  const loaded = loadConfig({ overrides, env: io.env, cwd: io.cwd, requireKey: false });
  if (!loaded.ok) {
    for (const diagnostic of loaded.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return null;
  }
  const { file } = loaded.config.ledger;
  if (file !== null) return [file];
  io.stderr('arouter report: name a ledger, or set ledger.file\nTry "arouter report --help".\n');
  return null;
}
