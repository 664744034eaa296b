/** Who may come in: keys, origins, hosts, headers, and room. Refusing costs no upstream call. */
import type { HeaderView } from "../base/headers.ts";
import { GatewayError } from "../base/errors.ts";
import { sameDigest, sha256 } from "../base/secret.ts";
import type { Route } from "./routes.ts";

/** One key of `[auth] keys`. */
export interface AccessKey {
  readonly name: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly digest: Uint8Array;
}

export interface AdmissionSettings {
  readonly keys: readonly AccessKey[];
  /** Paths that need no key. */
  readonly publicPaths: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  /** The gateway listens on a loopback address: `Host` must then be a loopback name. */
  readonly loopback: boolean;
  readonly headerBytes: number;
  readonly headerCount: number;
}

export interface Admitted {
  /** Name of the key presented; null when none is needed. */
  readonly key: string | null;
}

const NO_KEY: Admitted = { key: null };
const BEARER = /^bearer +(.+)$/i;
const BASIC = /^basic +(.+)$/i;

/** The key that a request presents, from `Authorization: Bearer` or `Basic` (its password), or `x-api-key`. */
function presentedKey(headers: HeaderView, allowBasic: boolean): string | null {
  const authorization = headers.get("authorization");
  const bearer = authorization === null ? null : BEARER.exec(authorization)?.[1];
  if (bearer !== null && bearer !== undefined) return bearer.trim();
  const apiKey = headers.get("x-api-key");
  if (apiKey !== null) return apiKey;
  const basic = allowBasic && authorization !== null ? BASIC.exec(authorization)?.[1] : undefined;
  if (basic === undefined) return null;
  const decoded = Buffer.from(basic, "base64").toString("utf8");
  return decoded.slice(decoded.indexOf(":") + 1);
}

/** Compares with every key, without leaving early, so that the time tells nothing. */
function findKey(keys: readonly AccessKey[], presented: string): string | null {
  const digest = sha256(presented);
  let found: string | null = null;
  for (const key of keys) {
    if (sameDigest(digest, key.digest)) found = key.name;
  }
  return found;
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/**
 * Lets a request in or refuses it.
 * @throws GatewayError `headers-too-large`, `invalid-request` (two hosts), `forbidden` (host, origin), `unauthorized`
 */
export function admit(
  settings: AdmissionSettings,
  method: string,
  headers: HeaderView,
  path: string,
  route: Route,
): Admitted {
  checkHeaders(settings, headers);
  checkHost(settings, headers.get("host"));
  checkOrigin(settings, method, headers.get("origin"));
  return checkKey(settings, headers, path, route);
}

/** Bun lets DEL pass, which no provider takes: what is sent on must be fit to be sent. */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 (read 2026-11-24) */
function controlCharacter(name: string): GatewayError {
  const message = `header ${name}: its value holds a control character; send printable text`;
  return new GatewayError("invalid-request", message, { code: "invalid_header", param: name });
}

function checkHeaders(settings: AdmissionSettings, headers: HeaderView): void {
  let count = 0;
  let bytes = 0;
  headers.forEach((value, name) => {
    count += 1;
    bytes += name.length + value.length + 4;
    if (CONTROL.test(value)) throw controlCharacter(name);
  });
  if (count > settings.headerCount || bytes > settings.headerBytes) {
    const limit = count > settings.headerCount ? "limits.header_count" : "limits.header_bytes";
    throw new GatewayError("headers-too-large", `the request's headers are over ${limit}`);
  }
}

function checkHost(settings: AdmissionSettings, host: string | null): void {
  if (host === null) return;
  if (host.includes(",")) {
    throw new GatewayError("invalid-request", "more than one Host header", { code: "invalid_header", param: "host" });
  }
  // A page on another site can point its own name at 127.0.0.1 (DNS rebinding): only loopback names are served there.
  if (settings.loopback && !LOOPBACK_HOST.test(host) && !isAllowedHost(settings, host)) {
    throw new GatewayError(
      "forbidden",
      "this Host is not served on a loopback address; add it to server.allowed_hosts",
      {
        param: "host",
      },
    );
  }
}

/** Host names are compared without their port and letter case. */
function isAllowedHost({ allowedHosts }: AdmissionSettings, host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}

function checkOrigin(settings: AdmissionSettings, method: string, origin: string | null): void {
  if (origin === null || settings.allowedOrigins.includes(origin)) return;
  if (method === "POST" || method === "DELETE") {
    throw new GatewayError(
      "forbidden",
      "requests from this browser origin are not allowed; add it to server.allowed_origins",
      {
        param: "origin",
      },
    );
  }
}

function checkKey(settings: AdmissionSettings, headers: HeaderView, path: string, route: Route): Admitted {
  if (settings.keys.length === 0) return NO_KEY;
  const presented = presentedKey(headers, route.kind === "dashboard" || route.kind === "request");
  const key = presented === null ? null : findKey(settings.keys, presented);
  if (key === null && !settings.publicPaths.includes(path)) {
    throw new GatewayError(
      "unauthorized",
      presented === null ? "no API key was sent; this gateway needs one" : "the API key is not valid for this gateway",
      {
        headers: route.kind === "dashboard" ? { "www-authenticate": 'Basic realm="arouter"' } : {},
      },
    );
  }
  return { key };
}

/** For an origin that is not allowed, or none. */
export const NO_CORS: Readonly<Record<string, string>> = {};

/** CORS headers for an allowed origin; {@link NO_CORS} otherwise. */
export function corsHeaders(settings: AdmissionSettings, origin: string | null): Readonly<Record<string, string>> {
  if (origin === null || !settings.allowedOrigins.includes(origin)) return NO_CORS;
  return { "access-control-allow-origin": origin, vary: "origin", "access-control-expose-headers": "*" };
}
