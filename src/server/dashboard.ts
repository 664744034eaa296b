/** The dashboard's page and data, and single requests as JSON. */
import type { JsonObject } from "../base/json.ts";
import type { Reply } from "../gateway/reply.ts";

export interface Dashboard {
  /** Whether it is to be seen at all; asked at each request. */
  readonly isOn: () => boolean;
  /** Its files, by what follows `/dashboard` in the path. */
  readonly files: ReadonlyMap<string, { readonly type: string; readonly text: string }>;
  /** What the page shows, for `window` and `by` of its query. */
  readonly state: (query: URLSearchParams) => Promise<JsonObject>;
  /** A request by its id; null when it is not remembered. */
  readonly request: (id: string) => Promise<JsonObject | null>;
}

/** Nothing from elsewhere, nothing inline, no frame around it: names of rules and models come from callers. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Answers `/dashboard` and what lies below it; `path` is what follows `/dashboard`. null: there is no such thing. */
export async function serveDashboard(dashboard: Dashboard | null, path: string, query: string): Promise<Reply | null> {
  if (dashboard === null || !dashboard.isOn()) return null;
  if (path === "/") return { status: 308, headers: { ...COMMON_HEADERS, location: "../dashboard" }, body: null };
  if (path === "/data.json") return json(await dashboard.state(new URLSearchParams(query)));
  const file = dashboard.files.get(path);
  if (file === undefined) return null;
  return {
    status: 200,
    headers: {
      ...COMMON_HEADERS,
      "content-type": file.type,
      "content-security-policy": CONTENT_SECURITY_POLICY,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    },
    body: file.text,
  };
}

/** Answers `/arouter/requests/{id}`; null: not remembered. */
export async function serveRequest(dashboard: Dashboard | null, id: string): Promise<Reply | null> {
  const found = dashboard !== null && dashboard.isOn() ? await dashboard.request(id) : null;
  return found === null ? null : json(found);
}

function json(value: JsonObject): Reply {
  return {
    status: 200,
    headers: { ...COMMON_HEADERS, "content-type": "application/json" },
    body: JSON.stringify(value),
  };
}
