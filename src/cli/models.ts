/** `arouter models`: the catalog. */
import { renderDiagnostic } from "../base/diagnostic.ts";
import { renderEntry } from "../catalog/entry.ts";
import type { Catalog, Model } from "../catalog/model.ts";
import { loadConfig } from "../config/load.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter models: what each model can do and costs

  arouter models [NAME…] [--provider openai|anthropic] [--json] [--config FILE]

  NAME        models by id, with or without date; a model that is not in the catalog is shown as it is treated
  --provider  only this provider's
  --json      every field, in the shape that [catalog] takes
  --config    configuration whose [catalog] is laid over the built-in one

Prices are US dollars per million tokens of the standard tier, below any band.
`;

const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

/** Prints a table, or JSON. Exit 0; 2 for bad usage or a configuration that does not load. */
export async function runModels(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("models", args, io, {
    help: HELP,
    options: { json: { type: "boolean" }, provider: { type: "string" }, config: { type: "string" } },
    maxPositionals: ANY_NUMBER,
  });
  if ("exit" in line) return line.exit;
  const { json, provider, config } = line.values;
  if (provider !== undefined && provider !== "openai" && provider !== "anthropic") {
    io.stderr('arouter models: --provider must be "openai" or "anthropic"\n');
    return EXIT.usage;
  }
  const overrides = config === undefined ? {} : { configFile: config };
  const loaded = loadConfig({ overrides, env: io.env, cwd: io.cwd, requireKey: false });
  if (!loaded.ok) {
    for (const diagnostic of loaded.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return EXIT.usage;
  }
  const { catalog } = loaded;
  const asked = line.positionals.length === 0 ? catalog.models : line.positionals.map((id) => catalog.find(id));
  const models = asked.filter((model) => provider === undefined || model.provider === provider);
  io.stdout(json === true ? renderJson(catalog, models) : renderTable(catalog, models));
  return EXIT.fine;
}

function renderJson(catalog: Catalog, models: readonly Model[]): string {
  const entries = models.map((model) => [model.id, renderEntry(model)] as const);
  return `${JSON.stringify({ as_of: catalog.asOf, models: Object.fromEntries(entries) }, null, 2)}\n`;
}

const COLUMNS = [
  "MODEL",
  "PROVIDER",
  "SERVED ON",
  "CONTEXT",
  "OUTPUT",
  "IN $",
  "CACHED $",
  "OUT $",
  "SHUT DOWN",
  "CAN",
] as const;
const RIGHT_ALIGNED: ReadonlySet<string> = new Set(["CONTEXT", "OUTPUT", "IN $", "CACHED $", "OUT $"]);

function renderTable(catalog: Catalog, models: readonly Model[]): string {
  const rows = [COLUMNS, ...models.map(renderRow)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT_ALIGNED.has(COLUMNS[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n${models.length} models as of ${catalog.asOf}\n`;
}

function renderRow(model: Model): readonly string[] {
  const rates = model.prices?.standard?.base;
  const { capabilities } = model;
  const can = [
    capabilities.tools ? "tools" : "",
    capabilities.vision ? "vision" : "",
    capabilities.pdf ? "pdf" : "",
    capabilities.audioInput ? "audio" : "",
    capabilities.structuredOutputs ? "schema" : "",
    capabilities.reasoning === "none" ? "" : "reasoning",
  ];
  return [
    model.known ? model.id : `${model.id} (unknown)`,
    model.provider,
    model.formats.join(","),
    count(model.inputTokens ?? model.contextTokens),
    count(model.maxOutputTokens),
    String(rates?.input ?? "-"),
    String(rates?.cacheRead ?? "-"),
    String(rates?.output ?? "-"),
    model.shutdownOn ?? "-",
    can.filter((word) => word !== "").join(" "),
  ];
}

function count(tokens: number | null): string {
  return tokens === null ? "-" : String(tokens);
}
