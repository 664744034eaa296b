/** The tables that hold for both providers and may be given for one of them. */
import { durationOr } from "./choice-keys.ts";
import { count, duration, flag, ratio } from "./scalar-keys.ts";
import { section } from "./section.ts";
import { optionalText } from "./text-keys.ts";

const perProvider = { perProvider: true } as const;
const both = { overridable: true, perProvider: true } as const;

/** `[retry]`. */
export const retry = section("Sending a request to the same provider again, before any byte reached the client.", {
  max: count(2, { min: 0, max: 5 }, "Retries after the first try, for each candidate.", both),
  base: duration("200ms", "First backoff; doubled each time, with full jitter.", both),
  cap: duration("5s", "Longest backoff.", both),
  on_timeout: flag(false, "Retry after a timeout too.", both),
  throttle_base: duration("1s", "First backoff after the provider said to slow down.", perProvider),
  throttle_cap: duration("8s", "Longest backoff after the provider said to slow down.", perProvider),
  retry_after_patience: duration(
    "5s",
    "A `retry-after` up to this is waited for; a longer one moves on to the next candidate.",
    perProvider,
  ),
  retry_after_cap: duration("60s", "A longer `retry-after` counts as this.", perProvider),
  budget_ratio: ratio(0.2, "Retries per request, at most, on average.", perProvider, 10),
  budget_min_per_second: count(3, { min: 0 }, "Retries a second that are always allowed.", perProvider),
  budget_ttl: duration("10s", "How long a request counts for the budget.", perProvider),
  signal_client: flag(true, "Tell clients by `x-should-retry` not to repeat what was retried here.", perProvider),
});

/** `[breaker]`. */
export const breaker = section("Not asking a provider that fails.", {
  consecutive_failures: count(5, { min: 1 }, "Failures in a row that open it.", perProvider),
  window: duration("30s", "Time over which the failure rate is taken.", perProvider),
  buckets: count(10, { min: 1, max: 1000 }, "Parts of the window.", perProvider),
  failure_rate: ratio(0.5, "Share of failures that opens it.", perProvider),
  min_requests: count(20, { min: 1 }, "Requests in the window before the rate counts.", perProvider),
  open_base: duration("5s", "How long it stays open the first time; doubled each time.", perProvider),
  open_max: duration("60s", "How long it stays open at most.", perProvider),
  half_open_probes: count(1, { min: 1 }, "Requests let through at once while it is half open.", perProvider),
  probe_lease: duration("30s", "After this an unfinished probe gives its place back.", perProvider),
});

/** `[hedge]`. */
export const hedge = section("Racing a second request when the first is slow to begin.", {
  after: durationOr(
    "off",
    ["off", "p95"],
    "When the second starts: a delay, or the 95th percentile of recent times to first content.",
    both,
  ),
  model: optionalText("Model of the second request; the same when unset.", both),
  after_min: duration("500ms", "Least delay for `p95`.", perProvider),
  after_max: duration("10s", "Greatest delay for `p95`.", perProvider),
  max_extra: ratio(0.02, "Share of requests that may be hedged.", perProvider),
});

/** The keys of `[timeout]` that may differ by provider. */
export const providerTimeouts = {
  total: duration(
    "600s",
    "The whole request, retries and fallbacks included, until the answer begins; all of it when buffered.",
    both,
  ),
  ttft: duration("300s", "From sending to the first content of a stream.", both),
  response: duration("600s", "From sending to the whole of a buffered answer.", both),
  idle: duration("300s", "Between two pieces of a stream.", both),
  stream_total: duration("60m", "The whole of a stream.", perProvider),
} as const;

/** `limits.provider_in_flight`. */
export const providerInFlight = count(1536, { min: 1 }, "Requests under way at one provider.", perProvider);

/** The tables that a provider may have of its own. */
export const forProvider = {
  retry,
  breaker,
  hedge,
  timeout: section("Timeouts of this provider.", providerTimeouts),
  limits: section("Limits of this provider.", { provider_in_flight: providerInFlight }),
} as const;
