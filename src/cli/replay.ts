/** `arouter replay`: what a policy would have decided for the requests of a ledger. */
import { renderDiagnostic } from "../base/diagnostic.ts";
import type { Policy } from "../policy/policy.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readLedgers } from "./ledger-lines.ts";
import { createReplayer } from "./replay-entry.ts";
import { renderReplayJson, renderReplayText } from "./replay-render.ts";
import { addReplayed, createReplayTally, type ReplayTally } from "./replay-tally.ts";
import { loadConfiguredPolicy, loadSurroundings, type Surroundings } from "./surroundings.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter replay: what a policy would have decided for recorded requests, and the change in dollars

  arouter replay LEDGER… [--policy NEW] [--json] [--config FILE]

  LEDGER    files that [ledger] wrote, rotated ones too
  --policy  policy file or folder; without it, the configured one
  --json    print the result as JSON
  --config  arouter.toml, for the policy's place, prices and which provider serves which model

A request moves when another model would be asked first, or when it would be blocked, or no longer. Its new cost is that of
the recorded tokens at the new model's prices, answered at the first attempt. Conditions on texts, headers and names that
the ledger does not hold leave a request undecided; [ledger] requests = true keeps the bodies that most of them need.
`;

const MAX_FILES = 10_000;

/** Runs the command. Exit 0; 2 for bad usage, or what cannot be read or does not load. */
export async function runReplay(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("replay", args, io, {
    help: HELP,
    options: { policy: { type: "string" }, json: { type: "boolean" }, config: { type: "string" } },
    maxPositionals: MAX_FILES,
  });
  if ("exit" in line) return line.exit;
  const { values, positionals } = line;
  const surroundings = loadSurroundings(io, { config: values.config ?? null, policy: values.policy ?? null });
  if (surroundings.config === null) {
    for (const diagnostic of surroundings.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return EXIT.usage;
  }
  const configured = surroundings.config.ledger.file;
  const paths = positionals.length > 0 ? positionals : configured === null ? [] : [configured];
  if (paths.length === 0) {
    io.stderr('arouter replay: name a ledger, or set ledger.file\nTry "arouter replay --help".\n');
    return EXIT.usage;
  }
  const loaded = loadConfiguredPolicy(surroundings);
  if (!loaded.ok) {
    for (const diagnostic of loaded.diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return EXIT.usage;
  }
  try {
    const tally = replay(loaded.policy, paths, surroundings, io);
    io.stdout(values.json === true ? renderReplayJson(tally, loaded.policy) : renderReplayText(tally, loaded.policy));
    return EXIT.fine;
  } catch (error) {
    io.stderr(`arouter replay: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
}

function replay(policy: Policy, paths: readonly string[], surroundings: Surroundings, io: CliIo): ReplayTally {
  const { catalog, providerOf } = surroundings;
  const decideAgain = createReplayer(policy, providerOf);
  const tally = createReplayTally();
  for (const entry of readLedgers("replay", paths, io)) {
    tally.lines += 1;
    if (entry === null) tally.unreadable += 1;
    else addReplayed(tally, entry, decideAgain(entry), { catalog, providerOf });
  }
  return tally;
}
