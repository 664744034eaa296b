/** What is wrong with a catalog overlay, as data: config/ turns it into diagnostics. */
import { suggestion } from "../base/diagnostic.ts";
import type { JsonObject } from "../base/json.ts";

/** What is wrong with an overlay, and where: the keys from its root down. */
export interface CatalogMistake {
  readonly path: readonly string[];
  readonly text: string;
}

/** Collects mistakes while an entry is read. */
export interface Mistakes {
  readonly list: readonly CatalogMistake[];
  readonly add: (path: readonly string[], text: string) => void;
  readonly unknownKeys: (json: JsonObject, known: readonly string[], path: readonly string[]) => void;
}

export function createMistakes(): Mistakes {
  const list: CatalogMistake[] = [];
  const add = (path: readonly string[], text: string): void => void list.push({ path, text });
  return {
    list,
    add,
    unknownKeys: (json, known, path) => {
      for (const key of Object.keys(json)) {
        if (!known.includes(key)) add([...path, key], `unknown key${suggestion(key, known)}`);
      }
    },
  };
}
