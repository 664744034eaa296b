/**
 * Builds a release into `dist/release`, or the folder named by `--outdir`: an archive for each platform, the bill of materials,
 * the script that installs, and the checksums of all. `--target NAME`, as often as need be, leaves out the other platforms; `--commit` and `--time` stand
 * for what git would tell. The same source gives the same bytes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildBinary, readCommit } from "./build.ts";
import { renderArchive } from "./release/archive.ts";
import { readIngredients, readRuntime } from "./release/contents.ts";
import { renderLicenses } from "./release/licenses.ts";
import { readVersion } from "./release/lock.ts";
import { run } from "./release/run.ts";
import { renderSbom, type ReleaseFacts } from "./release/sbom.ts";
import { findTarget, TARGETS, type Target } from "./release/targets.ts";

const root = resolve(import.meta.dir, "..");

export interface ReleaseOptions {
  readonly outdir: string;
  readonly targets: readonly Target[];
  readonly commit: string;
  /** Time that all files bear, in seconds since the epoch. */
  readonly seconds: number;
}

/** One file of a release. */
export interface ReleaseFile {
  readonly name: string;
  readonly bytes: number;
}

/** Time of the last commit; `SOURCE_DATE_EPOCH` where it is set, and 0 outside of git. */
async function readCommitSeconds(): Promise<number> {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) return Number(given);
  return run(["git", "log", "-1", "--format=%ct"], { cwd: root }).then(Number, () => 0);
}

/** Builds, and tells each file as it is written. @throws Error when a platform does not build */
export async function createRelease(
  options: ReleaseOptions,
  onFile: (file: ReleaseFile) => void = () => {},
): Promise<void> {
  const { outdir, commit, seconds } = options;
  const facts: ReleaseFacts = { version: readVersion(), commit, seconds };
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const sums: string[] = [];
  const write = (name: string, bytes: Uint8Array): void => {
    writeFileSync(join(outdir, name), bytes);
    sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
    onFile({ name, bytes: bytes.length });
  };

  mkdirSync(join(root, "dist"), { recursive: true });
  const scratch = mkdtempSync(join(root, "dist/build-"));
  try {
    const metafile = join(scratch, "meta.json");
    for (const target of options.targets) {
      const binary = join(scratch, target.name, target.file);
      await buildBinary({ outfile: binary, target: target.name, commit, metafile });
      const licenses = renderLicenses(readIngredients(metafile), readRuntime());
      const folder = `arouter-${facts.version}-${target.name}`;
      const files = [
        { path: `${folder}/${target.file}`, bytes: readFileSync(binary), executable: true },
        { path: `${folder}/LICENSE`, bytes: readFileSync(join(root, "LICENSE")) },
        { path: `${folder}/THIRD_PARTY_LICENSES.txt`, bytes: Buffer.from(licenses) },
      ];
      write(`${folder}.tar.gz`, renderArchive(files, seconds));
      rmSync(join(scratch, target.name), { recursive: true });
    }
    write(
      `arouter-${facts.version}.cdx.json`,
      Buffer.from(renderSbom(facts, readIngredients(metafile), readRuntime())),
    );
    write("install.sh", readFileSync(join(root, "scripts/install.sh")));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  writeFileSync(join(outdir, "SHA256SUMS"), sums.join(""));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      outdir: { type: "string", default: join(root, "dist/release") },
      target: { type: "string", multiple: true },
      commit: { type: "string" },
      time: { type: "string" },
    },
  });
  const options: ReleaseOptions = {
    outdir: resolve(values.outdir),
    targets: values.target?.map(findTarget) ?? TARGETS,
    commit: values.commit ?? (await readCommit()),
    seconds: values.time === undefined ? await readCommitSeconds() : Number(values.time),
  };
  await createRelease(options, ({ name, bytes }) => console.log(`${(bytes / 1e6).toFixed(1).padStart(6)} MB  ${name}`));
}
