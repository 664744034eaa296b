/** Reading a command's arguments: options, help and the message for what is not understood. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { suggestion } from "../base/diagnostic.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

type OptionValue<Spec> = Spec extends { readonly multiple: true; readonly type: "string" }
  ? readonly string[] | undefined
  : Spec extends { readonly type: "string" }
    ? string | undefined
    : boolean | undefined;

/** Arguments as understood, or the exit code with which the command ends at once. */
export type CommandLine<Spec extends Options> =
  | {
      readonly values: { readonly [Name in keyof Spec]: OptionValue<Spec[Name]> };
      readonly positionals: readonly string[];
    }
  | { readonly exit: number };

export interface CommandUsage<Spec extends Options> {
  /** Printed for `--help`, and after a mistake's message the hint to ask for it. */
  readonly help: string;
  readonly options: Spec;
  /** How many arguments without a dash are taken; none unless told. */
  readonly maxPositionals?: number;
}

/** Prints help or what is wrong, if there is reason to: then `exit` is 0 or 2. */
export function readArguments<const Spec extends Options>(
  command: string,
  args: readonly string[],
  io: CliIo,
  usage: CommandUsage<Spec>,
): CommandLine<Spec> {
  const options = { ...usage.options, help: { type: "boolean", short: "h" } } as const satisfies Options;
  const fail = (problem: string): CommandLine<Spec> => {
    io.stderr(`arouter ${command}: ${problem}\nTry "arouter ${command} --help".\n`);
    return { exit: EXIT.usage };
  };
  const unknown = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length).find((arg) => {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    return name !== undefined && !Object.hasOwn(options, name);
  });
  if (unknown !== undefined) {
    const names = Object.keys(options).map((name) => `--${name}`);
    const [name = unknown] = unknown.split("=");
    return fail(`unknown option ${name}${suggestion(name, names)}`);
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    if ("help" in values && values.help === true) {
      io.stdout(usage.help);
      return { exit: EXIT.fine };
    }
    const extra = positionals[usage.maxPositionals ?? 0];
    if (extra !== undefined) return fail(`unexpected argument "${extra}"`);
    return { values, positionals } as unknown as CommandLine<Spec>;
  } catch (error) {
    const [problem = "bad arguments"] = error instanceof Error ? error.message.split(". ") : [];
    return fail(problem.charAt(0).toLowerCase() + problem.slice(1));
  }
}
