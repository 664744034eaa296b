/**
 * Writes what is generated from the tables in src: `docs/configuration.md`, `docs/models.md`, the tables of
 * `docs/observability.md` and `docs/policy.md`, `docs/wire.md`, both JSON Schemas and the sample `arouter.toml`. `bun scripts/docs.ts`
 */
import { join, resolve } from "node:path";
import { renderChartSchema } from "./docs/chart-schema.ts";
import { renderConfigurationPage } from "./docs/configuration-page.ts";
import { renderModelsPage } from "./docs/models-page.ts";
import { renderObservabilityPage } from "./docs/observability-page.ts";
import { renderPolicyPage } from "./docs/policy-page.ts";
import { renderWirePage } from "./docs/wire-page.ts";
import { renderJsonSchema, renderSample } from "../src/config/render.ts";
import { policySchema } from "../src/policy/schema.ts";

/** Text of every generated file, by path from the root of the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    "arouter.toml": renderSample({ schema: "schemas/arouter.schema.json", policyFile: "policies/default.yaml" }),
    "charts/arouter/values.schema.json": `${JSON.stringify(renderChartSchema(), null, 2)}\n`,
    "docs/configuration.md": renderConfigurationPage(),
    "docs/models.md": renderModelsPage(),
    "docs/observability.md": renderObservabilityPage(),
    "docs/policy.md": renderPolicyPage(),
    "docs/wire.md": renderWirePage(),
    "schemas/arouter.schema.json": `${JSON.stringify(renderJsonSchema(), null, 2)}\n`,
    "schemas/policies.schema.json": `${JSON.stringify(policySchema(), null, 2)}\n`,
  };
}

if (import.meta.main) {
  const root = resolve(import.meta.dir, "..");
  for (const [path, text] of Object.entries(generatedFiles())) await Bun.write(join(root, path), text);
}
