/** What the dashboard counts of one request, from its record or, after a restart, from its line in the ledger. */
import type { RequestRecord } from "../base/events.ts";
import { isArray, isString, type Json, type JsonObject, own } from "../base/json.ts";
import { totalInput } from "../base/usage.ts";
import { NONE } from "./labels.ts";

/** Tokens and dollars of one attempt. */
export interface Spend {
  readonly model: string;
  readonly provider: string;
  readonly tokensInput: number;
  readonly tokensOutput: number;
  readonly costUsd: number;
}

export interface LiveEntry {
  /** End of the request, milliseconds since the epoch. */
  readonly endMs: number;
  readonly rule: string;
  /** Labels of the model and provider delivered. */
  readonly model: string;
  readonly provider: string;
  readonly isError: boolean;
  readonly savedUsd: number;
  readonly ms: number | null;
  readonly ttftMs: number | null;
  readonly spends: readonly Spend[];
}

type ModelLabel = (model: string | null) => string;

/** A client that left is no error of the gateway's. */
const FINE: ReadonlySet<string> = new Set(["complete", "client_gone"]);

export function entryOfRecord(record: RequestRecord, modelLabel: ModelLabel): LiveEntry {
  const spends: Spend[] = [];
  for (const { usage, model, provider, costUsd } of record.attempts) {
    if (usage === null) continue;
    spends.push({
      model: modelLabel(model),
      provider,
      tokensInput: totalInput(usage),
      tokensOutput: usage.output,
      costUsd: costUsd ?? 0,
    });
  }
  return {
    endMs: record.wallMs + (record.ms ?? 0),
    rule: record.rule ?? NONE,
    model: modelLabel(record.model),
    provider: record.provider ?? NONE,
    isError: !FINE.has(record.outcome ?? ""),
    savedUsd: record.savedUsd ?? 0,
    ms: record.ms,
    // A whole answer has no first token to wait for.
    ttftMs: record.stream ? record.ttftMs : null,
    spends,
  };
}

/** null when `line` has no time. */
export function entryOfLine(line: JsonObject, modelLabel: ModelLabel): LiveEntry | null {
  const startMs = Date.parse(textOf(own(line, "time")) ?? "");
  if (Number.isNaN(startMs)) return null;
  const ms = numberOf(own(line, "ms"));
  const attempts = own(line, "attempts");
  return {
    endMs: startMs + (ms ?? 0),
    rule: textOf(own(line, "rule")) ?? NONE,
    model: modelLabel(textOf(own(line, "model"))),
    provider: textOf(own(line, "provider")) ?? NONE,
    isError: !FINE.has(textOf(own(line, "outcome")) ?? ""),
    savedUsd: numberOf(own(line, "saved_usd")) ?? 0,
    ms,
    ttftMs: own(line, "stream") === true ? numberOf(own(line, "ttft_ms")) : null,
    spends: isArray(attempts) ? attempts.flatMap((attempt) => spendOf(attempt, modelLabel)) : [],
  };
}

function spendOf(attempt: Json, modelLabel: ModelLabel): readonly Spend[] {
  const usage = own(attempt, "usage");
  if (usage === null || usage === undefined) return [];
  const count = (name: string): number => numberOf(own(usage, name)) ?? 0;
  return [
    {
      model: modelLabel(textOf(own(attempt, "model"))),
      provider: textOf(own(attempt, "provider")) ?? NONE,
      tokensInput: count("input") + count("cache_read") + count("cache_write") + count("cache_write_long"),
      tokensOutput: count("output"),
      costUsd: numberOf(own(attempt, "cost_usd")) ?? 0,
    },
  ];
}

function textOf(value: Json | undefined): string | null {
  return isString(value) ? value : null;
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}
