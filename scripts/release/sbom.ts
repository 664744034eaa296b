/** The bill of materials of a release. */
import { createHash } from "node:crypto";
import type { Ingredient } from "./contents.ts";

export interface ReleaseFacts {
  readonly version: string;
  readonly commit: string;
  /** Time of the commit, in seconds since the epoch. */
  readonly seconds: number;
}

/**
 * CycloneDX 1.6 as JSON: the packages, the runtime, and the libraries inside the runtime.
 * @see https://cyclonedx.org/docs/1.6/json/ (read 2026-11-24)
 */
export function renderSbom(facts: ReleaseFacts, packages: readonly Ingredient[], runtime: Ingredient): string {
  const components = [
    ...packages.map((ingredient) => component("library", ingredient)),
    { ...component("platform", runtime), components: runtimeLibraries(runtime) },
  ];
  const main = {
    type: "application",
    "bom-ref": `arouter@${facts.version}`,
    name: "arouter",
    version: facts.version,
    licenses: [{ license: { id: "Apache-2.0" } }],
    properties: [{ name: "commit", value: facts.commit }],
  };
  const dependsOn = components.map((its) => its["bom-ref"]);
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([main, components]))}`,
    version: 1,
    metadata: {
      timestamp: new Date(facts.seconds * 1000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: main,
    },
    components,
    dependencies: [{ ref: main["bom-ref"], dependsOn }, ...dependsOn.map((ref) => ({ ref }))],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function component(type: "library" | "platform", { name, version, license, sha512 }: Ingredient) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type,
    "bom-ref": purl,
    name,
    version,
    purl,
    licenses: [{ license: { id: license } }],
    hashes: [{ alg: "SHA-512", content: sha512 }],
  };
}

/** Libraries linked into the runtime, from the tables of its licence page, which tell no versions. */
function runtimeLibraries({ text }: Ingredient) {
  const rows = [...text.matchAll(/^\|[^`\n]*\[`([^`]+)`\]\(([^)]+)\)[^|]*\|([^|]+)\|$/gm)];
  return rows.map(([, name = "", url = "", license = ""]) => ({
    type: "library",
    name,
    licenses: [{ license: { name: license.trim().replace(/\[([^\]]+)\]\([^)]+\)/g, "$1") } }],
    externalReferences: [{ type: "website", url }],
  }));
}

/** A UUID that follows from the text, so that the same release has the same number. */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  // Version 8, of one's own making; variant of RFC 9562.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
