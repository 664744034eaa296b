/** Reads a command's arguments; mistakes become one line on stderr and exit status 2. */
import { parseArgs } from "node:util";
import { nearest } from "../base/diagnostic.ts";
import type { CliIo } from "./io.ts";

/** Exit statuses. */
export const EXIT = { fine: 0, no: 1, usage: 2 } as const;

/** One option: a flag, a value, or a value that may be given several times. */
export type OptionSpec = "flag" | "value" | "values";

type OptionValue<Spec extends OptionSpec> = Spec extends "flag" ? boolean : Spec extends "value" ? string | null : readonly string[];

export interface Arguments<Options extends Readonly<Record<string, OptionSpec>>> {
  readonly options: { readonly [Name in keyof Options]: OptionValue<Options[Name]> };
  readonly positionals: readonly string[];
}

/** `done`: the status to exit with, help or a mistake having been printed. */
export type ReadArguments<Options extends Readonly<Record<string, OptionSpec>>> =
  | { readonly arguments: Arguments<Options> }
  | { readonly done: number };

/** Reads `args` by `options`; `help` is the text of `--help` and names the command in its first line. */
export function readArguments<const Options extends Readonly<Record<string, OptionSpec>>>(
  args: readonly string[],
  io: CliIo,
  help: string,
  options: Options,
  maxPositionals = 0,
): ReadArguments<Options> {
  const fail = (message: string): { readonly done: number } => {
    io.stderr(`${message}\n${help.split("\n")[0] ?? ""}\n`);
    return { done: EXIT.usage };
  };
  const specs = Object.fromEntries(
    Object.entries(options).map(([name, spec]) => [
      name,
      { type: spec === "flag" ? ("boolean" as const) : ("string" as const), multiple: spec === "values" },
    ]),
  );
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: { ...specs, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (name === "help" || name === "h") {
      io.stdout(help);
      return { done: EXIT.fine };
    }
    const spec = Object.hasOwn(options, name) ? options[name] : undefined;
    if (spec === undefined) {
      const near = nearest(name, Object.keys(options));
      return fail(`unknown option ${rawName}${near === null ? "" : `; did you mean --${near}?`}`);
    }
    if (spec === "flag" && value !== undefined) return fail(`option ${rawName} takes no value`);
    if (spec !== "flag" && value === undefined) return fail(`option ${rawName} needs a value`);
    if (spec !== "values" && given.has(name)) return fail(`option ${rawName} is given twice`);
    given.set(name, [...(given.get(name) ?? []), value ?? ""]);
  }
  const extra = positionals[maxPositionals];
  if (extra !== undefined) return fail(`unexpected argument "${extra}"`);
  const values = Object.entries(options).map(([name, spec]) => {
    const texts = given.get(name);
    return [name, spec === "flag" ? texts !== undefined : spec === "value" ? (texts?.[0] ?? null) : (texts ?? [])];
  });
  return { arguments: { options: Object.fromEntries(values) as Arguments<Options>["options"], positionals } };
}
