/** The models that an operator has named: they may stand in metric labels. */
import type { LoadedConfig } from "../config/load.ts";
import type { KnownModels } from "../observe/labels.ts";
import { NO_POLICY, type Policy } from "../policy/policy.ts";
import type { Then } from "../policy/then.ts";

/** Names that policy and `providers.*.models` spell out; globs name nothing. */
function namedModels(policy: Policy, served: readonly string[]): ReadonlySet<string> {
  const rules = policy.rules.flatMap(({ then }) => modelsOf(then));
  const aliases = policy.aliases.map(({ model }) => model);
  return new Set([...served.filter((name) => !/[*?]/.test(name)), ...aliases, ...modelsOf(policy.defaults), ...rules]);
}

function modelsOf({ model, fallbackChain = [], hedge }: Then): readonly string[] {
  const chain = fallbackChain.map((entry) => entry.model);
  const second = hedge?.model === undefined ? [] : [hedge.model];
  switch (model?.kind) {
    case undefined:
      return [...chain, ...second];
    case "one":
      return [model.model, ...chain, ...second];
    case "by-provider":
      return [...Object.values(model.models), ...chain, ...second];
    case "weighted":
      return [...model.choices.map((choice) => choice.model), ...chain, ...second];
  }
}

/** What labels are checked against: one object for as long as `loaded` and `policy` stay. null: the gateway does not run yet. */
export function createKnownModels(): (loaded: LoadedConfig, policy: Policy | null) => KnownModels {
  let last: { readonly loaded: LoadedConfig; readonly policy: Policy | null; readonly known: KnownModels } | null =
    null;
  return (loaded, policy) => {
    if (last === null || last.loaded !== loaded || last.policy !== policy) {
      const { openai, anthropic } = loaded.config.providers;
      const named = namedModels(policy ?? NO_POLICY, [...openai.models, ...anthropic.models]);
      last = { loaded, policy, known: { catalog: loaded.catalog, named } };
    }
    return last.known;
  };
}
