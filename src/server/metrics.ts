/** `/metrics` on an address of its own, where `[metrics] listen_addr` asks for it: no key is needed there. */
export interface MetricsServer {
  /** Where it listens. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

const HEADERS = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" };

/**
 * Listens on `host:port` or `unix:/path`; `text` gives null while metrics are off.
 * @throws what Bun throws when the address cannot be used
 */
export function startMetricsServer(
  listenAddr: string,
  text: () => Promise<string> | null,
  /** Other workers listen there too. */
  reusePort = false,
): MetricsServer {
  const answer = async (request: Request): Promise<Response> => {
    const isMetrics = new URL(request.url).pathname === "/metrics";
    if (isMetrics && request.method !== "GET" && request.method !== "HEAD") {
      return new Response("method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const body = isMetrics ? await text() : null;
    if (body === null) return new Response("not found\n", { status: 404 });
    return new Response(request.method === "HEAD" ? null : body, { headers: HEADERS });
  };
  const error = (): Response => new Response("metrics failed\n", { status: 500 });
  if (listenAddr.startsWith("unix:")) {
    const server = Bun.serve({ unix: listenAddr.slice("unix:".length), fetch: answer, error, development: false });
    return { address: listenAddr, close: () => server.stop(true) };
  }
  const colon = listenAddr.lastIndexOf(":");
  const hostname = listenAddr.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const server = Bun.serve({
    hostname,
    port: Number(listenAddr.slice(colon + 1)),
    reusePort,
    fetch: answer,
    error,
    development: false,
  });
  return { address: `${hostname}:${server.port}`, close: () => server.stop(true) };
}
