/**
 * The runtime that a binary for another platform is built on: the npm package whose version and hash package-lock.json
 * holds, fetched by npm from the registry that npm is set to, and kept under `.cache/runtimes/`.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { readLock } from "./lock.ts";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

const root = resolve(import.meta.dir, "../..");
const cache = join(root, ".cache/runtimes");

/**
 * Path of the runtime's program, unpacked if need be.
 * @throws Error when the lock does not know it, npm cannot fetch it, or what npm fetched is not what the lock names
 */
export async function fetchRuntime(target: Target): Promise<string> {
  const program = `bin/bun${target.file.endsWith(".exe") ? ".exe" : ""}`;
  const { version, integrity } = readLock().packages[`node_modules/${target.runtime}`] ?? {};
  if (version === undefined || integrity === undefined) {
    throw new Error(`package-lock.json does not name ${target.runtime} with its hash`);
  }
  const folder = join(cache, `${target.runtime.replace("@oven/", "")}-${version}`);
  if (existsSync(folder)) return join(folder, program);

  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, "fetch-"));
  try {
    await run(["npm", "pack", "--silent", `${target.runtime}@${version}`, "--pack-destination", scratch], {
      cwd: root,
    });
    const archive = join(scratch, `${target.runtime.slice(1).replace("/", "-")}-${version}.tgz`);
    const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (found !== integrity)
      throw new Error(`${target.runtime}@${version} is not what package-lock.json names: ${found}`);
    await run(["tar", "-xzf", archive, "-C", scratch], { cwd: root });
    // Whole or not at all: another build may be fetching the same one.
    if (!existsSync(folder)) renameSync(join(scratch, "package"), folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return join(folder, program);
}
