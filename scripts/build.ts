/**
 * Builds the self-contained binary `dist/arouter`, or the file named by `--outfile`; `--target` builds for another
 * platform (bun-linux-arm64, bun-darwin-arm64, bun-windows-x64, …).
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dir, "..");

/** What {@link buildBinary} may be told. */
export interface BuildOptions {
  readonly outfile?: string | undefined;
  readonly target?: string | undefined;
}

/** The command line that builds the binary. */
export function buildCommand(options: BuildOptions): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return [
    process.execPath,
    "build",
    "--compile",
    "--minify",
    "--sourcemap",
    "--bytecode",
    "--format=esm",
    // A .env or a bunfig.toml in the folder where the gateway is started must not run code in it.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--define",
    `BUILD_VERSION=${JSON.stringify(manifest.version)}`,
    ...(options.target === undefined ? [] : [`--target=${options.target}`]),
    "src/main.ts",
    "--outfile",
    options.outfile ?? "dist/arouter",
  ];
}

/** Builds the binary; @throws Error with the compiler's words when it cannot. */
export async function buildBinary(options: BuildOptions): Promise<void> {
  const build = Bun.spawn([...buildCommand(options)], { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [out, error, code] = await Promise.all([
    new Response(build.stdout).text(),
    new Response(build.stderr).text(),
    build.exited,
  ]);
  if (code !== 0) throw new Error(`the binary does not build:\n${out}${error}`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { outfile: { type: "string" }, target: { type: "string" } } });
  await buildBinary(values);
  console.log(values.outfile ?? "dist/arouter");
}
