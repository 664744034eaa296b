/** Where calls go: a base URL taken apart once, and paths below it made safe to write on a request line. */

export interface Origin {
  /** Scheme, host and port: connections with the same one are interchangeable. */
  readonly key: string;
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** For the `host` header: the port only when it is not the scheme's own. */
  readonly host: string;
}

export interface Base {
  readonly origin: Origin;
  /** Path of the base URL, without a trailing slash. */
  readonly prefix: string;
  /** Credentials that stand in the URL, for calls that bring none; null without. */
  readonly authorization: string | null;
}

/** @throws TypeError when it is no URL */
export function parseBase(baseUrl: string): Base {
  const { protocol, hostname, port, host, pathname, username, password } = new URL(baseUrl);
  const isTls = protocol === "https:";
  return {
    origin: {
      key: `${protocol}//${host}`,
      isTls,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? (isTls ? 443 : 80) : Number(port),
      host,
    },
    prefix: pathname.replace(/\/+$/, ""),
    authorization: username === "" && password === "" ? null : basic(username, password),
  };
}

function basic(username: string, password: string): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Paths that a URL parser would leave as they are. */
const PLAIN_PATH = /^(?:\/[\w-][\w.-]*)+$/;

/** Path and query as the WHATWG URL parser writes them: dot segments are resolved, what may not stand there is escaped. */
export function targetOf({ prefix, origin }: Base, path: string): string {
  if (PLAIN_PATH.test(path)) return prefix + path;
  const { pathname, search } = new URL(origin.key + prefix + path);
  return pathname + search;
}
