/** A line of the ledger, read back by `replay` and `report`. */
import type { Outcome } from "../base/events.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../base/json.ts";
import type { Usage } from "../base/usage.ts";
import { LEDGER_VERSION } from "./ledger-line.ts";

/** One attempt of a line. */
export interface LedgerAttempt {
  readonly model: string;
  readonly class: string;
  readonly usage: Usage | null;
  readonly costUsd: number | null;
  readonly serviceTier: string | null;
}

/** A line as read back. */
export interface LedgerEntry {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
  readonly format: string | null;
  readonly stream: boolean;
  readonly rule: string | null;
  readonly policy: string | null;
  readonly outcome: Outcome | null;
  readonly error: string | null;
  readonly facts: JsonObject | null;
  readonly decision: JsonObject | null;
  readonly model: string | null;
  readonly heal: string | null;
  readonly attempts: readonly LedgerAttempt[];
  readonly costUsd: number | null;
  readonly savedUsd: number | null;
  readonly ms: number | null;
  readonly tags: JsonObject;
  /** The client's body, where it was kept. */
  readonly request: string | null;
}

const OUTCOMES: readonly Outcome[] = ["complete", "upstream_error", "gateway_error", "in_band_error", "client_gone"];

/** Reads a line; null when it is none: not JSON, of another version, or without time and id. */
export function readLedgerLine(line: string): LedgerEntry | null {
  let json: Json;
  try {
    json = JSON.parse(line) as Json;
  } catch {
    return null;
  }
  const time = own(json, "time");
  const id = own(json, "id");
  if (own(json, "v") !== LEDGER_VERSION || !isString(time) || !isString(id)) return null;
  const wallMs = Date.parse(time);
  if (Number.isNaN(wallMs)) return null;
  const attempts = own(json, "attempts");
  return {
    id,
    wallMs,
    format: textOf(own(json, "format")),
    stream: own(json, "stream") === true,
    rule: textOf(own(json, "rule")),
    policy: textOf(own(json, "policy")),
    outcome: OUTCOMES.find((outcome) => outcome === own(json, "outcome")) ?? null,
    error: textOf(own(json, "error")),
    facts: objectOf(own(json, "facts")),
    decision: objectOf(own(json, "decision")),
    model: textOf(own(json, "model")),
    heal: textOf(own(json, "heal")),
    attempts: isArray(attempts) ? attempts.map(readAttempt) : [],
    costUsd: numberOf(own(json, "cost_usd")),
    savedUsd: numberOf(own(json, "saved_usd")),
    ms: numberOf(own(json, "ms")),
    tags: objectOf(own(json, "tags")) ?? {},
    request: textOf(own(json, "request")),
  };
}

function readAttempt(json: Json): LedgerAttempt {
  const usage = own(json, "usage");
  return {
    model: textOf(own(json, "model")) ?? "",
    class: textOf(own(json, "class")) ?? "",
    usage: isObject(usage) ? readUsage(usage) : null,
    costUsd: numberOf(own(json, "cost_usd")),
    serviceTier: textOf(own(json, "service_tier")),
  };
}

function readUsage(json: JsonObject): Usage {
  const count = (name: string): number => numberOf(own(json, name)) ?? 0;
  return {
    input: count("input"),
    cacheRead: count("cache_read"),
    cacheWrite: count("cache_write"),
    cacheWriteLong: count("cache_write_long"),
    output: count("output"),
    reasoning: count("reasoning"),
    source: own(json, "source") === "reported" ? "reported" : "estimated",
  };
}

function textOf(value: Json | undefined): string | null {
  return isString(value) ? value : null;
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function objectOf(value: Json | undefined): JsonObject | null {
  return isObject(value) ? value : null;
}
