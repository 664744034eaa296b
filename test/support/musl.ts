/**
 * What the binaries for musl need, made without Alpine: musl from Debian, and a libstdc++ that Alpine built, from a wheel of PyPI
 * that brings its own. Kept under `.cache/tools/`.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { run } from "../../scripts/release/run.ts";
import { findChecker, missingProgram } from "./shipping.ts";

const root = resolve(import.meta.dir, "../..");

/** Debian's release with musl 1.2.5: older ones do not know how today's libraries are relocated. */
const DEBIAN = "trixie";
/** Small, written in C++, and for both machines. */
const WHEEL = "greenlet==3.5.6";

const MACHINES = {
  "linux-x64-musl": { debian: "amd64", wheel: "x86_64", triplet: "x86_64-linux-musl" },
  "linux-arm64-musl": { debian: "arm64", wheel: "aarch64", triplet: "aarch64-linux-musl" },
} as const;
export type MuslTarget = keyof typeof MACHINES;
export const MUSL_TARGETS = Object.keys(MACHINES) as readonly MuslTarget[];

const key = Bun.hash(`${DEBIAN} ${WHEEL}`).toString(36);
const folderOf = (target: MuslTarget): string => join(root, `.cache/tools/musl-${key}`, target);

/** Lays the libraries over those of this machine, for the program alone. Arguments: their folder, the program and its arguments. */
const OVERLAY = 'set -e; lib=$1; shift; mount -t overlay overlay -o "lowerdir=$lib:/usr/lib" /usr/lib; exec "$@"';

/** What to put before a program for `target`, so that it runs here; or why it cannot. */
export function findMusl(target: MuslTarget): { readonly prefix: readonly string[] } | { readonly missing: string } {
  const folder = folderOf(target);
  if (!existsSync(folder)) return { missing: missingMusl() ?? "musl's libraries are not there; run: npm test" };
  if (target === "linux-x64-musl") {
    return { prefix: ["unshare", "--mount", "--", "sh", "-c", OVERLAY, "musl", join(folder, "lib")] };
  }
  const lacking = missingProgram("qemu-aarch64-static");
  if (lacking !== null) return { missing: lacking };
  // Set, the variable spares the gateway the start of itself again, which the emulator does not follow.
  return { prefix: ["env", "BUN_CONFIG_MAX_HTTP_REQUESTS=65335", "qemu-aarch64-static", "-L", folder] };
}

function missingMusl(): string | null {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "musl's libraries are laid over those of Linux on x64";
  if (process.getuid?.() !== 0) return "laying musl's libraries over others needs root";
  return missingProgram("mmdebstrap");
}

/** Fetches what is not there, with what the shipping tools brought. @returns one line when something could not be had, else null */
export async function ensureMusl(): Promise<string | null> {
  if (MUSL_TARGETS.every((target) => existsSync(folderOf(target)))) return null;
  const missing = missingMusl();
  if (missing !== null) return missing;
  const python = findChecker("python");
  if ("missing" in python) return python.missing;
  mkdirSync(join(root, ".cache/tools"), { recursive: true });
  const scratch = mkdtempSync(join(root, ".cache/tools/musl-new-"));
  try {
    for (const target of MUSL_TARGETS) await fetchLibraries(target, scratch, python.path);
    return null;
  } catch (error) {
    return `musl: ${String(error).trim().split("\n").at(-1) ?? ""}`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fetchLibraries(target: MuslTarget, scratch: string, python: string): Promise<void> {
  const { debian, wheel, triplet } = MACHINES[target];
  const folder = join(scratch, target);
  const lib = join(folder, "lib");
  mkdirSync(lib, { recursive: true });
  const options = { cwd: scratch };
  const what = ["--variant=extract", `--architectures=${debian}`, "--include=musl"];
  await run(["mmdebstrap", "--quiet", ...what, DEBIAN, `${target}.tar`], options);
  await run(["tar", "-xf", `${target}.tar`, `./usr/lib/${triplet}/libc.so`], options);
  copyFileSync(join(scratch, "usr/lib", triplet, "libc.so"), join(lib, `ld-musl-${wheel}.so.1`));

  const wheels = join(scratch, `wheels-${wheel}`);
  const how = [
    "--quiet",
    "--no-deps",
    "--only-binary=:all:",
    `--platform=musllinux_1_2_${wheel}`,
    "--python-version=3.12",
  ];
  await run([python, "-m", "pip", "download", ...how, "--dest", wheels, WHEEL], options);
  const [file = ""] = readdirSync(wheels);
  await run([python, "-m", "zipfile", "-e", join(wheels, file), wheels], options);
  const brought = join(wheels, "greenlet.libs");
  for (const name of readdirSync(brought)) {
    // Renamed in the wheel, but for what libstdc++ itself asks for by that name.
    copyFileSync(join(brought, name), join(lib, name.startsWith("libstdc++") ? "libstdc++.so.6" : name));
  }
  writeFileSync(join(folder, "README"), `musl of Debian ${DEBIAN}, libstdc++ of ${WHEEL}\n`);
  mkdirSync(join(folderOf(target), ".."), { recursive: true });
  renameSync(folder, folderOf(target));
}
