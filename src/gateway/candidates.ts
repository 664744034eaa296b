/** Whose turn is next: candidates are resolved when they are reached, and passed over at no cost when they cannot help. */
import { GatewayError } from "../base/errors.ts";
import type { ProviderName } from "../base/names.ts";
import type { ChainEntry } from "../policy/decision.ts";
import { gateKey } from "../upstream/stack.ts";
import { incapability } from "./capable.ts";
import { encode, type Encoded, type EncodeOptions } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { resolveTarget, type Target } from "./target.ts";

/** A candidate whose turn it is, with its bytes. */
export interface Prepared {
  readonly index: number;
  readonly target: Target;
  readonly encoded: Encoded;
}

export interface NextWish {
  /** The last answer said that this provider's key or quota is at fault. */
  readonly notProvider: ProviderName | null;
  /** Told to the model as one more user message. */
  readonly feedback: string | null;
}

export interface Candidates {
  /** The next candidate that can be sent; null when none is left. */
  readonly next: (wish: NextWish) => Prepared | null;
  /** Candidates after the current one. */
  readonly left: () => number;
  /** Notes that the current candidate was refused by a layer of ours. */
  readonly passOver: (error: GatewayError) => void;
  /** The error when nothing could be sent. */
  readonly refusal: () => GatewayError;
}

const OTHER_PROVIDER = new GatewayError(
  "upstream-unreachable",
  "the provider refused the gateway's credentials or quota",
);

class Walk implements Candidates {
  readonly #exchange: Exchange;
  readonly #entries: readonly ChainEntry[];
  readonly #options: EncodeOptions;
  readonly #refusals: GatewayError[] = [];
  /** Passed over only because their gate was shut: asked after all when nobody else could be. */
  readonly #gated: number[] = [];
  #index = -1;
  #anySent = false;

  constructor(exchange: Exchange, entries: readonly ChainEntry[], options: EncodeOptions) {
    this.#exchange = exchange;
    this.#entries = entries;
    this.#options = options;
  }

  left(): number {
    return this.#entries.length - 1 - this.#index;
  }

  passOver(error: GatewayError): void {
    const entry = this.#entries[this.#index];
    if (entry !== undefined) this.#pass(entry, error);
    this.#anySent = false;
  }

  next(wish: NextWish): Prepared | null {
    while (this.#index < this.#entries.length - 1) {
      this.#index += 1;
      const entry = this.#entries[this.#index];
      if (entry === undefined) break;
      try {
        const prepared = this.#prepare(entry, this.#index, wish, false);
        if (prepared !== null) {
          this.#anySent = true;
          return prepared;
        }
        this.#pass(entry, null);
      } catch (error) {
        // A request that its only candidate cannot carry is the client's to hear of.
        if (!(error instanceof GatewayError)) throw error;
        if (this.#entries.length === 1 && error.kind !== "circuit-open") throw error;
        this.#pass(entry, error);
      }
    }
    return this.#anySent ? null : this.#nextGated(wish);
  }

  refusal(): GatewayError {
    const open = this.#refusals.filter(({ kind }) => kind === "circuit-open");
    if (open.length > 0) return circuitOpen(Math.min(...open.map(({ retryAfterMs }) => retryAfterMs ?? 1000)));
    return this.#refusals[0] ?? circuitOpen(1000);
  }

  #pass(entry: ChainEntry, error: GatewayError | null): void {
    this.#exchange.record.chain.push({ model: entry.model, result: "skipped" });
    if (error !== null) this.#refusals.push(error);
  }

  #prepare(entry: ChainEntry, at: number, wish: NextWish, ignoreGate: boolean): Prepared | null {
    const target = resolveTarget(this.#exchange, entry);
    const why = this.#obstacle(target, at, wish.notProvider);
    if (why === "gate" && !ignoreGate) {
      this.#gated.push(at);
      return null;
    }
    if (why instanceof GatewayError) throw why;
    return { index: at, target, encoded: encode(this.#exchange, target, this.#options, wish.feedback) };
  }

  /** Why a candidate is passed over, as the error to give when all are; null when it can be sent. */
  #obstacle(target: Target, at: number, notProvider: ProviderName | null): GatewayError | "gate" | null {
    const { facts, snapshot } = this.#exchange;
    const { breakers, gates } = snapshot.state;
    const provider = target.provider.name;
    const { model } = target.entry;
    if (notProvider === provider) return OTHER_PROVIDER;
    if (at > 0) {
      const why = incapability(target.model, facts, target.translator !== null);
      if (why !== null) return new GatewayError("unsupported-translation", `${model} ${why}`, { param: "model" });
    }
    const view = breakers.view(provider, model);
    if (!view.admits) return circuitOpen(view.waitMs);
    const isLast = at >= this.#entries.length - 1;
    return !isLast && gates.remainingMs(gateKey(provider, model)) > 0 ? "gate" : null;
  }

  /** The first of those behind a shut gate that can be asked all the same. */
  #nextGated(wish: NextWish): Prepared | null {
    const { record } = this.#exchange;
    for (let at = this.#gated.shift(); at !== undefined; at = this.#gated.shift()) {
      const entry = this.#entries[at];
      if (entry === undefined) continue;
      try {
        const prepared = this.#prepare(entry, at, wish, true);
        const skipped = record.chain.findIndex(({ model }) => model === entry.model);
        record.chain.splice(skipped, 1);
        this.#anySent = true;
        return prepared;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        this.#refusals.push(error);
      }
    }
    return null;
  }
}

/** Walks over `entries` for one request. A lone candidate's own error is thrown by `next`. */
export function createCandidates(
  exchange: Exchange,
  entries: readonly ChainEntry[],
  options: EncodeOptions,
): Candidates {
  return new Walk(exchange, entries, options);
}

/** The 503 of a request whose every candidate is being rested; `waitMs` until the earliest may be probed. */
function circuitOpen(waitMs: number): GatewayError {
  return new GatewayError(
    "circuit-open",
    "every provider that could answer is failing and is given a rest; try again later",
    {
      retryAfterMs: Math.min(60_000, Math.max(1000, waitMs)),
    },
  );
}
