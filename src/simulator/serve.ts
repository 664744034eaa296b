/** One request from arrival to answer: route, key, body, rules, control words, answer. */
import type { Clock } from "../base/clock.ts";
import { isObject, type Json } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { composeAnswer } from "./answer.ts";
import type { PromptCache } from "./cache.ts";
import { findControl, numberOf, parseControls, type Control, type ControlFilter } from "./controls.ts";
import { answerEndpoint } from "./endpoints.ts";
import { errorAnswer, renderRefusal, type ErrorAnswer } from "./errors.ts";
import { breakReply, type Reply } from "./faults.ts";
import type { FrontConnection } from "./front.ts";
import { judgeRequest, type Judged } from "./generation.ts";
import { answerHeaders } from "./headers.ts";
import type { Identity } from "./identity.ts";
import { noteBody, type Journal, type LogEntry } from "./journal.ts";
import type { Prompt } from "./prompt.ts";
import { applyQuirk } from "./quirks.ts";
import type { Refusal } from "./refusal.ts";
import { checkRoute, readRoute, type Route } from "./route.ts";
import { sendReply, type Pace } from "./send.ts";
import type { Signer } from "./signature.ts";
import type { ThreadStore } from "./threads.ts";

/** What all requests of one simulator share. */
export interface Service {
  readonly clock: Clock;
  readonly today: string;
  readonly servesShutDown: boolean;
  /** Pause between events where no control word gives one. */
  readonly delayMs: number;
  readonly keys: Partial<Readonly<Record<ProviderName, string>>>;
  readonly modelControls: ReadonlyMap<string, readonly Control[]>;
  readonly journal: Journal;
  readonly identity: Identity;
  readonly signer: Signer;
  readonly cache: PromptCache;
  readonly threads: ThreadStore;
  readonly filter: ControlFilter;
  /** Words for the next requests of a provider, see `Simulator.fail`. */
  readonly scripts: Readonly<Record<ProviderName, Control[][]>>;
}

interface Exchange {
  readonly service: Service;
  readonly provider: ProviderName;
  readonly request: Request;
  readonly connection: FrontConnection | null;
  readonly entry: LogEntry;
  readonly requestId: string;
}

const STEADY: Pace = { slowMs: 0, delayMs: 0, bytesPerWrite: null };

/** Answers one request. Rejects only where the connection is to be cut and there is none to cut. */
export async function handleRequest(
  service: Service,
  provider: ProviderName,
  request: Request,
  connection: FrontConnection | null,
): Promise<Response> {
  const entry = service.journal.open(provider, request);
  const requestId = service.identity.next(provider === "openai" ? "req_" : "req_011", provider === "openai" ? 32 : 21);
  const exchange: Exchange = { service, provider, request, connection, entry, requestId };
  const route = readRoute(request);
  const bytes = await request.bytes();
  const text = new TextDecoder().decode(bytes);
  const json = parseJson(text);
  noteBody(entry, bytes, text, json);
  const refusal = checkRoute(provider, request, route, service.keys, bytes.byteLength);
  if (refusal !== null) return refused(exchange, refusal, "route and key");
  if (route.generates === null) return answerSmall(exchange, route, json ?? null);
  if (!isObject(json)) return refused(exchange, notJson(provider, text), "body is JSON");
  const resumed = service.threads.resume(json);
  if ("refusal" in resumed) return refused(exchange, resumed.refusal, "threads");
  const judged = judgeRequest(route.generates, resumed.request, request.headers, service);
  if ("status" in judged) return refused(exchange, judged, judged.rule);
  return judged.kind === "count"
    ? answered(exchange, JSON.stringify({ input_tokens: judged.tokens }))
    : generate(exchange, judged);
}

function generate(exchange: Exchange, judged: Extract<Judged, { kind: "prompt" }>): Promise<Response> {
  const { service, provider } = exchange;
  const { prompt, renderer } = judged;
  const controls = selectControls(exchange, prompt);
  const failing = findControl(controls, "status") ?? findControl(controls, "error");
  const fault = findControl(controls, "fault");
  const reply =
    failing === null
      ? wholeReply(exchange, prompt, controls, renderer)
      : errorReply(exchange, errorAnswer(provider, failing, service.clock.wallMs()));
  return send(exchange, fault === null ? reply : breakReply(reply, provider, fault, exchange.requestId), {
    slowMs: numberOf(findControl(controls, "slow")?.values[0], 0),
    delayMs: numberOf(findControl(controls, "delay")?.values[0], reply.streamed ? service.delayMs : 0),
    bytesPerWrite:
      findControl(controls, "bytes") === null ? null : numberOf(findControl(controls, "bytes")?.values[0], 1),
  });
}

