/** Records as the pipeline leaves them, for observers. What is not said is as plain as can be. */
import type { AttemptRecord, RequestRecord } from "../../src/base/events.ts";
import type { Usage } from "../../src/base/usage.ts";

export function usageOf(input: number, output: number, more: Partial<Usage> = {}): Usage {
  return { input, cacheRead: 0, cacheWrite: 0, cacheWriteLong: 0, output, reasoning: 0, source: "reported", ...more };
}

export function attemptOf(parts: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    spanId: "00f067aa0ba902b7",
    model: "gpt-4.1",
    provider: "openai",
    upstreamFormat: "chat",
    leg: "primary",
    retry: 0,
    continues: false,
    class: "ok",
    status: 200,
    startedMs: 1,
    ttftMs: null,
    ms: 100,
    usage: usageOf(40, 12),
    costUsd: 0.000176,
    serviceTier: null,
    answer: null,
    upstreamRequestId: "req_up",
    failure: null,
    ...parts,
  };
}

export const ARRIVAL_MS = Date.UTC(2026, 10, 22, 12, 0, 0, 123);

export function recordOf(parts: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: "req_ar_000000000000000000000001",
    trace: {
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "b7ad6b7169203331",
      parentSpanId: null,
      sampled: false,
      tracestate: null,
    },
    wallMs: ARRIVAL_MS,
    route: "/v1/chat/completions",
    method: "POST",
    format: "chat",
    stream: false,
    key: null,
    client: null,
    userAgent: null,
    clientRequestId: null,
    rule: null,
    policy: null,
    modelRequested: "gpt-4.1",
    modelAsked: "gpt-4.1",
    model: "gpt-4.1",
    provider: "openai",
    upstreamFormat: "chat",
    outcome: "complete",
    status: 200,
    error: null,
    errorMessage: null,
    facts: { model: "gpt-4.1", provider: "openai", tokens_input: 40, tested: {} },
    decision: { model: "gpt-4.1" },
    overrides: [],
    heal: null,
    validation: null,
    validations: [],
    fallbackReason: null,
    fallbacks: [],
    hedge: null,
    retryRefused: false,
    attempts: [attemptOf()],
    chain: [],
    dropped: [],
    adapted: [],
    tags: {},
    callerTags: {},
    tokensInputEstimate: 40,
    usage: usageOf(40, 12),
    costUsd: 0.000176,
    savedUsd: 0,
    overheadMs: 0.84,
    ttftMs: null,
    ms: 100,
    bytesIn: 60,
    bytesOut: 300,
    requestBytes: null,
    answer: null,
    ...parts,
  };
}

/** The request of the documents' example: gpt-4o-mini's answer is rejected, gpt-4.1's delivered. */
export function healedRecord(): RequestRecord {
  return recordOf({
    stream: true,
    rule: "extract",
    policy: "3fa9c1d20b7e",
    facts: {
      model: "gpt-4.1",
      provider: "openai",
      tokens_input: 40,
      response_format_type: "json_schema",
      provider_state: { openai: "closed", anthropic: "closed" },
      tested: {},
    },
    decision: { model: "gpt-4o-mini", validate: ["json_schema"], fallback_chain: ["gpt-4.1"] },
    heal: "healed",
    validation: "pass",
    validations: [
      { validator: "json_schema", result: "fail", attempt: 1, reason: "age is a string" },
      { validator: "json_schema", result: "pass", attempt: 2, reason: null },
    ],
    fallbackReason: "invalid",
    fallbacks: ["validation"],
    attempts: [
      attemptOf({
        model: "gpt-4o-mini",
        class: "invalid",
        ttftMs: 180.21,
        ms: 412.89,
        usage: usageOf(40, 12, { source: "estimated" }),
        costUsd: 0.0000132,
      }),
      attemptOf({ number: 2, ttftMs: 480.04, ms: 513.55 }),
    ],
    chain: [
      { model: "gpt-4o-mini", result: "invalid" },
      { model: "gpt-4.1", result: "ok" },
    ],
    costUsd: 0.0001892,
    savedUsd: -0.0000132,
    overheadMs: 0.8412,
    ttftMs: 926.51,
    ms: 927.13,
  });
}
