/** `arouter check --live`: asks each provider whether its key is good, and whether the models that the policy names are there. */
import { systemClock } from "../base/clock.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { own } from "../base/json.ts";
import { providerRegistry } from "../app/snapshot.ts";
import { undatedId } from "../catalog/catalog.ts";
import type { Config } from "../config/config.ts";
import { targetsOf } from "../policy/lint.ts";
import type { Policy } from "../policy/policy.ts";
import { createHttpClient } from "../upstream/http-client.ts";
import { askModels } from "../upstream/probe.ts";
import { VERSION } from "./version.ts";

/** Errors for a provider that cannot be used, warnings for models that it does not list. */
export async function askProviders(config: Config, policy: Policy): Promise<readonly Diagnostic[]> {
  const registry = providerRegistry(config);
  const client = createHttpClient({ ...config.upstream, clock: systemClock, idleTimeoutMs: 1000 });
  const options = { clock: systemClock, client, userAgent: `arouter/${VERSION}`, timeoutMs: config.health.timeoutMs };
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
  client.close();
  return found.flat();
}

const CONFIG_PLACE = { file: "arouter.toml", line: 1, column: 1 } as const;

function whyNot(status: number | null): string {
  if (status === null) return "cannot be reached, or did not answer in time (health.timeout)";
  if (status === 401 || status === 403) return `the key is refused (status ${status})`;
  return `the list of models cannot be had (status ${status})`;
}

interface NamedModel {
  readonly model: string;
  readonly place: { readonly file: string; readonly line: number; readonly column: number };
}

/** The models that aliases, rules and defaults send requests to, each once. */
function namedModels({ aliases, rules, defaults, defaultsPosition }: Policy): readonly NamedModel[] {
  const all = [
    ...aliases.map(({ model, position }) => ({ model, place: position })),
    ...rules.flatMap(({ then, position }) => targetsOf(then).map((model) => ({ model, place: position }))),
    ...(defaultsPosition === null ? [] : targetsOf(defaults).map((model) => ({ model, place: defaultsPosition }))),
  ];
  return all.filter(({ model }, index) => all.findIndex((other) => other.model === model) === index);
}
