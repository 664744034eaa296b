/**
 * Rate-limit headers, both ways: Anthropic names them `anthropic-ratelimit-KIND-FIELD` and gives resets as RFC 3339
 * instants, OpenAI `x-ratelimit-FIELD-KIND` with resets as durations (`1m2.5s`). `retry-after` is not touched here.
 */
import type { HeaderView } from "../../base/headers.ts";

type Kind = "requests" | "tokens";
const KINDS: readonly Kind[] = ["requests", "tokens"];

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration such as `8h38m24s`, `1m2.5s` or `6ms`; null when it is not one. */
export function parseDurationMs(text: string): number | null {
  const part = /(\d+(?:\.\d+)?)(ms|[dhms])/y;
  let totalMs = 0;
  let end = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    totalMs += Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? 0);
    end = part.lastIndex;
  }
  return end > 0 && end === text.length ? totalMs : null;
}

/** A duration as OpenAI writes it: `6ms`, `1.2s`, `1m2.5s`, `8h38m24s`; `0s` for none. */
export function renderDuration(ms: number): string {
  const rounded = Math.max(0, Math.ceil(ms));
  if (rounded === 0) return "0s";
  if (rounded < 1000) return `${rounded}ms`;
  const hours = Math.floor(rounded / 3_600_000);
  const minutes = Math.floor((rounded % 3_600_000) / 60_000);
  const seconds = (rounded % 60_000) / 1000;
  const text = `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}`;
  return `${text}${seconds}s`;
}

/** The first whole second at or after `ms`, as Anthropic writes instants. */
function renderInstant(ms: number): string {
  return new Date(Math.ceil(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

interface Limit {
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly reset: string | null;
}

function messagesLimit(headers: HeaderView, kind: string): Limit | null {
  const read = (field: string): string | null => headers.get(`anthropic-ratelimit-${kind}-${field}`);
  const found: Limit = { limit: read("limit"), remaining: read("remaining"), reset: read("reset") };
  return found.limit === null && found.remaining === null && found.reset === null ? null : found;
}

/** How much room a limit leaves: what remains, else the limit itself. */
function room(limit: Limit): number {
  const value = Number(limit.remaining ?? limit.limit ?? Number.NaN);
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

function tighter(a: Limit | null, b: Limit | null): Limit | null {
  if (a === null) return b;
  return b === null || room(a) <= room(b) ? a : b;
}

/**
 * Anthropic's rate-limit headers under OpenAI's names. Without a limit on all tokens, the tighter of those on input and
 * output tokens stands for it. `nowMs` since the epoch.
 * @see https://docs.anthropic.com/en/api/rate-limits#response-headers (read 2026-11-24)
 */
export function chatRateLimits(headers: HeaderView, nowMs: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const kind of KINDS) {
    let limit = messagesLimit(headers, kind);
    if (limit === null && kind === "tokens") {
      limit = tighter(messagesLimit(headers, "input-tokens"), messagesLimit(headers, "output-tokens"));
    }
    if (limit === null) continue;
    if (limit.limit !== null) found[`x-ratelimit-limit-${kind}`] = limit.limit;
    if (limit.remaining !== null) found[`x-ratelimit-remaining-${kind}`] = limit.remaining;
    const resetMs = limit.reset === null ? Number.NaN : Date.parse(limit.reset);
    if (!Number.isNaN(resetMs)) found[`x-ratelimit-reset-${kind}`] = renderDuration(resetMs - nowMs);
  }
  return found;
}

/**
 * OpenAI's rate-limit headers under Anthropic's names; resets are rounded up to a second. `nowMs` since the epoch.
 * @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers (read 2026-11-24)
 */
export function messagesRateLimits(headers: HeaderView, nowMs: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (const kind of KINDS) {
    for (const field of ["limit", "remaining"]) {
      const value = headers.get(`x-ratelimit-${field}-${kind}`);
      if (value !== null) found[`anthropic-ratelimit-${kind}-${field}`] = value;
    }
    const resetMs = parseDurationMs(headers.get(`x-ratelimit-reset-${kind}`) ?? "");
    if (resetMs !== null) found[`anthropic-ratelimit-${kind}-reset`] = renderInstant(nowMs + resetMs);
  }
  return found;
}
