/** What each event adds to the metrics. */
import type { AttemptRecord, GatewayEvent, RequestRecord } from "../base/events.ts";
import type { ProviderName } from "../base/names.ts";
import { totalInput } from "../base/usage.ts";
import { fieldLabel, NONE } from "./labels.ts";
import type { Meters } from "./meters.ts";

export interface CountContext {
  readonly meters: Meters;
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
  const { meters } = context;
  const rule = record.rule ?? NONE;
  const format = record.format ?? NONE;
  const provider = record.provider ?? NONE;
  const model = context.modelLabel(record.model);
  meters.requests.inc({
    format,
    provider,
    model,
    status: String(record.status ?? NONE),
    stream: String(record.stream),
    rule,
  });
  if (record.ms !== null) meters.requestDuration.observe({ format, provider, model }, seconds(record.ms));
  if (record.overheadMs !== null) meters.overhead.observe({ format }, seconds(Math.max(0, record.overheadMs)));
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
  countSaving(meters, record, rule);
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
  const { meters } = context;
  const { provider } = attempt;
  const model = context.modelLabel(attempt.model);
  meters.attempts.inc({ provider, model, class: attempt.class, rule });
  if (attempt.ttftMs !== null) meters.timeToFirstToken.observe({ provider, model }, seconds(attempt.ttftMs));
  if (attempt.ms === null) return;
  const error_type = attempt.class === "ok" ? "" : attempt.class;
  meters.genAiDuration.observe({ ...genAiLabels(provider, model), error_type }, seconds(attempt.ms));
}

function genAiLabels(provider: ProviderName, model: string) {
  return { gen_ai_operation_name: "chat", gen_ai_provider_name: provider, gen_ai_request_model: model } as const;
}

function countSpending(context: CountContext, attempt: AttemptRecord, rule: string): void {
  const { usage, provider, costUsd } = attempt;
  if (usage === null) return;
  const { meters } = context;
  const model = context.modelLabel(attempt.model);
  const { source } = usage;
  const add = (kind: string, count: number): void => {
    if (count > 0) meters.tokens.inc({ provider, model, kind, source, rule }, count);
  };
  add("input", usage.input);
  add("output", usage.output);
  add("cache_read", usage.cacheRead);
  add("cache_write", usage.cacheWrite + usage.cacheWriteLong);
  add("reasoning", usage.reasoning);
  if (costUsd !== null) meters.cost.inc({ provider, model, rule }, costUsd);
  const labels = genAiLabels(provider, model);
  meters.genAiTokens.observe({ ...labels, gen_ai_token_type: "input" }, totalInput(usage));
  meters.genAiTokens.observe({ ...labels, gen_ai_token_type: "output" }, usage.output);
}

function countSaving(meters: Meters, record: RequestRecord, rule: string): void {
  const saved = Math.max(0, record.savedUsd ?? 0);
  const lost = Math.max(0, -(record.savedUsd ?? 0));
  if (record.savedUsd !== null) {
    meters.saved.inc({ rule }, saved);
    meters.lost.inc({ rule }, lost);
  }
  for (const [tag, value] of Object.entries(record.tags)) {
    const labels = { tag, value, rule };
    meters.taggedRequests.inc(labels);
    if (record.costUsd !== null) meters.taggedCost.inc(labels, record.costUsd);
    if (record.savedUsd === null) continue;
    meters.taggedSaved.inc(labels, saved);
    meters.taggedLost.inc(labels, lost);
  }
}
