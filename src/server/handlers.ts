/** What each route answers. */
import { GatewayError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import type { CountTokens } from "../gateway/count-tokens.ts";
import { renderErrorReply } from "../gateway/error-reply.ts";
import type { Arrival } from "../gateway/exchange.ts";
import type { Gateway } from "../gateway/handle.ts";
import type { Models, Paging } from "../gateway/models.ts";
import type { PassThrough } from "../gateway/passthrough.ts";
import type { Reply } from "../gateway/reply.ts";
import type { WireFormat } from "../wire/format.ts";
import { type Dashboard, serveDashboard, serveRequest } from "./dashboard.ts";
import type { Health } from "./health.ts";
import type { Route } from "./routes.ts";
import type { Visit } from "./visit.ts";

export interface HandlerOptions {
  readonly version: string;
  readonly gateway: Gateway;
  readonly passThrough: PassThrough;
  readonly countTokens: CountTokens;
  readonly models: Models;
  readonly health: Health;
  readonly isReady: () => Promise<boolean>;
  /** `router.passthrough`. */
  readonly passthroughGroups: () => readonly string[];
  /** null: no metrics on this port. */
  readonly metrics: (() => Promise<string>) | null;
  /** null: there is none. */
  readonly dashboard: Dashboard | null;
}

export interface Handlers {
  readonly serve: (visit: Visit) => Promise<Reply>;
  readonly refuse: (arrival: Arrival, route: Route, format: WireFormat, error: GatewayError) => Reply;
}

const NO_STORE = { "cache-control": "no-store" };

function json(value: JsonObject, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

function text(body: string, status = 200): Reply {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...NO_STORE }, body };
}

export function createHandlers(options: HandlerOptions): Handlers {
  return {
    serve: (visit) => serve(options, visit),
    refuse: (arrival, route, format, error) =>
      isRecorded(route) ? options.gateway.refuse(arrival, format, error) : plainError(arrival, format, error),
  };
}

/** Routes whose requests are told to the observers, also when they are turned away. */
function isRecorded(route: Route): boolean {
  return (
    route.kind === "generate" ||
    route.kind === "count-tokens" ||
    route.kind === "passthrough" ||
    route.kind === "unknown"
  );
}

function plainError(arrival: Arrival, format: WireFormat, error: GatewayError): Reply {
  const reply = renderErrorReply(format, error, arrival.id);
  const own = { "x-arouter-request-id": arrival.id, "x-arouter-error": error.kind };
  return { ...reply, headers: { ...reply.headers, ...own } };
}

/** What models are asked for goes to the gateway without a promise of its own. @throws GatewayError `unsupported-media` */
function serve(options: HandlerOptions, visit: Visit): Promise<Reply> {
  if (visit.match.route.kind !== "generate") return serveOther(options, visit, visit.match.route);
  visit.requireJson();
  return options.gateway.handle(visit, visit.format, visit.body());
}

async function serveOther(
  options: HandlerOptions,
  visit: Visit,
  route: Exclude<Route, { kind: "generate" }>,
): Promise<Reply> {
  const { query } = visit;
  switch (route.kind) {
    case "count-tokens": {
      visit.requireJson();
      return options.countTokens(visit, await visit.body(), query);
    }
    case "passthrough":
      return passThrough(options, visit, route);
    case "models":
    case "model":
      return withId(visit, await serveModels(options.models, visit, route));
    case "root":
      return withId(visit, json({ name: "arouter", version: options.version }));
    case "livez":
      return text("ok\n");
    case "readyz":
      return (await options.isReady()) ? text("ready\n") : text("not ready\n", 503);
    case "healthz":
      return serveHealth(options.health, query);
    case "metrics":
      return options.metrics === null ? unknownRoute() : serveMetrics(options.metrics);
    case "websocket":
      throw new GatewayError(
        "unsupported-translation",
        "the realtime API and WebSockets are not served by this gateway",
        {
          status: 404,
          code: "unsupported_endpoint",
        },
      );
    case "dashboard":
      return (await serveDashboard(options.dashboard, route.path, query)) ?? unknownRoute();
    case "request":
      return (await serveRequest(options.dashboard, route.id)) ?? unknownRequest();
    case "unknown":
      return unknownRoute();
  }
}

function unknownRoute(): never {
  throw new GatewayError("not-found", "there is no such route", { code: "unknown_url" });
}

function unknownRequest(): never {
  const message = "no such request is remembered; the dashboard keeps the last thousand";
  throw new GatewayError("not-found", message, { code: "unknown_request" });
}

function withId(arrival: Arrival, reply: Reply): Reply {
  const ids = { "x-request-id": arrival.id, "request-id": arrival.id, "x-arouter-request-id": arrival.id };
  return { ...reply, headers: { ...reply.headers, ...ids } };
}

async function passThrough(
  options: HandlerOptions,
  visit: Visit,
  route: Extract<Route, { kind: "passthrough" }>,
): Promise<Reply> {
  const { query, format } = visit;
  if (route.group !== "responses" && !options.passthroughGroups().includes(route.group)) {
    throw new GatewayError("not-found", `this route is not passed on; add "${route.group}" to router.passthrough`, {
      code: "unknown_url",
    });
  }
  const provider: ProviderName =
    route.provider ?? (visit.headers.get("anthropic-version") !== null ? "anthropic" : "openai");
  const body = visit.method === "POST" ? await visit.body() : null;
  return options.passThrough(visit, { provider, path: route.path + query, format, body });
}

async function serveModels(
  models: Models,
  visit: Visit,
  route: Extract<Route, { kind: "models" | "model" }>,
): Promise<Reply> {
  const shape: ProviderName = visit.headers.get("anthropic-version") !== null ? "anthropic" : "openai";
  if (route.kind === "model") return json(await models.find(route.id, shape));
  return json(shape === "openai" ? await models.listOpenAi() : await models.listAnthropic(readPaging(visit.query)));
}

const DEFAULT_PAGE = 20;
const MAX_PAGE = 1000;

function readPaging(query: string): Paging {
  const params = new URLSearchParams(query);
  const text = params.get("limit");
  const limit = text === null ? DEFAULT_PAGE : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new GatewayError("invalid-request", `limit must be an integer from 1 to ${MAX_PAGE}`, { param: "limit" });
  }
  return { limit, afterId: params.get("after_id"), beforeId: params.get("before_id") };
}

async function serveHealth(health: Health, query: string): Promise<Reply> {
  const report = await health.report();
  const strict = new URLSearchParams(query).get("strict") === "1";
  const isFine = strict ? report.status === "ok" : report.status !== "down";
  return json(report as unknown as JsonObject, isFine ? 200 : 503, NO_STORE);
}

async function serveMetrics(metrics: () => Promise<string>): Promise<Reply> {
  return {
    status: 200,
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", ...NO_STORE },
    body: await metrics(),
  };
}
