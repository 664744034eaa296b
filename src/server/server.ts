/** The HTTP shell: lets requests in, hands each to its handler, answers. Elysia routes, Bun serves. */
import { Elysia } from "elysia";
import type { Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { HeaderView } from "../base/headers.ts";
import { GatewayError } from "../base/errors.ts";
import { tickEnd } from "../base/tick.ts";
import { toGatewayError } from "../gateway/error-reply.ts";
import type { Arrival } from "../gateway/exchange.ts";
import type { Reply } from "../gateway/reply.ts";
import type { WireFormat } from "../wire/format.ts";
import { admit, type AdmissionSettings, corsHeaders, NO_CORS } from "./admission.ts";
import type { BodyLimits } from "./body.ts";
import type { Drain, Listener } from "./drain.ts";
import { splitUrl } from "./request-view.ts";
import { matchRoute, type Route, type RouteMatch } from "./routes.ts";
import { type BunServer, openVisit, type Place, type Visit } from "./visit.ts";

/** A place among the requests in flight; or why there is none. */
export type Admission = Place | { readonly ok: false; readonly reason: string };

export interface ServerOptions {
  readonly clock: Clock;
  readonly drain: Drain;
  /** `host:port` or `unix:/path`. */
  readonly listenAddr: string;
  readonly tls: { readonly cert: Bun.BunFile; readonly key: Bun.BunFile } | null;
  readonly reusePort: boolean;
  readonly clientIdleMs: number;
  /** Read at each request: a reload may change them. */
  readonly admission: () => AdmissionSettings;
  readonly bodyLimits: () => BodyLimits;
  /** A place among the requests in flight, waiting in line for it. */
  readonly permit: (signal: Signal) => Admission | Promise<Admission>;
  /** Answers a visit. */
  readonly serve: (visit: Visit) => Promise<Reply>;
  /** Answers a request that is turned away; records it. */
  readonly refuse: (arrival: Arrival, route: Route, format: WireFormat, error: GatewayError) => Reply;
  readonly onShed: (reason: string) => void;
}

export interface RunningServer extends Listener {
  /** Where it listens, as a client would write it: `127.0.0.1:8080`. */
  readonly address: string;
  readonly url: string;
  /** Cuts everything. */
  readonly close: () => Promise<void>;
}

/** Routes that cost no permit: they are never shed. */
const FREE = new Set<Route["kind"]>(["livez", "readyz", "healthz", "metrics", "root", "dashboard", "request"]);
/** Bun's own answer to a long body has no body of its own, and its limit follows no reload: bodies are bounded as they are read. */
const NO_BODY_LIMIT = Number.MAX_SAFE_INTEGER;
const MAX_IDLE_SECONDS = 255;

/** Starts listening. @throws what Bun throws when the address cannot be used */
export function startServer(options: ServerOptions): RunningServer {
  const idleSeconds = Math.min(MAX_IDLE_SECONDS, Math.ceil(options.clientIdleMs / 1000));
  const app = new Elysia({ systemRouter: false, serve: { development: false } }).all(
    "/*",
    ({ request, server }) => visit(options, request, server, idleSeconds),
    { parse: "none" },
  );
  const place = options.listenAddr.startsWith("unix:")
    ? { unix: options.listenAddr.slice("unix:".length) }
    : splitHostPort(options.listenAddr);
  app.listen({
    ...place,
    idleTimeout: idleSeconds,
    maxRequestBodySize: NO_BODY_LIMIT,
    reusePort: options.reusePort,
    development: false,
    ...(options.tls === null ? {} : { tls: options.tls }),
  } as Parameters<typeof app.listen>[0]);
  const server = app.server as BunServer;
  const scheme = options.tls === null ? "http" : "https";
  const address = "unix" in place ? options.listenAddr : `${place.hostname}:${server.port}`;
  return {
    address,
    url: `${scheme}://${address}`,
    stopListening: () => void server.stop(),
    pending: () => server.pendingRequests,
    close: async () => {
      await server.stop(true);
    },
  };
}

function splitHostPort(address: string): { readonly hostname: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { hostname: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

async function visit(
  options: ServerOptions,
  request: Request,
  server: BunServer | null,
  idleSeconds: number,
): Promise<Response> {
  const { drain } = options;
  const { method } = request;
  const url = splitUrl(request.url);
  const match = matchRoute(url.path);
  const visit = openVisit(options, request, server, idleSeconds, match, url.query);
  const { headers } = visit;
  const settings = options.admission();
  const cors = corsHeaders(settings, headers.get("origin"));
  try {
    if (method === "OPTIONS" && "access-control-allow-origin" in cors) return preflight(request, cors, visit);
    visit.key = admit(settings, method, headers, url.path, match.route).key;
    checkMethod(match, method);
    if (!FREE.has(match.route.kind)) {
      const asked = options.permit(visit.signal);
      const permit = asked instanceof Promise ? await asked : asked;
      if (!permit.ok) throw shed(options, permit.reason);
      visit.hold(permit);
    }
    // Silence is from now on the gateway's own, or from when the body is read.
    if (!hasBody(headers)) visit.beginSilence();
    const reply = await options.serve(visit);
    await tickEnd();
    return respond(reply, cors, drain, method, visit);
  } catch (thrown) {
    const reply = options.refuse(visit, match.route, visit.format, toGatewayError(thrown));
    return respond(reply, cors, drain, method, visit);
  }
}

/** By what announces one: asking for the body itself opens a stream over it. */
function hasBody(headers: HeaderView): boolean {
  return (headers.get("content-length") ?? "0") !== "0" || headers.get("transfer-encoding") !== null;
}

function shed(options: ServerOptions, reason: string): GatewayError {
  if (reason === "aborted") return new GatewayError("client-closed", "the client left while waiting in line");
  options.onShed(reason);
  if (reason === "memory" || reason === "files") {
    return new GatewayError("overloaded", `the gateway runs short of ${reason}; try again shortly`);
  }
  return new GatewayError("overloaded", "the gateway is at its limit of requests in flight; try again shortly");
}

function checkMethod({ route, methods }: RouteMatch, method: string): void {
  if (methods.includes(method) && route.kind !== "unknown") return;
  if (route.kind === "unknown" && (method === "GET" || method === "HEAD" || method === "POST" || method === "DELETE"))
    return;
  const allow = route.kind === "unknown" ? ["GET", "HEAD", "POST", "DELETE"] : methods;
  throw new GatewayError(
    "method-not-allowed",
    `this route does not answer to ${method.slice(0, 16)}; it takes ${allow.join(", ")}`,
    {
      allow,
    },
  );
}

/** @see https://fetch.spec.whatwg.org/#http-cors-protocol (read 2026-11-24) */
function preflight(request: Request, cors: Readonly<Record<string, string>>, arrival: Arrival): Response {
  arrival.onOver();
  return new Response(null, {
    status: 204,
    headers: {
      ...cors,
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "*",
      "access-control-max-age": "600",
    },
  });
}

function respond(
  reply: Reply,
  cors: Readonly<Record<string, string>>,
  drain: Drain,
  method: string,
  arrival: Arrival,
): Response {
  if (!(reply.body instanceof ReadableStream)) arrival.onOver();
  const body = method === "HEAD" ? null : reply.body;
  const isPlain = cors === NO_CORS && drain.isServing();
  const headers = isPlain ? reply.headers : { ...reply.headers, ...cors };
  return new Response(body as BodyInit | null, {
    status: reply.status,
    headers: drain.isServing() ? headers : { ...headers, connection: "close" },
  });
}
