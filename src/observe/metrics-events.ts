/** What each event adds to the metrics. */
import type { AttemptRecord, GatewayEvent, RequestRecord } from "../base/events.ts";
import type { ProviderName } from "../base/names.ts";
import { totalInput } from "../base/usage.ts";
import { fieldLabel, NONE } from "./labels.ts";
import type { Meters } from "./meters.ts";
import type { RequestSeries, SeriesByRequest } from "./metrics-series.ts";

export interface CountContext {
  readonly meters: Meters;
  readonly series: SeriesByRequest;
  readonly modelLabel: (model: string | null) => string;
  readonly droppedFields: ReadonlySet<string>;
  /** Providers whose last answer refused the key. */
  readonly refusedKeys: Set<ProviderName>;
}

/** What {@link countEvent} has something to count of. */
export const COUNTED_EVENTS = [
  "exchange-finished",
  "attempt-finished",
  "retry-scheduled",
  "hedge-finished",
  "breaker-changed",
  "request-shed",
  "config-reloaded",
  "ledger-dropped",
  "telemetry-dropped",
] as const satisfies readonly GatewayEvent["type"][];

export function countEvent(context: CountContext, event: GatewayEvent): void {
  const { meters } = context;
  switch (event.type) {
    case "exchange-finished":
      countRequest(context, event.record);
      return;
    case "attempt-finished": {
      const { attempt, record } = event;
      if (attempt.class === "auth") context.refusedKeys.add(attempt.provider);
      else if (attempt.status !== null) context.refusedKeys.delete(attempt.provider);
      // An attempt is judged after it ended, so it is counted with its request; the leg of a hedge may end later still.
      if (record.outcome !== null) countAttempt(context, attempt, record.rule ?? NONE);
      return;
    }
    case "retry-scheduled":
      meters.retries.inc({ provider: event.provider, class: event.class, rule: event.record.rule ?? NONE });
      return;
    case "hedge-finished":
      meters.hedges.inc({ provider: event.provider, result: event.result, rule: event.record.rule ?? NONE });
      return;
    case "breaker-changed":
      meters.breakerTransitions.inc({
        provider: event.provider,
        model: event.model === "" ? "" : context.modelLabel(event.model),
        to: event.to,
        reason: event.reason,
      });
      return;
    case "request-shed":
      meters.shed.inc({ reason: event.reason });
      return;
    case "config-reloaded":
      meters.configReloads.inc({ file: event.file, result: event.ok ? "ok" : "error" });
      meters.configLastReload.set(event.ok ? 1 : 0);
      return;
    case "ledger-dropped":
      meters.ledgerDropped.inc(event.count);
      return;
    case "telemetry-dropped":
      meters.telemetryDropped.inc(event.count);
      return;
    default:
  }
}

function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

function countRequest(context: CountContext, record: RequestRecord): void {
  const { meters, series } = context;
  const rule = record.rule ?? NONE;
  const model = context.modelLabel(record.model);
  const own = series.ofRequest(record.format ?? NONE, record.provider ?? NONE, model, rule);
  own.requests(record.status, record.stream).add(1);
  if (record.ms !== null) own.duration.observe(seconds(record.ms));
  if (record.overheadMs !== null) own.overhead.observe(seconds(Math.max(0, record.overheadMs)));
  for (const attempt of record.attempts) {
    if (attempt.ms !== null) countAttempt(context, attempt, rule);
    countSpending(context, attempt, rule);
  }
  for (const reason of record.fallbacks) meters.fallbacks.inc({ reason, rule });
  for (const { validator, result } of record.validations) meters.validations.inc({ validator, result, rule });
  if (record.heal !== null) meters.heals.inc({ result: record.heal, rule });
  for (const field of record.dropped) {
    meters.translationDropped.inc({ field: fieldLabel(field, context.droppedFields) });
  }
  countSaving(own, record);
  countKey(meters, record);
}

function countKey(meters: Meters, { key, status, costUsd }: RequestRecord): void {
  if (key === null) return;
  meters.keyRequests.inc({ key, status: String(status ?? NONE) });
  if (costUsd !== null) meters.keyCost.inc({ key }, costUsd);
}

function countAttempt(context: CountContext, attempt: AttemptRecord, rule: string): void {
  // The continuation of a paused answer belongs to the attempt that it continues.
  if (attempt.continues) return;
  const own = context.series.ofAttempt(attempt.provider, context.modelLabel(attempt.model), rule);
  const { attempts, duration } = own.outcome(attempt.class);
  attempts.add(1);
  if (attempt.ttftMs !== null) own.timeToFirstToken.observe(seconds(attempt.ttftMs));
  if (attempt.ms !== null) duration.observe(seconds(attempt.ms));
}

function countSpending(context: CountContext, attempt: AttemptRecord, rule: string): void {
  const { usage, provider, costUsd } = attempt;
  if (usage === null) return;
  const own = context.series.ofAttempt(provider, context.modelLabel(attempt.model), rule);
  const tokens = own.tokens(usage.source);
  if (usage.input > 0) tokens.input.add(usage.input);
  if (usage.output > 0) tokens.output.add(usage.output);
  if (usage.cacheRead > 0) tokens.cacheRead.add(usage.cacheRead);
  const cacheWrite = usage.cacheWrite + usage.cacheWriteLong;
  if (cacheWrite > 0) tokens.cacheWrite.add(cacheWrite);
  if (usage.reasoning > 0) tokens.reasoning.add(usage.reasoning);
  if (costUsd !== null) own.cost.add(costUsd);
  own.inputTokens.observe(totalInput(usage));
  own.outputTokens.observe(usage.output);
}

function countSaving(own: RequestSeries, { tags, costUsd, savedUsd }: RequestRecord): void {
  const saved = Math.max(0, savedUsd ?? 0);
  const lost = Math.max(0, -(savedUsd ?? 0));
  if (savedUsd !== null) {
    own.saved.add(saved);
    own.lost.add(lost);
  }
  for (const tag in tags) {
    const tagged = own.tagged(tag, tags[tag] as string);
    tagged.requests.add(1);
    if (costUsd !== null) tagged.cost.add(costUsd);
    if (savedUsd === null) continue;
    tagged.saved.add(saved);
    tagged.lost.add(lost);
  }
}
