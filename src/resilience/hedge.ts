/** Racing a second attempt against a slow first one. */
import { type ChildAbort, createChildAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { type Call, type Classified, type Combinator, type Dispatch, whenEnded } from "./dispatch.ts";

/** What a leg's result means for the race. */
export type LegVerdict =
  /** It is delivered. */
  | "wins"
  /** It would be delivered whoever gave it (a client's error, a refusal): both legs end. */
  | "ends"
  /** The other leg is waited for. */
  | "fails";

/** The second leg: the same upstream or another. */
export interface SecondLeg<Request, Result extends Classified> {
  readonly request: Request;
  readonly dispatch: Dispatch<Request, Result>;
}

export interface HedgeOptions<Request, Result extends Classified> {
  readonly clock: Clock;
  /** Delay before the second leg in ms; null = no hedge for this call. */
  readonly delayMs: (request: Request, call: Call) => number | null;
  /**
   * Asked once, when the delay has passed: the second leg, or null when it may not be sent (a breaker is not closed, a
   * gate is shut, load is high, the request is not replayable, a budget is empty). Takes the budgets' tokens.
   */
  readonly second: (request: Request, call: Call, next: Dispatch<Request, Result>) => SecondLeg<Request, Result> | null;
  /** With validators it takes until the answer is judged. */
  readonly judge: (result: Result) => LegVerdict | Promise<LegVerdict>;
  readonly discard: (result: Result) => void;
  readonly onLaunch: (request: Request, afterMs: number) => void;
  /** Which leg was delivered; `failed`: neither was good. */
  readonly onFinish: (request: Request, result: "primary" | "hedge" | "failed") => void;
}

/** A verdict by class: content wins, what the client has to see ends the race. */
export function judgeByClass({ classification }: Classified): LegVerdict {
  if (classification.class === "ok") return "wins";
  return classification.class === "client" || classification.class === "policy" ? "ends" : "fails";
}

type LegName = "primary" | "hedge";

/** The loser's abort reason. */
export const HEDGE_LOST = "hedge-lost";

/**
 * The layer with at most one extra leg. The first result that wins or ends is delivered, the other leg is aborted and its
 * result let go. When both fail, the result is that of the leg that ended last and was really sent.
 */
export function createHedge<Request, Result extends Classified>(
  options: HedgeOptions<Request, Result>,
): Combinator<Request, Result> {
  return (next) => (request, call) => {
    const delayMs = options.delayMs(request, call);
    return delayMs === null ? next(request, call) : race(options, next, request, call, delayMs);
  };
}

function race<Request, Result extends Classified>(
  options: HedgeOptions<Request, Result>,
  next: Dispatch<Request, Result>,
  request: Request,
  call: Call,
  delayMs: number,
): Promise<Result> {
  const { clock, second, judge, discard, onLaunch, onFinish } = options;
  return new Promise((resolve, reject) => {
    const legs = new Map<LegName, ChildAbort>();
    const failed: { readonly result: Result }[] = [];
    const errors: unknown[] = [];
    let isOver = false;
    let isHedged = false;

    const finish = (winner: LegName | null, result: Result): void => {
      isOver = true;
      cancelTimer();
      for (const [name, leg] of legs) {
        if (name !== winner) leg.abort(HEDGE_LOST);
      }
      for (const loser of failed) if (loser.result !== result) discard(loser.result);
      if (isHedged) onFinish(request, winner ?? "failed");
      resolve(result);
    };

    const giveUpLeg = (): void => {
      if (legs.size > 0) return;
      const sent = failed.findLast(({ result }) => result.classification.class !== "local") ?? failed.at(-1);
      if (sent !== undefined) {
        finish(null, sent.result);
        return;
      }
      isOver = true;
      cancelTimer();
      if (isHedged) onFinish(request, "failed");
      reject(errors[0]);
    };

    const run = async (name: LegName, dispatch: Dispatch<Request, Result>, leg: ChildAbort, of: Request) => {
      let given: Result | null = null;
      try {
        const result = await dispatch(of, { ...call, signal: leg.signal, leg: name });
        // The body goes on obeying its leg until it ends.
        whenEnded(result, () => leg.release());
        given = result;
        const verdict = isOver ? "fails" : await judge(result);
        if (isOver) {
          discard(result);
          return;
        }
        if (verdict !== "fails") {
          finish(name, result);
          return;
        }
        legs.delete(name);
        failed.push({ result });
      } catch (error) {
        leg.release();
        if (given !== null) discard(given);
        if (isOver) return;
        legs.delete(name);
        errors.push(error);
      }
      giveUpLeg();
    };

    const launch = (name: LegName, dispatch: Dispatch<Request, Result>, of: Request): void => {
      const leg = createChildAbort(call.signal);
      legs.set(name, leg);
      void run(name, dispatch, leg, of);
    };

    const cancelTimer = clock.after(delayMs, () => {
      if (isOver || isHedged || call.signal.aborted) return;
      const leg = second(request, call, next);
      if (leg === null) return;
      isHedged = true;
      onLaunch(request, delayMs);
      launch("hedge", leg.dispatch, leg.request);
    });
    launch("primary", next, request);
  });
}

/** Bounds of a delay that is read from a latency window, in ms. */
export interface HedgeBounds {
  readonly afterMinMs: number;
  readonly afterMaxMs: number;
}

/** The delay by a p95 of time to first content, clamped; null while too little is known. */
export function hedgeDelayMs(p95Ms: number | null, bounds: HedgeBounds): number | null {
  return p95Ms === null ? null : Math.min(bounds.afterMaxMs, Math.max(bounds.afterMinMs, p95Ms));
}
