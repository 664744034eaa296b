/** `[catalog]`: the built-in models under a file and under single entries. */
import { createCatalog, type CatalogOverlay } from "../catalog/catalog.ts";
import type { CatalogMistake } from "../catalog/mistakes.ts";
import type { Catalog } from "../catalog/model.ts";
import { isObject, isString, own, type Json } from "../base/json.ts";
import { renderPath, type Given } from "./read.ts";
import type { Run } from "./run.ts";

/** The catalog that the configuration describes. */
export function readCatalog(run: Run, given: Given): Catalog {
  const overlays: { readonly models: CatalogOverlay; readonly report: (mistake: CatalogMistake) => void }[] = [];
  const file = given.get("catalog.file");
  if (isString(file)) {
    const models = readCatalogFile(run, file);
    // JSON keeps no positions; the path of the value says where.
    const report = ({ path, text }: CatalogMistake): void =>
      run.addAt(file, 1, 1, "error", `${renderPath(["models", ...path])}: ${text}`);
    if (models !== null) overlays.push({ models, report });
  }
  const models = given.get("catalog.models");
  if (isObject(models)) {
    const report = ({ path, text }: CatalogMistake): void => {
      const at = ["catalog", "models", ...path];
      run.context.report(at, text.startsWith("unknown key") ? "key" : "value", `${renderPath(at)}: ${text}`);
    };
    overlays.push({ models, report });
  }
  const { catalog, mistakes } = createCatalog(overlays.map((overlay) => overlay.models));
  for (const { overlay, mistake } of mistakes) overlays[overlay]?.report(mistake);
  return catalog;
}

function readCatalogFile(run: Run, file: string): CatalogOverlay | null {
  run.files.push({ kind: "config", path: file });
  const result = run.read(file);
  if (!result.ok) {
    run.context.report(["catalog", "file"], "value", `catalog.file: cannot be read: ${result.reason}`);
    return null;
  }
  const models = own(parseJson(result.text), "models");
  if (isObject(models)) return models;
  run.addAt(file, 1, 1, "error", 'must be JSON: { "models": { "NAME": { … } } }, as arouter models --json prints it');
  return null;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
