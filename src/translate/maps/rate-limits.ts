/**
 * Rate-limit headers, both ways: Anthropic names them `anthropic-ratelimit-KIND-FIELD` and gives resets as RFC 3339
 * instants, OpenAI `x-ratelimit-FIELD-KIND` with resets as durations (`1m2.5s`). `retry-after` is not touched here.
 */
import type { HeaderView } from "../../base/headers.ts";

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

/** One limit; the names of its fields in one format's headers, or what they say. */
interface Limit<Text> {
  readonly limit: Text;
  readonly remaining: Text;
  readonly reset: Text;
}

/** Anthropic's names for a limit. */
function messagesNames(kind: string): Limit<string> {
  const prefix = `anthropic-ratelimit-${kind}`;
  return { limit: `${prefix}-limit`, remaining: `${prefix}-remaining`, reset: `${prefix}-reset` };
}

/** OpenAI's names for it. */
function chatNames(kind: string): Limit<string> {
  return {
    limit: `x-ratelimit-limit-${kind}`,
    remaining: `x-ratelimit-remaining-${kind}`,
    reset: `x-ratelimit-reset-${kind}`,
  };
}

const MESSAGES = {
  requests: messagesNames("requests"),
  tokens: messagesNames("tokens"),
  inputTokens: messagesNames("input-tokens"),
  outputTokens: messagesNames("output-tokens"),
};
const CHAT = { requests: chatNames("requests"), tokens: chatNames("tokens") };

function readLimit(headers: HeaderView, names: Limit<string>): Limit<string | null> | null {
  const limit = headers.get(names.limit);
  const remaining = headers.get(names.remaining);
  const reset = headers.get(names.reset);
  return limit === null && remaining === null && reset === null ? null : { limit, remaining, reset };
}

/** How much room a limit leaves: what remains, else the limit itself. */
function room({ limit, remaining }: Limit<string | null>): number {
  const value = Number(remaining ?? limit ?? Number.NaN);
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

function tighter(a: Limit<string | null> | null, b: Limit<string | null> | null): Limit<string | null> | null {
  if (a === null) return b;
  return b === null || room(a) <= room(b) ? a : b;
}

/** Adds what `limit` says under `names`; `reset` in the client's form. */
function writeLimit(
  found: Record<string, string>,
  names: Limit<string>,
  { limit, remaining }: Limit<string | null>,
  reset: string | null,
): void {
  if (limit !== null) found[names.limit] = limit;
  if (remaining !== null) found[names.remaining] = remaining;
  if (reset !== null) found[names.reset] = reset;
}

/** The time until the instant `reset`; null when it is none. */
function untilInstant(reset: string | null, nowMs: number): string | null {
  const resetMs = reset === null ? Number.NaN : Date.parse(reset);
  return Number.isNaN(resetMs) ? null : renderDuration(resetMs - nowMs);
}

/** The instant after the duration `reset`; null when it is none. */
function instantAfter(reset: string | null, nowMs: number): string | null {
  const resetMs = reset === null ? null : parseDurationMs(reset);
  return resetMs === null ? null : renderInstant(nowMs + resetMs);
}

/**
 * Anthropic's rate-limit headers under OpenAI's names. Without a limit on all tokens, the tighter of those on input and
 * output tokens stands for it. `nowMs` since the epoch.
 * @see https://docs.anthropic.com/en/api/rate-limits#response-headers (read 2026-11-24)
 */
export function chatRateLimits(headers: HeaderView, nowMs: number): Record<string, string> {
  const found: Record<string, string> = {};
  const requests = readLimit(headers, MESSAGES.requests);
  const tokens =
    readLimit(headers, MESSAGES.tokens) ??
    tighter(readLimit(headers, MESSAGES.inputTokens), readLimit(headers, MESSAGES.outputTokens));
  if (requests !== null) writeLimit(found, CHAT.requests, requests, untilInstant(requests.reset, nowMs));
  if (tokens !== null) writeLimit(found, CHAT.tokens, tokens, untilInstant(tokens.reset, nowMs));
  return found;
}

/**
 * OpenAI's rate-limit headers under Anthropic's names; resets are rounded up to a second. `nowMs` since the epoch.
 * @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers (read 2026-11-24)
 */
export function messagesRateLimits(headers: HeaderView, nowMs: number): Record<string, string> {
  const found: Record<string, string> = {};
  const requests = readLimit(headers, CHAT.requests);
  const tokens = readLimit(headers, CHAT.tokens);
  if (requests !== null) writeLimit(found, MESSAGES.requests, requests, instantAfter(requests.reset, nowMs));
  if (tokens !== null) writeLimit(found, MESSAGES.tokens, tokens, instantAfter(tokens.reset, nowMs));
  return found;
}
