/** Which path means what. Tolerant as clients need it (see normalizePath). */
import type { FormatName } from "../base/names.ts";
import { normalizePath } from "../wire/formats.ts";

/** Groups of `router.passthrough`. */
export const PASSTHROUGH_GROUPS = [
  "embeddings",
  "moderations",
  "audio",
  "images",
  "files",
  "batches",
  "message_batches",
  "completions",
  "stored_completions",
] as const;
export type PassthroughGroup = (typeof PASSTHROUGH_GROUPS)[number];

export type Route =
  | { readonly kind: "generate"; readonly format: FormatName }
  | { readonly kind: "models" }
  | { readonly kind: "model"; readonly id: string }
  | { readonly kind: "count-tokens" }
  /** Bytes through; `path` is below the base URL. `provider` null: by the `anthropic-version` header. */
  | {
      readonly kind: "passthrough";
      readonly group: PassthroughGroup | "responses";
      readonly provider: "openai" | "anthropic" | null;
      readonly path: string;
    }
  | { readonly kind: "root" }
  | { readonly kind: "livez" | "readyz" | "healthz" | "metrics" }
  | { readonly kind: "dashboard"; readonly path: string }
  | { readonly kind: "request"; readonly id: string }
  /** A real endpoint that the gateway cannot serve. */
  | { readonly kind: "websocket" }
  | { readonly kind: "unknown" };

export interface RouteMatch {
  readonly route: Route;
  /** Methods that it answers to. */
  readonly methods: readonly string[];
  /** Low-cardinality name for logs and spans, e.g. `/v1/chat/completions`. */
  readonly name: string;
}

const GET: readonly string[] = ["GET", "HEAD"];
const POST: readonly string[] = ["POST"];
const FULL: readonly string[] = ["GET", "HEAD", "POST", "DELETE"];

function match(route: Route, methods: readonly string[], name: string): RouteMatch {
  return { route, methods, name };
}

/** The fixed paths below `/v1`. */
const FIXED = new Map<string, RouteMatch>([
  ["/chat/completions", match({ kind: "generate", format: "chat" }, POST, "/v1/chat/completions")],
  ["/messages", match({ kind: "generate", format: "messages" }, POST, "/v1/messages")],
  ["/responses", match({ kind: "generate", format: "responses" }, POST, "/v1/responses")],
  ["/messages/count_tokens", match({ kind: "count-tokens" }, POST, "/v1/messages/count_tokens")],
  ["/models", match({ kind: "models" }, GET, "/v1/models")],
  ["/realtime", match({ kind: "websocket" }, FULL, "/v1/realtime")],
]);

/** The same by the paths that clients send, but for some. */
const EXACT = new Map([...FIXED].map(([path, route]) => [`/v1${path}`, route]));

/** Paths of the gateway's own; never below `/v1`. */
const OWN = new Map<string, RouteMatch>([
  ["/", match({ kind: "root" }, GET, "/")],
  ["/livez", match({ kind: "livez" }, GET, "/livez")],
  ["/readyz", match({ kind: "readyz" }, GET, "/readyz")],
  ["/healthz", match({ kind: "healthz" }, GET, "/healthz")],
  ["/metrics", match({ kind: "metrics" }, GET, "/metrics")],
]);

interface PassthroughRow {
  readonly pattern: RegExp;
  readonly group: PassthroughGroup | "responses";
  readonly provider: "openai" | "anthropic" | null;
  readonly methods: readonly string[];
  readonly name: string;
}

/** An id segment: what providers' ids are made of, so that no path can climb or carry a query. */
const ID = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._:-]+";

const PASSTHROUGH: readonly PassthroughRow[] = [
  row(`/embeddings`, "embeddings", "openai", POST, "/v1/embeddings"),
  row(`/moderations`, "moderations", "openai", POST, "/v1/moderations"),
  row(`/audio/(?:speech|transcriptions|translations)`, "audio", "openai", POST, "/v1/audio/*"),
  row(`/images/(?:generations|edits|variations)`, "images", "openai", POST, "/v1/images/*"),
  row(`/files(?:/${ID}(?:/content)?)?`, "files", null, FULL, "/v1/files/*"),
  row(
    `/messages/batches(?:/${ID}(?:/(?:cancel|results))?)?`,
    "message_batches",
    "anthropic",
    FULL,
    "/v1/messages/batches/*",
  ),
  row(`/batches(?:/${ID}(?:/cancel)?)?`, "batches", "openai", FULL, "/v1/batches/*"),
  row(`/completions`, "completions", "openai", POST, "/v1/completions"),
  row(`/chat/completions/${ID}(?:/messages)?`, "stored_completions", "openai", FULL, "/v1/chat/completions/{id}"),
  row(`/responses/${ID}(?:/(?:cancel|input_items))?`, "responses", "openai", FULL, "/v1/responses/{id}"),
  row(`/responses/input_tokens`, "responses", "openai", POST, "/v1/responses/input_tokens"),
];

function row(
  path: string,
  group: PassthroughRow["group"],
  provider: PassthroughRow["provider"],
  methods: readonly string[],
  name: string,
): PassthroughRow {
  return { pattern: new RegExp(`^${path}$`), group, provider, methods, name };
}

const UNKNOWN: RouteMatch = match({ kind: "unknown" }, FULL, "other");
const MODEL = /^[A-Za-z0-9._:/-]{1,128}$/;

/** The id in `/models/{id}`, percent-encoded or not (SDKs encode the colons of a fine-tuned model); null for none. */
function modelId(path: string): string | null {
  if (!path.startsWith("/models/")) return null;
  try {
    const id = decodeURIComponent(path.slice("/models/".length));
    return MODEL.test(id) ? id : null;
  } catch {
    return null;
  }
}

/** Finds the route of a path (without its query). */
export function matchRoute(pathname: string): RouteMatch {
  const own = OWN.get(pathname);
  if (own !== undefined) return own;
  if (pathname === "/dashboard" || pathname.startsWith("/dashboard/")) {
    return match({ kind: "dashboard", path: pathname.slice("/dashboard".length) }, GET, "/dashboard");
  }
  if (pathname.startsWith("/arouter/requests/")) {
    const id = pathname.slice("/arouter/requests/".length);
    return match({ kind: "request", id }, GET, "/arouter/requests/{id}");
  }
  const exact = EXACT.get(pathname);
  if (exact !== undefined) return exact;
  const path = normalizePath(pathname).replace(/^\/v1(?=\/|$)/, "");
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return fixed;
  const model = modelId(path);
  if (model !== null) return match({ kind: "model", id: model }, GET, "/v1/models/{id}");
  if (path === "/realtime" || path.startsWith("/realtime/")) {
    return match({ kind: "websocket" }, FULL, "/v1/realtime");
  }
  for (const { pattern, group, provider, methods, name } of PASSTHROUGH) {
    if (pattern.test(path)) return match({ kind: "passthrough", group, provider, path }, methods, name);
  }
  return UNKNOWN;
}
