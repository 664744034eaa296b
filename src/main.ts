/** `arouter`: finds the command and runs it. */
import { systemClock } from "./base/clock.ts";
import { suggestion } from "./base/diagnostic.ts";
import { EXIT } from "./cli/exit.ts";
import type { CliIo } from "./cli/io.ts";
import { createOutput, isTerminal } from "./cli/output.ts";

type Command = (args: readonly string[], io: CliIo) => Promise<number>;

/** Commands are loaded when they are run: a health check does not pay for the gateway. */
const COMMANDS: Readonly<Record<string, { readonly help: string; readonly load: () => Promise<Command> }>> = {
  serve: { help: "run the gateway (the default)", load: async () => (await import("./cli/serve.ts")).runServe },
  demo: { help: "run it with simulated providers", load: async () => (await import("./cli/demo.ts")).runDemo },
  check: {
    help: "check configuration and policy",
    load: async () => {
      const { runCheck } = await import("./cli/check.ts");
      const { askProviders } = await import("./cli/ask-providers.ts");
      return (args, io) => runCheck(args, io, askProviders);
    },
  },
  explain: {
    help: "show what is decided for a request",
    load: async () => (await import("./cli/explain.ts")).runExplain,
  },
  test: { help: "run the policy's own tests", load: async () => (await import("./cli/test.ts")).runTest },
  replay: {
    help: "decide recorded requests again, under another policy",
    load: async () => (await import("./cli/replay.ts")).runReplay,
  },
  report: {
    help: "sum up a ledger: cost, saved, errors, latency",
    load: async () => (await import("./cli/report.ts")).runReport,
  },
  models: { help: "print the catalog of models", load: async () => (await import("./cli/models.ts")).runModels },
  healthcheck: {
    help: "ask a running gateway how it is",
    load: async () => (await import("./cli/healthcheck.ts")).runHealthcheck,
  },
  init: { help: "write files to start from", load: async () => (await import("./cli/init.ts")).runInit },
  version: { help: "print version and build", load: async () => (await import("./cli/version.ts")).runVersion },
};

function help(): string {
  const names = Object.entries(COMMANDS).map(([name, { help: line }]) => `  ${name.padEnd(12)} ${line}`);
  return `arouter: a gateway between applications and the OpenAI and Anthropic APIs

  arouter [COMMAND] [OPTIONS]

${names.join("\n")}

arouter COMMAND --help tells more.
`;
}

const io: CliIo = {
  stdout: createOutput("stdout"),
  stderr: createOutput("stderr"),
  env: process.env,
  cwd: process.cwd(),
  isTerminal: isTerminal(),
  now: systemClock.wallMs,
};

async function main(args: readonly string[]): Promise<number> {
  const [first = "serve", ...rest] = args;
  if (first === "--help" || first === "-h" || first === "help") {
    io.stdout(help());
    return EXIT.fine;
  }
  const name = first === "--version" || first === "-v" ? "version" : first;
  // Options alone are those of the default command.
  const [command, commandArgs] = name.startsWith("-") ? ["serve", args] : [name, rest];
  if (command === "worker" && process.send !== undefined) {
    return (await import("./cli/worker.ts")).runWorker(commandArgs, io);
  }
  const entry = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (entry === undefined) {
    io.stderr(
      `arouter: unknown command "${command}"${suggestion(command, Object.keys(COMMANDS))}\nTry "arouter --help".\n`,
    );
    return EXIT.usage;
  }
  const run = await entry.load();
  return run(commandArgs, io);
}

process.exitCode = await main(process.argv.slice(2));
