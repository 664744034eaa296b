/**
 * One attempt: sends the request, reads the answer up to the point where it can be judged (whole when buffered, its first
 * content event when streamed), and classifies it. Never throws for what an upstream does.
 */
import { GatewayError } from "../base/errors.ts";
import type { Emit } from "../base/events.ts";
import { renderTraceparent } from "../base/ids.ts";
import type { Dispatch } from "../resilience/dispatch.ts";
import { type AttemptScope, openAttemptScope } from "./attempt-scope.ts";
import { decodeBody } from "./byte-source.ts";
import { classified } from "./classify.ts";
import { upstreamRequestId } from "./headers.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";
import { readStreamed } from "./read-streamed.ts";
import { readWhole } from "./read-whole.ts";
import { isOk, type Reading, type ReadOptions, type Sent } from "./reading.ts";
import type { Provider, UpstreamAnswer, UpstreamRequest } from "./upstream.ts";

export interface SendOptions extends ReadOptions {
  readonly client: HttpClient;
  readonly provider: Provider;
  readonly emit: Emit;
  readonly userAgent: string;
}

/** The innermost dispatch for one provider. */
export function createSend(options: SendOptions): Dispatch<UpstreamRequest, UpstreamAnswer> {
  const { client, provider } = options;
  return async (request, call) => {
    const scope = openAttemptScope(options, request, call);
    const stopFirstWatch = watchFirstContent(options, request, scope);
    let answer: HttpAnswer;
    request.waits.begin();
    try {
      answer = await client.call(provider.baseUrl, request.path, {
        method: request.method,
        headers: {
          ...request.headers,
          ...provider.authHeaders(),
          "content-type": "application/json",
          accept: "application/json",
          "accept-encoding": "identity",
          "user-agent": options.userAgent,
          traceparent: renderTraceparent(request.trace, scope.attempt.spanId),
        },
        body: request.body,
        signal: scope.signal,
      });
    } catch (cause) {
      return scope.failedBy(request, cause, false);
    } finally {
      request.waits.end();
    }
    return readAnswer({ options, scope, request, stopFirstWatch }, answer);
  };
}

function noWatch(): void {
  // There is none to end.
}

/** Of a stream that is gathered here no layer sees the first content, so its limit is kept here; gives what ends it. */
function watchFirstContent(
  { clock }: SendOptions,
  { gather, timeouts: { ttftMs } }: UpstreamRequest,
  scope: AttemptScope,
): () => void {
  if (!gather || ttftMs <= 0) return noWatch;
  const stop = clock.after(ttftMs, () => scope.abort(new DOMException("no first content in time", "TimeoutError")));
  scope.onEnd(stop);
  return stop;
}

function readAnswer(sent: Sent, answer: HttpAnswer): Promise<UpstreamAnswer> | UpstreamAnswer {
  const { scope, request } = sent;
  const { status, headers } = answer;
  scope.attempt.status = status;
  scope.attempt.upstreamRequestId = upstreamRequestId(headers);
  const { options, stopFirstWatch } = sent;
  const reading: Reading = { options, scope, request, stopFirstWatch, status, headers };

  if (status >= 300 && status < 400) {
    answer.body?.cancel();
    const message = `upstream answered with a redirect (${status}), which is never followed`;
    return scope.failed(request, classified("no_model"), new GatewayError("upstream-invalid", message));
  }
  const isStream = isEventStream(headers.get("content-type"));
  const body = answer.body === null ? null : decodeBody(answer.body, headers.get("content-encoding"));
  if (answer.body !== null && body === null) return failEncoding(request, scope);
  if (!isOk(status) || !isStream || !request.stream || body === null) return readWhole(reading, body);
  return readStreamed(reading, body);
}

function isEventStream(contentType: string | null): boolean {
  if (contentType === null || contentType === "application/json") return false;
  return contentType.toLowerCase().startsWith("text/event-stream");
}

function failEncoding(request: UpstreamRequest, scope: AttemptScope): UpstreamAnswer {
  const message = "upstream answered in an unknown content-encoding";
  return scope.failed(request, classified("broken"), new GatewayError("upstream-invalid", message));
}
