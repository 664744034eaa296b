/** What a decision is made from, and the view of it that conditions test. */
import type { FormatName, ProviderName } from "../base/names.ts";
import type { Facts } from "../wire/format.ts";
import type { Overrides } from "./overrides.ts";

/** A provider's circuit breaker as seen when the decision is made. */
export const BREAKER_STATES = ["closed", "open", "half_open"] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];
export type ProviderStates = Readonly<Partial<Record<ProviderName, BreakerState>>>;

/** Everything that a decision depends on besides the policy. */
export interface PolicyInput {
  readonly facts: Facts;
  /** A request header by lowercase name; null when absent. */
  readonly header: (name: string) => string | null;
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
  /** Tells this decision from all others of the process. */
  readonly serial: number;
  readonly input: PolicyInput;
  readonly facts: Facts;
  readonly format: FormatName;
  /** The model asked for, after aliases. */
  readonly model: string;
  /** Its provider. */
  readonly provider: ProviderName | null;
  /** The last user text, lowercase. */
  readonly promptText: () => string;
  /** The system text, lowercase. */
  readonly systemText: () => string;
  /** Notes that a condition could not be decided from what was recorded. */
  readonly leaveOpen: (conditionKey: string) => void;
  /** The first such condition; null when all could be decided. */
  readonly undecided: () => string | null;
}

let lastSerial = 0;

class Context implements ConditionContext {
  readonly serial = (lastSerial += 1);
  readonly input: PolicyInput;
  readonly facts: Facts;
  readonly format: FormatName;
  readonly model: string;
  readonly provider: ProviderName | null;
  #promptText: string | null = null;
  #systemText: string | null = null;
  #undecided: string | null = null;

  constructor(input: PolicyInput, model: string) {
    this.input = input;
    this.facts = input.facts;
    this.format = input.facts.format;
    this.model = model;
    this.provider = input.providerOf(model);
  }

  promptText(): string {
    return (this.#promptText ??= this.facts.promptText.toLowerCase());
  }

  systemText(): string {
    return (this.#systemText ??= this.facts.systemText.toLowerCase());
  }

  leaveOpen(conditionKey: string): void {
    this.#undecided ??= conditionKey;
  }

  undecided(): string | null {
    return this.#undecided;
  }
}

/** Opens a decision about a request whose model is `model` after aliases. */
export function createContext(input: PolicyInput, model: string): ConditionContext {
  return new Context(input, model);
}
