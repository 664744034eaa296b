/** What is read of a raw request before anything else: its path and its format for errors. */
import type { HeaderView } from "../base/headers.ts";
import { formatByName } from "../wire/formats.ts";
import type { WireFormat } from "../wire/format.ts";
import type { Route } from "./routes.ts";

/** Path and query of a request. Bun gives only the path when the `Host` is no valid one, so this must not use `new URL`. */
export function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const scheme = url.indexOf("://");
  const start = scheme < 0 ? 0 : url.indexOf("/", scheme + 3);
  const target = start < 0 ? "/" : url.slice(start);
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark) };
}

/** The format in which a route's errors are told; unknown routes: by the `anthropic-version` header. */
export function errorFormat(route: Route, headers: HeaderView): WireFormat {
  if (route.kind === "generate") return formatByName(route.format);
  if (route.kind === "count-tokens") return formatByName("messages");
  return formatByName(headers.get("anthropic-version") !== null ? "messages" : "chat");
}
