/** A request that was let in, until it is over. */
import { type ChildAbort, createChildAbort, type Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import { type RequestHeaders, listHeaders } from "../base/headers.ts";
import { createRequestId } from "../base/ids.ts";
import type { Arrival } from "../gateway/exchange.ts";
import type { WireFormat } from "../wire/format.ts";
import { type BodyLimits, type BodyReader, readBody } from "./body.ts";
import type { Drain } from "./drain.ts";
import { errorFormat } from "./request-view.ts";
import type { RouteMatch } from "./routes.ts";

/** What a handler answers. */
export interface Visit extends Arrival {
  readonly match: RouteMatch;
  readonly query: string;
  readonly format: WireFormat;
  /** Reads the body; from then on silence no longer closes the connection. */
  body(): Promise<Uint8Array>;
  /** Refuses a body that is not declared as JSON. @throws GatewayError `unsupported-media` */
  requireJson(): void;
}

/** A place among the requests in flight. */
export interface Place {
  readonly ok: true;
  release(): void;
}

export interface VisitOptions {
  readonly clock: Clock;
  readonly drain: Drain;
  readonly bodyLimits: () => BodyLimits;
}

export type BunServer = Bun.Server<unknown>;

/** Up to here the runtime's clock, which ticks every four seconds, may cut a connection before half of its limit has passed. */
const COARSE_SECONDS = 8;

/** A visit as the server sees it. */
export interface OpenVisit extends Visit {
  /** Name of the caller's key, once it is known. */
  key: string | null;
  /** Keeps its place until it is over. */
  hold(place: Place): void;
  /**
   * The gateway itself is silent from now on, and its client has every right to be. Takes the connection's idle limit off, once the
   * silence has lasted for half of it: telling the runtime costs more than most requests need.
   */
  beginSilence(): void;
}

class ServedVisit implements OpenVisit, BodyReader {
  readonly id = createRequestId();
  readonly match: RouteMatch;
  readonly query: string;
  readonly format: WireFormat;
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly startedMs: number;
  readonly client = null;
  key: string | null = null;
  readonly #options: VisitOptions;
  readonly #request: Request;
  readonly #server: BunServer | null;
  readonly #idleSeconds: number;
  readonly #abort: ChildAbort;
  #place: Place | null = null;
  #bodyWaitMs = 0;
  #readSinceMs = 0;
  #isOver = false;
  #cancelSilence: (() => void) | null = null;
  #isIdleLimitOff = false;

  constructor(
    options: VisitOptions,
    request: Request,
    server: BunServer | null,
    idleSeconds: number,
    match: RouteMatch,
    query: string,
  ) {
    this.match = match;
    this.query = query;
    this.method = request.method;
    this.headers = listHeaders(request.headers);
    this.format = errorFormat(match.route, this.headers);
    this.startedMs = options.clock.nowMs();
    this.#options = options;
    this.#request = request;
    this.#server = server;
    this.#idleSeconds = idleSeconds;
    this.#abort = createChildAbort(request.signal, options.drain.signal);
    options.drain.enter();
  }

  get route(): string {
    return this.match.name;
  }

  get signal(): Signal {
    return this.#abort.signal;
  }

  hold(place: Place): void {
    this.#place = place;
  }

  bodyWaitMs(): number {
    return this.#bodyWaitMs;
  }

  requireJson(): void {
    requireJson(this.headers.get("content-type"));
  }

  body(): Promise<Uint8Array> {
    const { clock, bodyLimits } = this.#options;
    this.#readSinceMs = clock.nowMs();
    return readBody(this.#request, this.headers, bodyLimits(), clock, this);
  }

  onRead(isWhole: boolean): void {
    this.#bodyWaitMs += this.#options.clock.nowMs() - this.#readSinceMs;
    if (isWhole) this.beginSilence();
  }

  onOver(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.drain.leave();
    this.#abort.release();
    this.#place?.release();
    this.#endSilence();
  }

  beginSilence(): void {
    if (this.#server === null || this.#idleSeconds === 0) return;
    if (this.#cancelSilence !== null || this.#isIdleLimitOff || this.#isOver) return;
    if (this.#idleSeconds <= COARSE_SECONDS) this.#setIdleLimit(0);
    else this.#cancelSilence = this.#options.clock.after(this.#idleSeconds * 500, () => this.#setIdleLimit(0));
  }

  #endSilence(): void {
    this.#cancelSilence?.();
    // Without this it stays off for the kept-alive connection.
    if (this.#isIdleLimitOff) this.#setIdleLimit(this.#idleSeconds);
  }

  #setIdleLimit(seconds: number): void {
    this.#isIdleLimitOff = seconds === 0;
    this.#server?.timeout(this.#request, seconds);
  }
}

/** Opens the visit of `request`, which counts as in flight until `onOver`. */
export function openVisit(
  options: VisitOptions,
  request: Request,
  server: BunServer | null,
  idleSeconds: number,
  match: RouteMatch,
  query: string,
): OpenVisit {
  return new ServedVisit(options, request, server, idleSeconds, match, query);
}

const JSON_TYPE = /^application\/[\w.-]+\+json$/;

/** Content types count when each of them is JSON: a client that sets it twice has both joined by a comma. */
function requireJson(value: string | null): void {
  if (value === "application/json") return;
  const types = (value ?? "").split(",").map((type) => type.split(";")[0]?.trim().toLowerCase() ?? "");
  if (types.every((type) => type === "application/json" || JSON_TYPE.test(type))) return;
  const sent = value === null || value === "" ? "none was sent" : `"${value.slice(0, 64)}" was sent`;
  throw new GatewayError("unsupported-media", `the content-type must be application/json; ${sent}`, {
    param: "content-type",
  });
}