/** The model's own words, the prompt's, and those of a script whose turn it is. */
function selectControls({ service, provider }: Exchange, prompt: Prompt): readonly Control[] {
  const target = { provider, model: prompt.model };
  const own = service.filter.select(
    [...(service.modelControls.get(prompt.model) ?? []), ...parseControls(prompt.text)],
    target,
  );
  const script = service.scripts[provider];
  const step = script[0] === undefined ? [] : service.filter.select(script[0], target);
  if (step.length > 0) script.shift();
  return [...own, ...step];
}

function wholeReply(
  exchange: Exchange,
  prompt: Prompt,
  controls: readonly Control[],
  renderer: Extract<Judged, { kind: "prompt" }>["renderer"],
): Reply {
  const { service, provider, requestId } = exchange;
  const answer = composeAnswer(prompt, controls, service.cache.use(prompt));
  const context = {
    prompt,
    answer,
    identity: service.identity,
    signer: service.signer,
    createdSeconds: Math.floor(service.clock.wallMs() / 1000),
    remember: (id: string, content: readonly Json[]): void => service.threads.hold(prompt.request, id, content),
    requestId,
  };
  const type = prompt.stream ? "text/event-stream; charset=utf-8" : "application/json";
  const extra = controls
    .filter((control) => control.word === "header")
    .map((control): [string, string] => [control.values[0] ?? "x-simulated", control.values[1] ?? ""]);
  return {
    status: 200,
    headers: {
      ...answerHeaders(provider, requestId, type, true, service.clock.wallMs()),
      ...(prompt.stream ? { "cache-control": "no-cache" } : {}),
      ...Object.fromEntries(extra),
    },
    pieces: prompt.stream ? withQuirks(renderer.stream(context), controls) : [renderer.body(context)],
    streamed: prompt.stream,
    ending: "end",
    opening: "normal",
  };
}

function withQuirks(frames: readonly string[], controls: readonly Control[]): readonly string[] {
  return controls
    .filter((control) => control.word === "quirk")
    .reduce((odd, control) => applyQuirk(odd, control.values[0] ?? ""), frames);
}

function errorReply({ service, provider, requestId }: Exchange, answer: ErrorAnswer): Reply {
  return {
    status: answer.status,
    headers: {
      ...answerHeaders(provider, requestId, "application/json", false, service.clock.wallMs()),
      ...answer.headers,
    },
    pieces: [renderRefusal(provider, answer, requestId)],
    streamed: false,
    ending: "end",
    opening: "normal",
  };
}

function answerSmall(exchange: Exchange, route: Route, json: Json): Promise<Response> {
  const { service, provider, request } = exchange;
  const result = answerEndpoint({
    provider,
    method: request.method,
    path: route.path,
    query: route.query,
    json,
    today: service.today,
    identity: service.identity,
  });
  if (result === null) return refused(exchange, unknownUrl(provider, request.method, route.path), "route and key");
  return "refusal" in result
    ? refused(exchange, result.refusal, "endpoint")
    : answered(exchange, JSON.stringify(result.json));
}

function answered(exchange: Exchange, body: string): Promise<Response> {
  const headers = answerHeaders(
    exchange.provider,
    exchange.requestId,
    "application/json",
    true,
    exchange.service.clock.wallMs(),
  );
  return send(
    exchange,
    { status: 200, headers, pieces: [body], streamed: false, ending: "end", opening: "normal" },
    STEADY,
  );
}

function refused(exchange: Exchange, refusal: Refusal, rule: string): Promise<Response> {
  exchange.entry.refusedBy = rule;
  exchange.entry.refusal = refusal.message;
  // Recorded on 25 of 27 Anthropic 4xx: SDKs are not to repeat them.
  const headers: Record<string, string> = exchange.provider === "anthropic" ? { "x-should-retry": "false" } : {};
  return send(exchange, errorReply(exchange, { ...refusal, headers }), STEADY);
}

async function send(exchange: Exchange, reply: Reply, pace: Pace): Promise<Response> {
  exchange.entry.status = reply.opening === "normal" ? reply.status : null;
  return sendReply(reply, pace, {
    connection: exchange.connection,
    signal: exchange.request.signal,
    clock: exchange.service.clock,
  });
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function notJson(provider: ProviderName, text: string): Refusal {
  const base = { status: 400, type: "invalid_request_error", param: null, code: null };
  if (provider === "anthropic")
    return {
      ...base,
      message: text === "" ? "Field required" : "The request body is not valid JSON: expected a JSON object",
    };
  return {
    ...base,
    message:
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
  };
}

function unknownUrl(provider: ProviderName, method: string, path: string): Refusal {
  return provider === "openai"
    ? {
        status: 404,
        type: "invalid_request_error",
        message: `Invalid URL (${method} ${path})`,
        param: null,
        code: null,
      }
    : { status: 404, type: "not_found_error", message: "Not found", param: null, code: null };
}
