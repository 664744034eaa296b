/** Routes that are neither read nor translated: the provider's bytes both ways, under the gateway's own credentials. */
import { createChildAbort, type Signal } from "../base/abort.ts";
import { GatewayError } from "../base/errors.ts";
import { renderTraceparent } from "../base/ids.ts";
import type { ProviderName } from "../base/names.ts";
import { decodeBody } from "../upstream/byte-source.ts";
import { classifyException, errorCode } from "../upstream/classify.ts";
import { filterBetas, returnedHeaders, upstreamRequestId } from "../upstream/headers.ts";
import type { HttpClient } from "../upstream/http.ts";
import { clientClosed } from "../upstream/stream.ts";
import type { WireFormat } from "../wire/format.ts";
import { openDelivery } from "./delivery.ts";
import { toGatewayError } from "./error-reply.ts";
import { type Arrival, openRecord } from "./exchange.ts";
import type { GatewayOptions } from "./handle.ts";
import type { Reply } from "./reply.ts";

/** What is passed on. */
export interface PassThroughCall {
  readonly provider: ProviderName;
  /** Below the base URL, with its query. */
  readonly path: string;
  /** Envelope of the gateway's own errors. */
  readonly format: WireFormat;
  /** null for methods without a body. */
  readonly body: Uint8Array | null;
}

export interface PassThroughOptions extends GatewayOptions {
  readonly client: HttpClient;
  readonly userAgent: string;
}

export type PassThrough = (arrival: Arrival, call: PassThroughCall) => Promise<Reply>;

/** Headers that say what the body is, in both directions. */
const CONTENT_HEADERS = ["content-type", "accept"] as const;

export function createPassThrough(options: PassThroughOptions): PassThrough {
  const { clock, emit, client } = options;
  return async (arrival, call) => {
    const snapshot = options.snapshot();
    const record = openRecord(arrival, null, clock, options.sampleNew);
    record.bytesIn = call.body?.byteLength ?? 0;
    emit({ type: "exchange-started", record });
    const delivery = openDelivery({ clock, emit, arrival, format: call.format, record, snapshot });
    const abort = createChildAbort(arrival.signal);
    try {
      const provider = snapshot.registry.get(call.provider);
      if (provider === null) {
        throw new GatewayError(
          "not-found",
          `the ${call.provider} provider has no API key, so this route is not served`,
          {
            code: "unknown_url",
          },
        );
      }
      const headers: Record<string, string> = {
        ...filterBetas(provider.forwardHeaders(arrival.headers, true), snapshot.settings.betas),
        ...provider.authHeaders(),
        "accept-encoding": "identity",
        "user-agent": options.userAgent,
        // There is no attempt with a span of its own: nothing is tried twice here.
        traceparent: renderTraceparent(record.trace, record.trace.spanId),
      };
      for (const name of CONTENT_HEADERS) {
        const value = arrival.headers.get(name);
        if (value !== null) headers[name] = value;
      }
      const idempotencyKey = arrival.headers.get("idempotency-key");
      if (idempotencyKey !== null) headers["idempotency-key"] = idempotencyKey;
      const answer = await client.call(provider.baseUrl, call.path, {
        method: arrival.method,
        headers,
        ...(call.body === null ? {} : { body: call.body }),
        signal: abort.signal,
      });
      record.provider = call.provider;
      const body = answer.body === null ? null : decodeBody(answer.body, answer.headers.get("content-encoding"));
      if (answer.status >= 300 && answer.status < 400) {
        throw new GatewayError("upstream-invalid", "upstream answered with a redirect, which is never followed");
      }
      if (answer.body !== null && body === null) {
        throw new GatewayError("upstream-invalid", "upstream answered in an unknown content-encoding");
      }
      const id = upstreamRequestId(answer.headers) ?? record.id;
      const answerHeaders = { ...returnedHeaders(answer.headers, true), "x-request-id": id, "request-id": id };
      delivery.setListener({ onFlush: () => undefined, onOver: () => abort.release() });
      return delivery.passed(answer.status, answerHeaders, body?.stream() ?? null, () => abort.abort(clientClosed()));
    } catch (thrown) {
      abort.abort(thrown);
      abort.release();
      return delivery.error(errorOf(thrown, arrival.signal));
    }
  };
}

function errorOf(thrown: unknown, signal: Signal): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (signal.aborted) return toGatewayError(signal.reason instanceof GatewayError ? signal.reason : clientClosed());
  const { class: outcome } = classifyException(thrown, 0);
  return new GatewayError("upstream-unreachable", `no answer from upstream (${errorCode(thrown) || outcome})`, {
    cause: thrown,
  });
}
