/** How a rule says no, and how a list of rules is run. */

/** A provider's 4xx for one request, before it is put into that provider's envelope. */
export interface Refusal {
  readonly status: number;
  /** `error.type` of the provider. */
  readonly type: string;
  readonly message: string;
  /** OpenAI `error.param`. */
  readonly param: string | null;
  /** OpenAI `error.code`. */
  readonly code: string | null;
  /** Anthropic `error.details.error_code`. */
  readonly detail?: string;
}

/** One rule of a provider: a name for tests and logs, and what it refuses. */
export interface Rule<Request> {
  readonly name: string;
  readonly check: (request: Request) => Refusal | null;
}

/** A refusal and the rule it came from. */
export interface Judgement extends Refusal {
  readonly rule: string;
}

/** The first refusal in the order of the table, as the providers report one error at a time. */
export function judgeBy<Request>(rules: readonly Rule<Request>[], request: Request): Judgement | null {
  for (const rule of rules) {
    const refusal = rule.check(request);
    if (refusal !== null) return { ...refusal, rule: rule.name };
  }
  return null;
}

/** The first refusal that `check` finds among `items`. */
export function firstOf<Item>(
  items: Iterable<Item>,
  check: (item: Item, index: number) => Refusal | null,
): Refusal | null {
  let index = 0;
  for (const item of items) {
    const refusal = check(item, index);
    if (refusal !== null) return refusal;
    index += 1;
  }
  return null;
}

/** Tokens of `text` as the simulator counts them: a quarter of its UTF-16 units, rounded up. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
