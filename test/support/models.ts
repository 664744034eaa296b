/** Models for tests of what depends on capabilities. */
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import type { Capabilities, Model } from "../../src/catalog/model.ts";

/** The catalog's model `id` with some capabilities replaced. */
export function testModel(id: string, capabilities: Partial<Capabilities> = {}): Model {
  const model = builtInCatalog.find(id);
  return { ...model, capabilities: { ...model.capabilities, ...capabilities } };
}
