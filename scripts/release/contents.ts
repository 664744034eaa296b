/** What a binary is made of, as the bundler tells it: the npm packages, and the runtime. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readLock } from "./lock.ts";

const root = resolve(import.meta.dir, "../..");

/** A package inside the binary. */
export interface Ingredient {
  readonly name: string;
  readonly version: string;
  /** SPDX id, as package-lock.json has it. */
  readonly license: string;
  /** SHA-512 of the package that was installed, in hex. */
  readonly sha512: string;
  /** Text of its licence. */
  readonly text: string;
}

/** Packages of which a file went into the bundle, by name. @throws Error for one without a licence */
export function readIngredients(metafile: string): readonly Ingredient[] {
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8")) as { inputs: Readonly<Record<string, unknown>> };
  const folders = Object.keys(inputs).flatMap(
    (path) => /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].map(readIngredient).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The runtime, whose own parts `text` lists. */
export function readRuntime(): Ingredient {
  const { version, integrity } = readLock().packages["node_modules/bun"] ?? {};
  if (version === undefined || integrity === undefined) throw new Error("package-lock.json does not name bun");
  const page = readFileSync(join(root, "node_modules/bun-types/docs/project/license.mdx"), "utf8");
  const text = page.replace(/^---\n[\s\S]*?\n---\n/, "").trim();
  return { name: "bun", version, license: "MIT", sha512: hexOf(integrity), text };
}

function readIngredient(folder: string): Ingredient {
  const { version, integrity, license } = readLock().packages[folder] ?? {};
  const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  if (version === undefined || integrity === undefined || license === undefined) {
    throw new Error(`package-lock.json does not tell version, hash and licence of ${folder}`);
  }
  return { name, version, license, sha512: hexOf(integrity), text: readLicense(join(root, folder), name) };
}

/** What the package ships as its licence. */
function readLicense(folder: string, name: string): string {
  const files = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i.test(file))
    .toSorted();
  if (files.length === 0) throw new Error(`${name} comes without the text of its licence`);
  return files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
}
