/** Layers that let a call in and hear what came of it, and have no other part in it. */
import type { Call, Classified, Combinator } from "./dispatch.ts";

/** What a guard that let a call in is told of it: one of the two, once. */
export interface Pass<Result extends Classified> {
  /** The call gave `result`, whose body may still be open. */
  onResult(result: Result): void;
  /** The call threw: there is no result. */
  onThrow(): void;
}

/** In place of a pass: the result of a call that was not let in. */
export interface Refusal<Result extends Classified> {
  readonly result: Result;
}

class Refused<Result extends Classified> implements Refusal<Result> {
  readonly result: Result;

  constructor(result: Result) {
    this.result = result;
  }
}

/** Refuses a call with `result`. */
export function refuseWith<Result extends Classified>(result: Result): Refusal<Result> {
  return new Refused(result);
}

export interface Guard<Request, Result extends Classified> {
  /** Lets a call in, at once or when its turn has come. */
  enter(request: Request, call: Call): Pass<Result> | Refusal<Result> | Promise<Pass<Result> | Refusal<Result>>;
}

/** The pass of a guard that need not hear how it went. */
export const PASS: Pass<Classified> = { onResult: () => undefined, onThrow: () => undefined };

/**
 * One layer of `guards`, the outermost first: each is asked when those before it have let the call in, and those hear of a refusal
 * as of any result. One layer, as each layer costs a promise, and a guard needs none.
 */
export function createGuardLayer<Request, Result extends Classified>(
  ...guards: readonly Guard<Request, Result>[]
): Combinator<Request, Result> {
  return (next) => async (request, call) => {
    const passes: Pass<Result>[] = [];
    try {
      for (const guard of guards) {
        const asked = guard.enter(request, call);
        // Waited for only where one has to stand in line: each wait is a turn of the event loop's queue.
        const entered = asked instanceof Promise ? await asked : asked;
        if (entered instanceof Refused) return settle(passes, entered.result);
        passes.push(entered as Pass<Result>);
      }
      return settle(passes, await next(request, call));
    } catch (error) {
      for (let pass = passes.pop(); pass !== undefined; pass = passes.pop()) pass.onThrow();
      throw error;
    }
  };
}

/** Tells the innermost first. */
function settle<Result extends Classified>(passes: Pass<Result>[], result: Result): Result {
  for (let pass = passes.pop(); pass !== undefined; pass = passes.pop()) pass.onResult(result);
  return result;
}
