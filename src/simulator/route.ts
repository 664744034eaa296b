/** Paths, methods, keys and versions: what a provider checks before it reads the body. */
import type { ProviderName } from "../base/names.ts";
import { isKnownVersion } from "./anthropic-rules.ts";
import type { Refusal } from "./refusal.ts";

/** The endpoints that take a prompt. */
export type Generates = "chat" | "responses" | "messages" | "count";

/** Where a request goes. */
export interface Route {
  /** From `/v1` on. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly generates: Generates | null;
}

const GENERATING: Readonly<Record<string, readonly [ProviderName, Generates]>> = {
  "/v1/chat/completions": ["openai", "chat"],
  "/v1/responses": ["openai", "responses"],
  "/v1/messages": ["anthropic", "messages"],
  "/v1/messages/count_tokens": ["anthropic", "count"],
};
const MAX_BODY = 32 * 1_048_576;

/** Reads path and query; a slash at the end does not count. */
export function readRoute(request: Request): Route {
  const url = new URL(request.url, "http://simulator");
  const path = url.pathname.replace(/(.)\/$/, "$1");
  const row = Object.hasOwn(GENERATING, path) ? GENERATING[path] : undefined;
  return { path, query: url.searchParams, generates: row?.[1] ?? null };
}

/** Refuses a wrong method, key, version or an oversized body. */
export function checkRoute(
  provider: ProviderName,
  request: Request,
  route: Route,
  keys: Partial<Readonly<Record<ProviderName, string>>>,
  bytes: number,
): Refusal | null {
  return provider === "openai"
    ? checkOpenAi(request, route, keys.openai)
    : checkAnthropic(request, route, keys.anthropic, bytes);
}

function checkOpenAi(request: Request, route: Route, key: string | undefined): Refusal | null {
  const base = { type: "invalid_request_error", param: null };
  const sent = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (sent === undefined) {
    return {
      ...base,
      status: 401,
      code: null,
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
    };
  }
  if (!isRightKey(sent, key)) {
    return {
      ...base,
      status: 401,
      code: "invalid_api_key",
      message: `Incorrect API key provided: ${sent.slice(0, 5)}***. You can find your API key at https://platform.openai.com/account/api-keys.`,
    };
  }
  if (isForeign(route, "openai"))
    return { ...base, status: 404, code: null, message: `Invalid URL (${request.method} ${route.path})` };
  if (route.generates !== null && request.method !== "POST") {
    return {
      ...base,
      status: 405,
      code: "method_not_supported",
      message: `Not allowed to ${request.method} on ${route.path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
    };
  }
  return route.generates !== null && !isJson(request)
    ? { ...base, status: 400, code: null, message: "Unsupported Content-Type: you must send 'application/json'." }
    : null;
}

function checkAnthropic(request: Request, route: Route, key: string | undefined, bytes: number): Refusal | null {
  const refuse = (status: number, type: string, message: string): Refusal => ({
    status,
    type,
    message,
    param: null,
    code: null,
  });
  // With both, x-api-key is the one that counts.
  const sent =
    request.headers.get("x-api-key") ?? /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (sent === undefined) return refuse(401, "authentication_error", "x-api-key header is required");
  if (!isRightKey(sent, key)) return refuse(401, "authentication_error", "invalid x-api-key");
  if (isForeign(route, "anthropic")) return refuse(404, "not_found_error", "Not found");
  if (route.generates !== null && request.method !== "POST")
    return refuse(405, "invalid_request_error", "Method Not Allowed");
  const version = request.headers.get("anthropic-version");
  if (version === null) return refuse(400, "invalid_request_error", "anthropic-version: header is required");
  if (!isKnownVersion(version))
    return refuse(
      400,
      "invalid_request_error",
      `anthropic-version: "${version}" is not a valid version. See https://docs.claude.com/en/api/versioning`,
    );
  if (request.headers.has("origin") && request.headers.get("anthropic-dangerous-direct-browser-access") !== "true") {
    return refuse(
      401,
      "authentication_error",
      "CORS requests must set 'anthropic-dangerous-direct-browser-access' header",
    );
  }
  if (bytes > MAX_BODY) return refuse(413, "request_too_large", "Request exceeds the maximum size");
  return route.generates !== null && !isJson(request)
    ? refuse(400, "invalid_request_error", "content-type: must be application/json")
    : null;
}

function isRightKey(sent: string, key: string | undefined): boolean {
  return key === undefined ? !sent.includes("invalid") : sent === key;
}

function isForeign(route: Route, provider: ProviderName): boolean {
  const row = Object.hasOwn(GENERATING, route.path) ? GENERATING[route.path] : undefined;
  return row !== undefined && row[0] !== provider;
}

function isJson(request: Request): boolean {
  return (request.headers.get("content-type") ?? "").toLowerCase().startsWith("application/json");
}
