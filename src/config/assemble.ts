/** From the values that were given to the whole configuration, and between two of them. */
import { configName, type AuthKey, type Config } from "./config.ts";
import { SCHEMA } from "./schema.ts";
import type { Fields } from "./section.ts";

/** Fills in defaults, and for a provider what the general tables say. */
export function assembleConfig(given: ReadonlyMap<string, unknown>, authKeys: readonly AuthKey[]): Config {
  const root = assemble(SCHEMA, [], given);
  const config = {
    ...root,
    auth: { ...table(root.auth), keys: authKeys },
    providers: {
      openai: flatLimits(table(table(root.providers).openai)),
      anthropic: flatLimits(table(table(root.providers).anthropic)),
    },
  };
  // The table of keys and the type are the same data, so the shape follows; the compiler cannot see through the walk.
  return config as unknown as Config;
}

/** The configuration without any file, environment or argument. */
export const defaultConfig: Config = assembleConfig(new Map(), []);

type Values = Readonly<Record<string, unknown>>;

function table(value: unknown): Values {
  return value as Values;
}

function flatLimits(provider: Values): Values {
  const { limits, ...rest } = provider;
  return { ...rest, providerInFlight: table(limits).providerInFlight };
}

function assemble(fields: Fields, path: readonly string[], given: ReadonlyMap<string, unknown>): Values {
  const values: Record<string, unknown> = {};
  for (const [name, node] of Object.entries(fields)) {
    const at = [...path, name];
    if (node.node === "key") {
      values[configName(name, node.suffix)] = valueOf(at, node.default, node.perProvider, given);
    } else if (node.node === "section" || isGiven(at, given)) {
      values[configName(name)] = assemble(node.keys, at, given);
    } else {
      values[configName(name)] = null;
    }
  }
  return values;
}

function isGiven(path: readonly string[], given: ReadonlyMap<string, unknown>): boolean {
  const prefix = `${path.join(".")}.`;
  return [...given.keys()].some((name) => name.startsWith(prefix));
}

function valueOf(
  path: readonly string[],
  initial: unknown,
  perProvider: boolean,
  given: ReadonlyMap<string, unknown>,
): unknown {
  const name = path.join(".");
  if (given.has(name)) return given.get(name);
  // `providers.openai.retry.max` falls back to `retry.max`.
  const general = perProvider && path[0] === "providers" ? path.slice(2).join(".") : name;
  return given.has(general) ? given.get(general) : initial;
}

/** Result of {@link carryRestartKeys}. */
export interface CarriedConfig {
  /** `next`, but for keys that need a restart, which are as in `current`. */
  readonly config: Config;
  /** Dotted names of the keys that differ and were not taken over. */
  readonly restartKeys: readonly string[];
}

/** What of `next` can be put in place of `current` while running. */
export function carryRestartKeys(current: Config, next: Config): CarriedConfig {
  const restartKeys: string[] = [];
  const config = carry(SCHEMA, [], table(current), table(next), restartKeys);
  return { config: config as unknown as Config, restartKeys };
}

function carry(fields: Fields, path: readonly string[], current: Values, next: Values, changed: string[]): Values {
  const values: Record<string, unknown> = { ...next };
  for (const [name, node] of Object.entries(fields)) {
    const at = [...path, name];
    if (node.node === "key") {
      const key = configName(name, node.suffix);
      if (!node.restart || same(current[key], next[key])) continue;
      changed.push(at.join("."));
      values[key] = current[key];
      continue;
    }
    const key = configName(name);
    const [before, after] = [current[key], next[key]];
    if (isValues(before) && isValues(after)) values[key] = carry(node.keys, at, before, after, changed);
    else if (!same(before, after) && key in next) {
      changed.push(at.join("."));
      values[key] = before;
    }
  }
  return values;
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
