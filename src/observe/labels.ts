/** Label values from names that clients choose: bounded by what catalog, configuration and policy know. */
import { undatedId } from "../catalog/catalog.ts";
import type { Catalog } from "../catalog/model.ts";

/** What stands for a name that nothing of ours knows. */
export const OTHER = "other";
/** What stands for no value. */
export const NONE = "none";

/** The names that models may have in labels. */
export interface KnownModels {
  readonly catalog: Catalog;
  /** Models that configuration or policy name, beyond the catalog's. */
  readonly named: ReadonlySet<string>;
}

/**
 * Turns a model's name into a label value: itself when catalog, configuration or policy name it, its undated form when that
 * is in the catalog (anyone can append a date), else {@link OTHER}; {@link NONE} for null.
 */
export function createModelLabel(known: () => KnownModels): (model: string | null) => string {
  return (model) => {
    if (model === null) return NONE;
    const { catalog, named } = known();
    if (catalog.has(model) || named.has(model)) return model;
    const undated = undatedId(model);
    return catalog.has(undated) ? undated : OTHER;
  };
}

/**
 * The label of a field that a translation dropped: the path as the tables of translation have it, with `[]` for an index,
 * else its first name, else {@link OTHER}: unknown fields have the client's own names.
 */
export function fieldLabel(path: string, known: ReadonlySet<string>): string {
  const folded = path.replace(/\[\d*\]/g, "[]");
  if (known.has(folded)) return folded;
  const first = /^[^.[]*/.exec(folded)?.[0] ?? "";
  return known.has(first) ? first : OTHER;
}

/** The paths named by `fields`, each also by its first name. A text that is no path is left out. */
export function knownFields(fields: Iterable<string>): ReadonlySet<string> {
  const known = new Set<string>();
  for (const field of fields) {
    for (const path of field.split(/[\s,·`]+/)) {
      if (!/^[a-z][a-z0-9_]*(?:(?:\[\])?(?:\.[a-z][a-z0-9_]*)?)*$/.test(path)) continue;
      known.add(path);
      known.add(/^[^.[]*/.exec(path)?.[0] ?? path);
    }
  }
  return known;
}
