/** Which headers travel. Allow-lists both ways: what is not named here is dropped. */
import { createGlob } from "../base/glob.ts";
import type { HeaderView } from "../base/headers.ts";
import type { ProviderName } from "../base/names.ts";

/** Trace headers that continue upstream beside the rewritten `traceparent`. */
const TRACE = ["tracestate", "baggage"] as const;

/** Client headers that reach a provider of the client's own wire format. */
const FORWARDED: Record<ProviderName, readonly string[]> = {
  openai: ["openai-organization", "openai-project", "openai-beta", ...TRACE],
  anthropic: [
    "anthropic-version",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-workspace-id",
    "anthropic-user-profile-id",
    ...TRACE,
  ],
};

/** Upstream headers that reach the client in any format. */
const RETURNED = new Set(["content-type", "retry-after", "retry-after-ms", "x-should-retry"]);
const RETURNED_SAME_FORMAT = /^(?:x-ratelimit-|anthropic-|openai-)/;

/** The client's headers for `provider`: all that it may see in the same format, trace context only across formats. */
export function forwardedHeaders(
  client: HeaderView,
  provider: ProviderName,
  sameFormat: boolean,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of sameFormat ? FORWARDED[provider] : TRACE) {
    const value = client.get(name);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

/**
 * Merges `anthropic-beta` values: the client's, then ours, without repeats, filtered by the provider's globs.
 * @see https://docs.anthropic.com/en/api/beta-headers (read 2026-11-24)
 */
export function mergeBetas(
  values: readonly (string | null)[],
  allow: readonly string[],
  deny: readonly string[],
): string | null {
  const betas = new Set<string>();
  for (const value of values) {
    for (const beta of (value ?? "").split(",")) {
      const name = beta.trim();
      if (name !== "" && matchesAny(allow, name) && !matchesAny(deny, name)) betas.add(name);
    }
  }
  return betas.size === 0 ? null : [...betas].join(",");
}

/** `headers` with only those `anthropic-beta` values that the provider's globs let through. */
export function filterBetas(
  headers: Readonly<Record<string, string>>,
  { allow, deny }: { readonly allow: readonly string[]; readonly deny: readonly string[] },
): Readonly<Record<string, string>> {
  const sent = headers["anthropic-beta"];
  if (sent === undefined) return headers;
  const { "anthropic-beta": _sent, ...others } = headers;
  const betas = mergeBetas([sent], allow, deny);
  return betas === null ? others : { ...others, "anthropic-beta": betas };
}

function matchesAny(globs: readonly string[], text: string): boolean {
  return globs.some((glob) => createGlob(glob)(text));
}

/** The upstream's headers that the client gets; `sameFormat` adds rate limits and vendor headers under their own names. */
export function returnedHeaders(upstream: HeaderView, sameFormat: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  upstream.forEach((value, name) => {
    if (RETURNED.has(name) || (sameFormat && RETURNED_SAME_FORMAT.test(name))) headers[name] = value;
  });
  return headers;
}

/** The upstream's own request id, under either vendor's name. */
export function upstreamRequestId(headers: HeaderView): string | null {
  return headers.get("request-id") ?? headers.get("x-request-id");
}
