import { describe, expect, test } from "bun:test";
import type { RequestRecord } from "../../src/base/events.ts";
import { renderSpans } from "../../src/observe/render-spans.ts";
import { ATTEMPT_ATTRIBUTES, REQUEST_ATTRIBUTES, type SpanContext } from "../../src/observe/span-attributes.ts";
import { ARRIVAL_MS, attemptOf, recordOf, usageOf } from "./support.ts";

const context: SpanContext = {
  scheme: "http",
  listen: { host: "127.0.0.1", port: 8080 },
  providers: { openai: { host: "api.openai.com", port: 443 }, anthropic: { host: "api.anthropic.com", port: 443 } },
  content: false,
};

const render = (parts: Partial<RequestRecord>, notes: Parameters<typeof renderSpans>[1] = [], content = false) =>
  renderSpans(recordOf(parts), notes, { ...context, content }, (text) => text);

describe("renderSpans", () => {
  test("gives a server span and below it a client span for each attempt, with the ids that were sent upstream", () => {
    const [server, first, second] = render({
      route: "/v1/chat/completions",
      ms: 250,
      attempts: [
        attemptOf({
          spanId: "1".repeat(16),
          class: "server",
          status: 503,
          startedMs: 10,
          ms: 40,
          failure: "overloaded",
        }),
        attemptOf({ spanId: "2".repeat(16), number: 2, retry: 1, startedMs: 80, ms: 160 }),
      ],
    });
    expect(server?.name).toBe("POST /v1/chat/completions");
    expect(server).toMatchObject({
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "b7ad6b7169203331",
      parentSpanId: null,
    });
    for (const span of [first, second]) expect(span?.parentSpanId).toBe("b7ad6b7169203331");
    expect([first?.spanId, second?.spanId]).toEqual(["1".repeat(16), "2".repeat(16)]);
    expect([server?.kind, first?.kind]).toEqual([1, 2]);
    expect(first?.status).toEqual({ code: 2, message: "overloaded" });
    expect(first?.attributes).toMatchObject({ "error.type": "server", "http.response.status_code": 503 });
    expect(second?.status).toEqual({ code: 0 });
    expect(second?.attributes["http.request.resend_count"]).toBe(1);
    expect(server?.status).toEqual({ code: 0 });
  });

  test("keeps times to the nanosecond's rounding", () => {
    const [server, attempt] = render({ ms: 250.5, attempts: [attemptOf({ startedMs: 10.25, ms: 100 })] });
    const start = Math.floor(ARRIVAL_MS / 1000);
    expect(server?.startTime).toEqual([start, 123_000_000]);
    expect(server?.endTime).toEqual([start, 373_500_000]);
    expect(attempt?.startTime[1]).toBe(133_250_000);
    expect(attempt?.endTime[1]).toBe(233_250_000);
  });

  test("continues the caller's trace as a remote parent", () => {
    const trace = { ...recordOf().trace, parentSpanId: "c".repeat(16), sampled: true };
    const [server] = render({ trace });
    expect(server).toMatchObject({ parentSpanId: "c".repeat(16), isParentRemote: true });
  });

  test("ends an attempt that is still on its way with the request", () => {
    const [server, attempt] = render({ ms: 300, attempts: [attemptOf({ ms: null, startedMs: 20, class: "aborted" })] });
    expect(attempt?.endTime).toEqual(server?.endTime ?? [0, 0]);
    expect(attempt?.status).toEqual({ code: 0 });
  });

  test.each([
    [{ status: 200, outcome: "complete" }, 0, undefined],
    [{ status: 400, outcome: "gateway_error", error: "invalid-request" }, 0, "invalid-request"],
    [{ status: 404, outcome: "upstream_error" }, 0, undefined],
    [{ status: 502, outcome: "gateway_error", error: "upstream-unreachable" }, 2, "upstream-unreachable"],
    [{ status: 529, outcome: "upstream_error" }, 2, "529"],
    [{ status: 200, outcome: "in_band_error" }, 2, "in_band_error"],
    [{ status: 499, outcome: "client_gone", error: "client-closed" }, 0, "client-closed"],
  ] as const)("tells how a request ended: %j", (parts, code, type) => {
    const [server] = render(parts);
    expect(server?.status.code).toBe(code);
    expect(server?.attributes["error.type"]).toBe(type as never);
  });

  test("counts cached tokens into the input, as the conventions ask", () => {
    const usage = usageOf(10, 5, { cacheRead: 100, cacheWrite: 7, cacheWriteLong: 3, reasoning: 2 });
    const [, attempt] = render({ attempts: [attemptOf({ usage })] });
    expect(attempt?.attributes).toMatchObject({
      "gen_ai.usage.input_tokens": 120,
      "gen_ai.usage.output_tokens": 5,
      "gen_ai.usage.cache_read.input_tokens": 100,
      "gen_ai.usage.cache_creation.input_tokens": 10,
      "gen_ai.usage.reasoning.output_tokens": 2,
    });
  });

  test("shows a candidate that was passed over, and judged answers, as events", () => {
    const [server, attempt] = render({
      chain: [
        { model: "gpt-4.1", result: "skipped" },
        { model: "claude-haiku-5-5", result: "ok" },
      ],
      attempts: [attemptOf()],
      validations: [{ validator: "json_schema", result: "fail", attempt: 1, reason: "secret text at /name" }],
    });
    expect(server?.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["arouter.candidate.skipped", { "gen_ai.request.model": "gpt-4.1" }],
    ]);
    expect(attempt?.events[0]?.attributes).toEqual({
      "arouter.validator": "json_schema",
      "arouter.validation": "fail",
    });
  });

  test("tells why an answer failed its validation only with content", () => {
    const validations = [{ validator: "json_schema", result: "fail", attempt: 1, reason: "/name is missing" }] as const;
    const reasonOf = (content: boolean) =>
      render({ validations: [...validations] }, [], content)[1]?.events[0]?.attributes?.["arouter.reason"];
    expect([reasonOf(false), reasonOf(true)]).toEqual([undefined, "/name is missing"]);
  });
  test("has tags of the caller, but the rule's win", () => {
    const [server] = render({ callerTags: { team: "a", x: "1" }, tags: { team: "b" } });
    expect(server?.attributes).toMatchObject({ "arouter.tag.team": "b", "arouter.tag.x": "1" });
  });

  test("names an unknown method as such", () => {
    const [server] = render({ method: "BREW", route: "other" });
    expect(server?.name).toBe("HTTP other");
    expect(server?.attributes).toMatchObject({
      "http.request.method": "_OTHER",
      "http.request.method_original": "BREW",
    });
  });

  test("shows content only where it is asked for", () => {
    const parts: Partial<RequestRecord> = {
      attempts: [attemptOf({ number: 1, class: "invalid" }), attemptOf({ number: 2 })],
      requestBytes: new TextEncoder().encode(JSON.stringify({ messages: [{ role: "user", content: "tell nobody" }] })),
      answer: JSON.stringify({ choices: [{ message: { content: "whispered" } }] }),
    };
    const plain = JSON.stringify(render(parts).map(({ attributes, events }) => [attributes, events]));
    expect(plain).not.toContain("tell nobody");
    expect(plain).not.toContain("whispered");
    const [server, rejected, delivered] = render(parts, [], true);
    expect(JSON.stringify([server?.attributes, rejected?.attributes])).not.toContain("tell nobody");
    expect(delivered?.attributes["gen_ai.input.messages"]).toContain("tell nobody");
    expect(delivered?.attributes["gen_ai.output.messages"]).toContain("whispered");
  });
});

describe("attribute tables", () => {
  test("name each attribute once, and say what it is", () => {
    for (const rows of [REQUEST_ATTRIBUTES, ATTEMPT_ATTRIBUTES]) {
      const names = rows.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { help } of rows as readonly { readonly help: string }[]) expect(help.length).toBeGreaterThan(2);
    }
  });
});
