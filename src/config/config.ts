/** The configuration as the program reads it: the tables of the file in camelCase, durations in milliseconds. */
import type { Key } from "./key.ts";
import type { SCHEMA } from "./schema.ts";
import type { Fields, OptionalSection, Section } from "./section.ts";

type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

type Suffixed<Name, Node> = Node extends { readonly node: "key"; readonly suffix: infer Suffix extends string }
  ? `${Camel<Name> & string}${Suffix}`
  : Camel<Name>;

type ValueOf<Node> =
  Node extends Section<infer Keys>
    ? ConfigOf<Keys>
    : Node extends OptionalSection<infer Keys>
      ? Present<ConfigOf<Keys>> | null
      : Node extends Key<infer Value, "" | "Ms">
        ? Value
        : never;

type Present<Values> = { readonly [Name in keyof Values]: NonNullable<Values[Name]> };

type ConfigOf<Keys extends Fields> = {
  readonly [Name in keyof Keys as Suffixed<Name, Keys[Name]> & string]: ValueOf<Keys[Name]>;
};

type Tables = ConfigOf<typeof SCHEMA>;

/** `limits` of one provider has one key, which stands for itself. */
type ProviderConfig<Values extends { readonly limits: { readonly providerInFlight: number } }> = Omit<
  Values,
  "limits"
> & {
  readonly providerInFlight: number;
};

/** One caller of the gateway. */
export interface AuthKey {
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly digest: Uint8Array;
}

/**
 * Everything that arouter.toml decides, every key present: defaults filled in, what one provider leaves out taken from the
 * general table, files and environment resolved. Unset keys are null.
 */
export type Config = Omit<Tables, "auth" | "providers"> & {
  readonly auth: Omit<Tables["auth"], "keys"> & {
    /** Of the file, the environment and `keys_file` together. Empty: the gateway is open. */
    readonly keys: readonly AuthKey[];
  };
  readonly providers: {
    readonly openai: ProviderConfig<Tables["providers"]["openai"]>;
    readonly anthropic: ProviderConfig<Tables["providers"]["anthropic"]>;
  };
};

/** `budget_min_per_second` → `budgetMinPerSecond`; durations get `Ms` behind it. */
export function configName(name: string, suffix: "" | "Ms" = ""): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) + suffix;
}
