/**
 * Builds the self-contained binary `dist/arouter`, or the file named by `--outfile`; `--target` builds for another
 * platform (linux-arm64, darwin-arm64, windows-x64, …; scripts/release/targets.ts has them all). The binary holds no path
 * and no time: the same source gives the same bytes, wherever and whenever it is built.
 */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readVersion } from "./release/lock.ts";
import { removeSignature } from "./release/mach-signature.ts";
import { run } from "./release/run.ts";
import { fetchRuntime } from "./release/runtime.ts";
import { findTarget } from "./release/targets.ts";

const root = resolve(import.meta.dir, "..");

/** What {@link buildBinary} may be told. */
export interface BuildOptions {
  readonly outfile?: string | undefined;
  /** A name of `TARGETS`; unset: this machine. */
  readonly target?: string | undefined;
  /** Baked in; unset: that of the work tree. */
  readonly commit?: string | undefined;
  /** Where to write what went into the binary, as `bun build --metafile` tells it. */
  readonly metafile?: string | undefined;
}

/** Commit of the work tree, with `-modified` when tracked files differ from it; `unknown` outside of git. */
export async function readCommit(): Promise<string> {
  try {
    const commit = (await run(["git", "rev-parse", "--short=12", "HEAD"], { cwd: root })).trim();
    const changes = await run(["git", "status", "--porcelain", "--untracked-files=no"], { cwd: root });
    return changes.trim() === "" ? commit : `${commit}-modified`;
  } catch {
    return "unknown";
  }
}

/** Builds the binary; @throws Error with the compiler's words when it cannot. */
export async function buildBinary(options: BuildOptions): Promise<void> {
  const target = options.target === undefined ? null : findTarget(options.target);
  const outfile = resolve(root, options.outfile ?? join("dist", target?.file ?? "arouter"));
  const commit = options.commit ?? (await readCommit());
  mkdirSync(dirname(outfile), { recursive: true });
  // The compiler leaves the maps of all chunks beside what it makes; those that count are in the binary.
  const scratch = mkdtempSync(join(dirname(outfile), ".build-"));
  try {
    const binary = join(scratch, basename(outfile));
    await compile(binary, commit, target, options.metafile);
    if (target?.name === "darwin-x64") writeFileSync(binary, removeSignature(readFileSync(binary)));
    renameSync(binary, outfile);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compile(
  outfile: string,
  commit: string,
  target: ReturnType<typeof findTarget> | null,
  metafile: string | undefined,
): Promise<void> {
  const define = (name: string, value: string): readonly string[] => ["--define", `${name}=${JSON.stringify(value)}`];
  await run(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--sourcemap",
      "--bytecode",
      "--format=esm",
      // A start reads the chunks that it needs: commands and libraries that are loaded on demand stay where they are.
      "--splitting",
      // A .env or a bunfig.toml in the folder where the gateway is started must not run code in it.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-tsconfig",
      "--no-compile-autoload-package-json",
      ...define("BUILD_VERSION", readVersion()),
      ...define("BUILD_COMMIT", commit),
      ...(target === null
        ? []
        : [
            ...define("BUILD_TARGET", target.name),
            `--target=${target.bun}`,
            `--compile-executable-path=${await fetchRuntime(target)}`,
          ]),
      ...(metafile === undefined ? [] : [`--metafile=${metafile}`]),
      "src/main.ts",
      "--outfile",
      outfile,
    ],
    { cwd: root },
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { outfile: { type: "string" }, target: { type: "string" }, commit: { type: "string" } },
  });
  await buildBinary(values);
  console.log(values.outfile ?? "dist/arouter");
}
