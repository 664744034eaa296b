/** What a decision is made from, and the view of it that conditions test. */
import type { RequestHeaders } from "../base/headers.ts";
import type { FormatName, ProviderName } from "../base/names.ts";
import type { Facts } from "../wire/format.ts";
import type { Overrides } from "./overrides.ts";
import type { Policy } from "./policy.ts";
import { searchesOf } from "./text-search.ts";
import type { SearchName } from "./text-search.ts";

/** A provider's circuit breaker as seen when the decision is made. */
export const BREAKER_STATES = ["closed", "open", "half_open"] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];
export type ProviderStates = Readonly<Partial<Record<ProviderName, BreakerState>>>;

/** Everything that a decision depends on besides the policy. */
export interface PolicyInput {
  readonly facts: Facts;
  readonly headers: RequestHeaders;
  /** See `readClient`; null when unknown. */
  readonly client: string | null;
  /** Name of the caller's key in `[auth] keys`; null without one. */
  readonly key: string | null;
  /** The configured provider that serves a model; null when none does. */
  readonly providerOf: (model: string) => ProviderName | null;
  readonly providerState: ProviderStates;
  readonly requestId: string;
  /** Milliseconds since the epoch, for `time`. */
  readonly wallMs: number;
  readonly overrides: Overrides;
  /**
   * Replay only: the recorded outcome of a condition on text or names that the ledger does not keep, by its
   * {@link import("./conditions.ts").Condition} key; null when it was not recorded.
   */
  readonly recall?: (conditionKey: string) => boolean | null;
}

/** One decision in progress, as conditions see it. */
export interface ConditionContext {
  readonly input: PolicyInput;
  readonly facts: Facts;
  readonly format: FormatName;
  /** The model asked for, after aliases. */
  readonly model: string;
  /** Its provider. */
  readonly provider: ProviderName | null;
  /** Of the words that the policy's conditions of this name look for, all that are in their text, lowercase. Searched once. */
  readonly wordsFound: (by: SearchName) => ReadonlySet<string>;
  /** Notes that a condition could not be decided from what was recorded. */
  readonly leaveOpen: (conditionKey: string) => void;
  /** The first such condition; null when all could be decided. */
  readonly undecided: () => string | null;
}

class Context implements ConditionContext {
  readonly input: PolicyInput;
  readonly facts: Facts;
  readonly format: FormatName;
  readonly model: string;
  readonly provider: ProviderName | null;
  readonly #policy: Policy;
  #inPrompt: ReadonlySet<string> | null = null;
  #inSystem: ReadonlySet<string> | null = null;
  #undecided: string | null = null;

  constructor(policy: Policy, input: PolicyInput) {
    const { facts } = input;
    this.#policy = policy;
    this.input = input;
    this.facts = facts;
    this.format = facts.format;
    this.model = policy.resolveAlias(facts.model);
    this.provider = input.providerOf(this.model);
  }

  wordsFound(by: SearchName): ReadonlySet<string> {
    return by === "prompt_contains"
      ? (this.#inPrompt ??= searchesOf(this.#policy)[by](this.facts.promptText))
      : (this.#inSystem ??= searchesOf(this.#policy)[by](this.facts.systemText));
  }

  leaveOpen(conditionKey: string): void {
    this.#undecided ??= conditionKey;
  }

  undecided(): string | null {
    return this.#undecided;
  }
}

/** Opens a decision about a request. Only conditions of `policy` may be tested in it. */
export function createContext(policy: Policy, input: PolicyInput): ConditionContext {
  return new Context(policy, input);
}
