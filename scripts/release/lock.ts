/** package-lock.json and package.json, as far as building reads them. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** One package of the lock, by its folder. */
export interface LockedPackage {
  readonly version?: string;
  /** `sha512-` and base64. */
  readonly integrity?: string;
  readonly license?: string;
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export function readLock(): Lock {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
}

/** Version in package.json. */
export function readVersion(): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}
