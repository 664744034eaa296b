/** Going on with an answer that its upstream paused. */
import { createAttempts } from "../resilience/attempts.ts";
import type { UpstreamRequest } from "../upstream/upstream.ts";

/** A continuation is part of the attempt it continues: it is not counted, and not tried twice. */
export function continuationOf(request: UpstreamRequest, body: string): UpstreamRequest {
  const { policy } = request;
  return {
    ...request,
    body,
    continues: true,
    policy: {
      ...policy,
      attempts: createAttempts(1, 0),
      hedge: null,
      hold: null,
      retry: { ...policy.retry, maxRetries: 0 },
    },
  };
}
