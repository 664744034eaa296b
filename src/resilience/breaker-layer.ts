/** The layer that asks the breakers before each attempt and tells them what came of it. */
import type { Breakers } from "./breakers.ts";
import { type Classified, type Combinator, whenEnded } from "./dispatch.ts";

export interface BreakerLayerOptions<Request, Result> {
  readonly breakers: Breakers;
  readonly upstreamOf: (request: Request) => { readonly provider: string; readonly model: string };
  /** The result of a call that was not admitted (class `local`); `waitMs` until a probe may be sent. */
  readonly refuse: (
    request: Request,
    refusal: { readonly scope: "provider" | "model"; readonly waitMs: number },
  ) => Result;
}

/**
 * Every path out of it settles the ticket: a result by its classification (`local` and `aborted` are neutral, so what was
 * never sent is never counted), a throw by release. A success is recorded at first content; a stream that fails later
 * records its failure at its end.
 */
export function createBreakerLayer<Request, Result extends Classified>(
  options: BreakerLayerOptions<Request, Result>,
): Combinator<Request, Result> {
  const { breakers, upstreamOf, refuse } = options;
  return (next) => async (request, call) => {
    const { provider, model } = upstreamOf(request);
    const admission = breakers.admit(provider, model);
    if (!admission.ok) return refuse(request, admission);
    const { ticket } = admission;
    try {
      const result = await next(request, call);
      ticket.settle(result.classification);
      whenEnded(result, (later) => {
        if (later !== null) ticket.settle(later);
      });
      return result;
    } catch (error) {
      ticket.release();
      throw error;
    }
  };
}
