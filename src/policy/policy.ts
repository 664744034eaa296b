/** A policy in force: plain readonly data and compiled tests. */
import type { Json, JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";
import type { Block, Condition } from "./condition.ts";
import type { ProviderStates } from "./context.ts";
import type { Position } from "./source.ts";
import type { Then } from "./then.ts";

export interface Rule {
  readonly name: string;
  readonly when: Block;
  /** Already laid over `defaults`. */
  readonly then: Then;
  /** Where the rule's name stands. */
  readonly position: Position;
}

/** A name or glob that apps may use, and the model meant. */
export interface Alias {
  readonly pattern: string;
  readonly model: string;
  readonly position: Position;
}

/** One entry of `tests`. */
export interface PolicyTest {
  readonly name: string;
  readonly position: Position;
  /** The request as a client would send it; null while it is still to be read from `requestFile`. */
  readonly request: JsonObject | null;
  /** As written, relative to the policy file's folder. */
  readonly requestFile: string | null;
  /** Told by the request's shape unless said. */
  readonly format: FormatName | null;
  /** By lowercase name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | null;
  readonly providerState: ProviderStates;
  /** Milliseconds since the epoch; null: the moment of the run. */
  readonly atMs: number | null;
  /** Any subset of the decision, by the keys of `then`, and `rule` (null: none). */
  readonly expect: Readonly<Record<string, Json>>;
}

export interface Policy {
  /** First 12 hex digits of `hashFull`; null without a policy. */
  readonly hash12: string | null;
  /** SHA-256 over the bytes of the files, in order; null without a policy. */
  readonly hashFull: string | null;
  /** As the operator named them. */
  readonly files: readonly string[];
  readonly aliases: readonly Alias[];
  /** The model that `name` stands for; `name` itself when no alias fits. An exact alias goes before globs. */
  readonly resolveAlias: (name: string) => string;
  /** What an unmatched request gets. */
  readonly defaults: Then;
  /** Where the word `defaults` stands; null without any. */
  readonly defaultsPosition: Position | null;
  readonly rules: readonly Rule[];
  readonly tests: readonly PolicyTest[];
  /** The conditions whose outcomes the ledger keeps, each once. */
  readonly recorded: readonly Condition[];
}

/** What is in force without a policy file: every request goes through as asked. */
export const NO_POLICY: Policy = {
  hash12: null,
  hashFull: null,
  files: [],
  aliases: [],
  resolveAlias: (name) => name,
  defaults: {},
  defaultsPosition: null,
  rules: [],
  tests: [],
  recorded: [],
};
