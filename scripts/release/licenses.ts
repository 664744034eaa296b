/** The licences of everything inside a binary, as one text to go with it. */
import type { Ingredient } from "./contents.ts";

const LINE = "=".repeat(80);

export function renderLicenses(packages: readonly Ingredient[], runtime: Ingredient): string {
  const head =
    "The binary of ARouter holds the software below, each part under its own licence. ARouter's own licence is in LICENSE.\n";
  const parts = [...packages, runtime].map(
    ({ name, version, license, text }) => `${LINE}\n${name} ${version} (${license})\n${LINE}\n\n${text}\n`,
  );
  return [head, ...parts].join("\n");
}
