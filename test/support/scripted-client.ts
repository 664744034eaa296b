/** An upstream that a test scripts, in place of a client. Obeys the call's signal as a client does. */
import { toAbortSignal } from "../../src/base/abort.ts";
import { answerOf } from "../../src/upstream/fetch-client.ts";
import type { HttpClient } from "../../src/upstream/http.ts";

/** A call that reached the upstream. */
export interface UpstreamCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Chunks that were pulled from the scripted body. */
  pulled: number;
}

/** What a scripted call comes to. */
export type Scripted =
  | ScriptedAnswer
  /** The call fails with this code. */
  | { readonly fails: string }
  /** Never answers; ends when its signal aborts. */
  | { readonly hangs: true }
  /** An answer made elsewhere. */
  | { readonly response: Response };

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole, or in chunks. */
  readonly body: string | Uint8Array | readonly (string | Uint8Array)[];
  /** How the body ends after its chunks: closed, cut by a reset, or left open. */
  readonly end?: "close" | "cut" | "open";
  /** Resolves when the chunk of this index may be given; by default at once. */
  readonly gate?: (index: number) => Promise<void> | undefined;
}

/** The answer to call `index` (from 0). */
export type Script = (call: UpstreamCall, index: number) => Scripted | Promise<Scripted>;

export interface ScriptedClient extends HttpClient {
  readonly calls: readonly UpstreamCall[];
  /** Calls that are neither answered to the end nor given up. */
  readonly inFlight: () => number;
}

export function createScriptedClient(script: Script): ScriptedClient {
  const calls: UpstreamCall[] = [];
  let inFlight = 0;
  return {
    calls,
    inFlight: () => inFlight,
    call: async (baseUrl, path, { method, headers, body, signal: given }) => {
      const { signal } = toAbortSignal(given);
      inFlight += 1;
      let isOver = false;
      const over = (): void => {
        if (!isOver) inFlight -= 1;
        isOver = true;
      };
      signal.addEventListener("abort", over);
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      const call: UpstreamCall = { url: baseUrl + path, method, headers, body: text, signal, pulled: 0 };
      calls.push(call);
      const scripted = await orAborted(Promise.resolve(script(call, calls.length - 1)), signal);
      if ("fails" in scripted) {
        over();
        throw Object.assign(new Error(scripted.fails), { code: scripted.fails });
      }
      if ("hangs" in scripted) return orAborted(new Promise<never>(() => undefined), signal);
      if ("response" in scripted) return answerOf(obeying(scripted.response, signal), over);
      const response = new Response(openBody(call, scripted), {
        status: scripted.status ?? 200,
        headers: { "content-type": "application/json", ...scripted.headers },
      });
      return answerOf(response, over);
    },
    close: () => undefined,
  };
}

function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** `response` with a body that breaks when `signal` aborts, as that of a client does. */
function obeying(response: Response, signal: AbortSignal): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await orAborted(reader.read(), signal);
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
          await reader.cancel().catch(() => undefined);
        }
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

function openBody(call: UpstreamCall, { body, end = "close", gate }: ScriptedAnswer): ReadableStream<Uint8Array> {
  const chunks = (Array.isArray(body) ? body : [body]) as readonly (string | Uint8Array)[];
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const index = call.pulled;
          await orAborted(Promise.resolve(gate?.(index)), call.signal);
          const chunk = chunks[index];
          if (chunk !== undefined) {
            call.pulled += 1;
            controller.enqueue(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
          } else if (end === "close") controller.close();
          else if (end === "cut") controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
          else await orAborted(new Promise<never>(() => undefined), call.signal);
        } catch (error) {
          controller.error(error);
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** A JSON answer. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): ScriptedAnswer {
  return { status, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
}

/** An SSE answer; each string is one chunk of its body. */
export function sse(
  chunks: readonly (string | Uint8Array)[],
  options: Omit<ScriptedAnswer, "body"> = {},
): ScriptedAnswer {
  return {
    ...options,
    headers: { "content-type": "text/event-stream; charset=utf-8", ...options.headers },
    body: chunks,
  };
}
