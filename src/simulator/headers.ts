/** Answer headers of the providers, those a proxy must not pass on included. */
import type { ProviderName } from "../base/names.ts";

/** Headers that a content delivery network adds and a gateway has no business to relay. */
const NETWORK = {
  server: "cloudflare",
  "cf-ray": "9f1simulated-FRA",
  "cf-cache-status": "DYNAMIC",
  "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
  "set-cookie": "__cf_bm=simulated; path=/; HttpOnly; Secure",
  "alt-svc": 'h3=":443"; ma=86400',
} as const;

/** Headers of an answer; `ok` ones carry rate limits, as recorded. */
export function answerHeaders(
  provider: ProviderName,
  requestId: string,
  contentType: string,
  ok: boolean,
  dateMs: number,
): Record<string, string> {
  const date = { date: new Date(dateMs).toUTCString() };
  if (provider === "openai") {
    return {
      ...NETWORK,
      ...date,
      "content-type": contentType,
      "x-request-id": requestId,
      "openai-processing-ms": "42",
      "openai-version": "2020-10-01",
      "openai-organization": "org-simulated",
      ...(ok
        ? {
            "x-ratelimit-limit-requests": "30000",
            "x-ratelimit-limit-tokens": "150000000",
            "x-ratelimit-remaining-requests": "29999",
            "x-ratelimit-remaining-tokens": "149999960",
            "x-ratelimit-reset-requests": "2ms",
            "x-ratelimit-reset-tokens": "1m30s",
          }
        : {}),
    };
  }
  const reset = new Date(dateMs + 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    ...NETWORK,
    ...date,
    "content-type": contentType,
    "request-id": requestId,
    "anthropic-organization-id": "org-simulated",
    "x-robots-tag": "none",
    ...(ok
      ? Object.fromEntries(
          [
            ["requests", "20000", "19998"],
            ["tokens", "24000000", "23999000"],
            ["input-tokens", "20000000", "19999000"],
            ["output-tokens", "4000000", "4000000"],
          ].flatMap(([name, limit, remaining]) => [
            [`anthropic-ratelimit-${name}-limit`, limit],
            [`anthropic-ratelimit-${name}-remaining`, remaining],
            [`anthropic-ratelimit-${name}-reset`, reset],
          ]),
        )
      : {}),
  };
}
