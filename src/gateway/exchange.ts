/** One client request in flight, from its bytes to its answer. */
import type { Signal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emit, RequestRecord } from "../base/events.ts";
import type { RequestHeaders } from "../base/headers.ts";
import { openTrace } from "../base/ids.ts";
import type { FormatName } from "../base/names.ts";
import type { WaitMeter } from "../base/wait-meter.ts";
import type { Facts, ParsedRequest, WireFormat } from "../wire/format.ts";
import type { Snapshot } from "./settings.ts";

/** What the server knows of a request before it is parsed. */
export interface Arrival {
  /** `x-arouter-request-id`; also salts the policy's draws. */
  readonly id: string;
  readonly route: string;
  readonly method: string;
  readonly headers: RequestHeaders;
  /** Aborts when the client leaves or the gateway gives the request up. */
  readonly signal: Signal;
  readonly startedMs: number;
  /** Ms spent so far on waiting for the client to send its body. */
  bodyWaitMs(): number;
  /** Name of the caller's key; null without `[auth]`. */
  readonly key: string | null;
  readonly client: string | null;
  /** Called once the answer has been handed over whole, or given up. Safe to call again. */
  onOver(): void;
}

/** An exchange whose request has been parsed. */
export interface Exchange {
  readonly arrival: Arrival;
  readonly format: WireFormat;
  readonly parsed: ParsedRequest;
  readonly facts: Facts;
  readonly record: RequestRecord;
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly waits: WaitMeter;
}

// What is replaced and never added to can be shared.
const NONE: readonly string[] = [];
const NO_TAGS: Readonly<Record<string, string>> = {};

/** A fresh record for a request that has just arrived. */
export function openRecord(
  arrival: Arrival,
  format: FormatName | null,
  clock: Clock,
  sampleNew: () => boolean,
): RequestRecord {
  const { headers } = arrival;
  return {
    id: arrival.id,
    trace: openTrace(headers.get("traceparent"), headers.get("tracestate"), sampleNew),
    wallMs: clock.wallMs(),
    route: arrival.route,
    method: arrival.method,
    format,
    stream: false,
    key: arrival.key,
    client: arrival.client,
    userAgent: headers.get("user-agent"),
    clientRequestId: headers.get("x-request-id"),
    rule: null,
    policy: null,
    modelRequested: null,
    modelAsked: null,
    model: null,
    provider: null,
    upstreamFormat: null,
    outcome: null,
    status: null,
    error: null,
    errorMessage: null,
    facts: null,
    decision: null,
    overrides: NONE,
    heal: null,
    validation: null,
    validations: [],
    fallbackReason: null,
    fallbacks: [],
    hedge: null,
    retryRefused: false,
    attempts: [],
    chain: [],
    dropped: NONE,
    adapted: NONE,
    tags: NO_TAGS,
    callerTags: NO_TAGS,
    tokensInputEstimate: null,
    usage: null,
    costUsd: null,
    savedUsd: null,
    overheadMs: null,
    ttftMs: null,
    ms: null,
    bytesIn: 0,
    bytesOut: 0,
    requestBytes: null,
    answer: null,
  };
}
