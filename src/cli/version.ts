/** `arouter version`, and the facts of the build that other commands print. */
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readArguments } from "./usage.ts";

declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TARGET: string | undefined;

/** Version from source; a test holds it to package.json. A build bakes its own in. */
const SOURCE_VERSION = "0.1.0";

export const VERSION: string = typeof BUILD_VERSION === "string" ? BUILD_VERSION : SOURCE_VERSION;
export const COMMIT: string = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "source";
const TARGET: string = typeof BUILD_TARGET === "string" ? BUILD_TARGET : `${process.platform}-${process.arch}`;

/** Whether this is the compiled binary. */
export const IS_COMPILED: boolean = typeof BUILD_VERSION === "string";

const HELP = `arouter version: print version, commit, runtime and target

  arouter version [--json]
`;

export async function runVersion(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("version", args, io, { help: HELP, options: { json: { type: "boolean" } } });
  if ("exit" in line) return line.exit;
  const facts = { version: VERSION, commit: COMMIT, bun: Bun.version, target: TARGET };
  io.stdout(
    line.values.json === true
      ? `${JSON.stringify(facts)}\n`
      : `arouter ${VERSION} (commit ${COMMIT}, Bun ${Bun.version}, ${TARGET})\n`,
  );
  return EXIT.fine;
}
