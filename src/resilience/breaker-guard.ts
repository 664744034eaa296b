/** The guard that asks the breakers before each attempt and tells them what came of it. */
import type { Breakers } from "./breakers.ts";
import type { Classified } from "./dispatch.ts";
import { type Guard, refuseWith } from "./guard.ts";

export interface BreakerGuardOptions<Request, Result> {
  readonly breakers: Breakers;
  readonly upstreamOf: (request: Request) => { readonly provider: string; readonly model: string };
  /** The result of a call that was not admitted (class `local`); `waitMs` until a probe may be sent. */
  readonly refuse: (
    request: Request,
    refusal: { readonly scope: "provider" | "model"; readonly waitMs: number },
  ) => Result;
}

/**
 * Every path settles the ticket: a result by its classification (`local` and `aborted` are neutral, so what was never sent is
 * never counted), a throw by release. A success is recorded at first content; a stream that fails later records its failure at
 * its end.
 */
export function createBreakerGuard<Request, Result extends Classified>(
  options: BreakerGuardOptions<Request, Result>,
): Guard<Request, Result> {
  const { breakers, upstreamOf, refuse } = options;
  return {
    enter: (request) => {
      const { provider, model } = upstreamOf(request);
      const admission = breakers.admit(provider, model);
      return admission.ok ? admission : refuseWith(refuse(request, admission));
    },
  };
}
