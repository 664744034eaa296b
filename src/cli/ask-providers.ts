/** `arouter check --live`: asks each provider whether its key is good, and whether the models that the policy names are there. */
import { systemClock } from "../base/clock.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { own } from "../base/json.ts";
import { providerRegistry } from "../app/snapshot.ts";
import { undatedId } from "../catalog/catalog.ts";
import type { Config } from "../config/config.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { createPool } from "../upstream/pool.ts";
import { askModels } from "../upstream/probe.ts";
import { VERSION } from "./version.ts";

/** Errors for a provider that cannot be used, warnings for models that it does not list. */
export async function askProviders(config: Config, policy: Policy): Promise<readonly Diagnostic[]> {
  const registry = providerRegistry(config);
  const pool = createPool({ shards: 1, idleTimeoutMs: 1000, useEnvProxy: config.upstream.useEnvProxy });
  const options = { clock: systemClock, pool, userAgent: `arouter/${VERSION}`, timeoutMs: config.health.timeoutMs };
  const found = await Promise.all(
    registry.configured.map(async (name): Promise<readonly Diagnostic[]> => {
      const provider = registry.get(name);
      if (provider === null) return [];
      const { status, models } = await askModels(options, provider);
      if (models === null) return [{ ...CONFIG_PLACE, severity: "error", text: `${name}: ${whyNot(status)}` }];
      const ids = new Set(models.map((model) => own(model, "id")).filter((id) => typeof id === "string"));
      return namedModels(policy)
        .filter(({ model }) => registry.resolve(model) === name && !ids.has(model) && !ids.has(undatedId(model)))
        .map(({ model, place }) => ({
          ...place,
          severity: "warning",
          text: `${name} does not list the model "${model}"`,
        }));
    }),
  );
  pool.close();
  return found.flat();
}

const CONFIG_PLACE = { file: "arouter.toml", line: 1, column: 1 } as const;

function whyNot(status: number | null): string {
  if (status === null) return "no answer in time (health.timeout)";
  if (status === 401 || status === 403) return `the key is refused (status ${status})`;
  return `the list of models cannot be had (status ${status})`;
}

interface NamedModel {
  readonly model: string;
  readonly place: { readonly file: string; readonly line: number; readonly column: number };
}

/** The models that rules and aliases send requests to, each once. */
function namedModels(policy: Policy): readonly NamedModel[] {
  const all = [
    ...policy.aliases.map(({ model, position }) => ({ model, place: position })),
    ...policy.rules.flatMap((rule) => targetsOf(rule).map((model) => ({ model, place: rule.position }))),
  ];
  return all.filter(({ model }, index) => all.findIndex((other) => other.model === model) === index);
}

function targetsOf({ then }: Rule): readonly string[] {
  const chain = (then.fallbackChain ?? []).map(({ model }) => model);
  const choice = then.model;
  switch (choice?.kind) {
    case undefined:
      return chain;
    case "one":
      return [choice.model, ...chain];
    case "by-provider":
      return [...Object.values(choice.models), ...chain];
    case "weighted":
      return [...choice.choices.map(({ model }) => model), ...chain];
  }
}
