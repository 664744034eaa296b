import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { GatewayEvent } from "../../src/base/events.ts";
import { createRedactor, createSecret } from "../../src/base/secret.ts";
import { createLog, type LogSettings } from "../../src/observe/log.ts";
import { createLineBytes } from "../../src/observe/line-bytes.ts";
import { ACCESS_FIELDS, accessFields, writePlainAccess } from "../../src/observe/log-access.ts";
import { LOG_LINE_FIELDS, LOG_LINES, type LogLine } from "../../src/observe/log-lines.ts";
import { escapeControls, safeValue } from "../../src/observe/log-text.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { attemptOf, healedRecord, recordOf } from "./support.ts";

function open(parts: Partial<LogSettings> = {}, redact = (text: string) => text) {
  const clock = createFakeClock();
  let text = "";
  let settings: LogSettings = { level: "info", format: "json", access: true, ...parts };
  const log = createLog({
    settings: () => settings,
    write: (line) => void (text += line),
    wallMs: clock.wallMs,
    nowMs: clock.nowMs,
    redact,
  });
  return {
    log,
    clock,
    set: (next: Partial<LogSettings>) => void (settings = { ...settings, ...next }),
    text: () => text,
    lines: () => text.split("\n").slice(0, -1),
    json: () =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const finished = (parts: Parameters<typeof recordOf>[0] = {}): GatewayEvent => ({
  type: "exchange-finished",
  record: recordOf(parts),
});

const failed = (parts: Parameters<typeof attemptOf>[0] = {}): GatewayEvent => {
  const attempt = attemptOf({ class: "server", status: 500, failure: "upstream answered 500", ...parts });
  return { type: "attempt-finished", record: recordOf({ attempts: [attempt] }), attempt };
};

describe("the access line", () => {
  test("is one per request, with all that finds it again", () => {
    const { log, json } = open();
    log.observe({ type: "exchange-started", record: recordOf() });
    log.observe({ type: "exchange-finished", record: { ...healedRecord(), clientRequestId: "mine-1", key: "team-a" } });
    expect(json()).toEqual([
      {
        time: "2026-11-22T12:00:00.000Z",
        level: "info",
        message: "request",
        id: "req_ar_000000000000000000000001",
        trace: "4bf92f3577b34da6a3ce929d0e0e4736",
        method: "POST",
        route: "/v1/chat/completions",
        status: 200,
        outcome: "complete",
        format: "chat",
        stream: true,
        rule: "extract",
        policy: "3fa9c1d20b7e",
        model_requested: "gpt-4.1",
        model: "gpt-4.1",
        provider: "openai",
        attempts: 2,
        chain: "gpt-4o-mini=invalid, gpt-4.1=ok",
        fallback_reason: "invalid",
        heal: "healed",
        validation: "pass",
        tokens_input: 40,
        tokens_output: 12,
        usage: "reported",
        cost_usd: 0.0001892,
        saved_usd: -0.0000132,
        ms: 927.13,
        ttft_ms: 926.51,
        overhead_ms: 0.84,
        bytes_in: 60,
        bytes_out: 300,
        key: "team-a",
        client_request_id: "mine-1",
        upstream_request_id: "req_up",
      },
    ]);
  });
  test("has no field that is not documented, and all that are when there is reason to", () => {
    const { log, json } = open();
    const everything = recordOf({
      error: "overloaded",
      errorMessage: "busy",
      rule: "r",
      policy: "p",
      chain: [
        { model: "a", result: "server" },
        { model: "b", result: "ok" },
      ],
      fallbackReason: "server",
      heal: "healed",
      validation: "pass",
      hedge: "hedge",
      ttftMs: 1,
      dropped: ["seed"],
      adapted: ["n=1"],
      overrides: ["model"],
      key: "k",
      client: "codex",
      userAgent: "codex/1",
      clientRequestId: "c",
      tags: { a: "b" },
    });
    log.observe({ type: "exchange-finished", record: everything });
    const [line = {}] = json();
    expect(Object.keys(line)).toEqual(["time", "level", "message", ...Object.keys(ACCESS_FIELDS)]);
  });
  test.each([
    [{ status: 200, outcome: "complete" }, "info"],
    [{ status: 429, outcome: "upstream_error" }, "info"],
    [{ status: 503, outcome: "gateway_error" }, "warn"],
    [{ status: 200, outcome: "in_band_error" }, "warn"],
    [{ status: 499, outcome: "client_gone" }, "info"],
  ] as const)("of %o has level %s", (parts, level) => {
    const { log, json } = open();
    log.observe(finished(parts));
    expect(json()[0]?.["level"]).toBe(level);
  });
  test("is left out when access lines are off, and follows a reload", () => {
    const { log, lines, set } = open({ access: false });
    log.observe(finished());
    expect(lines()).toEqual([]);
    set({ access: true });
    log.observe(finished());
    expect(lines()).toHaveLength(1);
    set({ level: "warn" });
    log.observe(finished());
    expect(lines()).toHaveLength(1);
  });
});

describe("a line with nothing in it that needs care", () => {
  const unit = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(..."abc /.:-_{}[],=") },
    fc.constantFrom('"', "\\", "\n", "\u007f", "\u0085", "\u202e", "é", "文", "😀", "\ud800"),
  );
  const text = fc.oneof(fc.string({ unit, maxLength: 30 }), fc.string({ unit: fc.constant("x"), maxLength: 300 }));
  test("is, to the byte, what is written with every care", () => {
    let plain = 0;
    const parts = fc.record({
      userAgent: fc.option(text),
      clientRequestId: fc.option(text),
      modelRequested: text,
      callerTags: fc.dictionary(text, text, { maxKeys: 2 }),
      dropped: fc.array(text, { maxLength: 2 }),
      ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
      costUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(parts, (given) => {
        const { log, lines } = open({}, (line) => line.replaceAll("abc", "[redacted]"));
        const record = recordOf(given);
        log.observe({ type: "exchange-finished", record });
        const fields = Object.entries(accessFields(record)).filter(([, value]) => value !== undefined);
        const careful = fields.map(([name, value]) => [
          name,
          safeValue(value ?? null, (line) => line.replaceAll("abc", "[redacted]")),
        ]);
        const start = { time: "2026-11-22T12:00:00.000Z", level: "info", message: "request" };
        expect(lines()).toEqual([escapeControls(JSON.stringify({ ...start, ...Object.fromEntries(careful) }))]);
        if (writePlainAccess(createLineBytes(), record)) plain += 1;
      }),
      { numRuns: 500 },
    );
    expect(plain).toBeGreaterThan(20);
    expect(plain).toBeLessThan(480);
  });
  test("with more tags than a line shows loses the rest all the same", () => {
    const { log, json } = open();
    const callerTags = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [String.fromCharCode(65 + at), ""]));
    log.observe(finished({ callerTags }));
    expect(Object.keys(json()[0]?.["tags"] as object)).toHaveLength(32);
  });
});

describe("text from outside", () => {
  const hostile = 'a\n{"level":"error"}\u001b[31m\u0085\u2028\u202ex';
  test("cannot end a line or move the cursor, as JSON and as text", () => {
    for (const format of ["json", "text"] as const) {
      const { log, lines, text } = open({ format });
      log.observe(finished({ userAgent: hostile, callerTags: { [hostile]: hostile } }));
      log.log("warn", hostile);
      expect(lines()).toHaveLength(2);
      expect(text().replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    }
  });
  test("is read back from JSON as it was", () => {
    const { log, json } = open();
    log.observe(finished({ userAgent: hostile }));
    expect(json()[0]?.["user_agent"]).toBe(hostile);
  });
  test("is cut at 256 characters, in lists and tags too", () => {
    const { log, json } = open();
    const long = "x".repeat(10_000);
    log.observe(finished({ userAgent: long, dropped: [long, long], callerTags: { tag: long } }));
    const [line = {}] = json();
    const tag = (line["tags"] as Record<string, string>)["tag"] ?? "";
    for (const value of [line["user_agent"], line["dropped"], tag]) expect(value).toHaveLength(256);
    expect(tag.endsWith("x…")).toBe(true);
  });
  test("is not cut in the middle of a character", () => {
    const { log, json } = open();
    log.observe(finished({ userAgent: `${"x".repeat(254)}😀😀` }));
    expect(String(json()[0]?.["user_agent"]).isWellFormed()).toBe(true);
  });
});

describe("secrets", () => {
  const key = 'sk-"quoted"/live';
  const redact = createRedactor([createSecret(key)]);
  test("are taken out of every place of a line, in every form", () => {
    const { log, text } = open({}, redact);
    const forms = [key, Buffer.from(key).toString("base64"), encodeURIComponent(key), JSON.stringify(key)];
    for (const form of forms) {
      log.observe(finished({ userAgent: `x ${form}`, errorMessage: form, callerTags: { t: form, [form]: "v" } }));
      log.observe(failed({ failure: `it said ${form}`, upstreamRequestId: form }));
      log.observe({ type: "defect", where: form, error: new Error(form, { cause: new Error(form) }) });
      log.observe({ type: "config-reloaded", file: "config", ok: false, messages: [form], policy: null });
      log.log("error", form, { nested: [{ deep: form }] });
    }
    for (const form of forms) expect(text()).not.toContain(form);
    expect(text()).not.toContain("quoted");
    expect(text()).toContain("[redacted]");
  });
});

describe("a fault that repeats", () => {
  test("is told once in ten seconds, then with the number left out", async () => {
    const { log, clock, json } = open();
    for (let count = 0; count < 500; count++) log.observe(failed());
    expect(json()).toHaveLength(1);
    await clock.advance(10_001);
    log.observe(finished());
    expect(json()[1]).toMatchObject({ message: "repeated", fault: "attempt openai gpt-4.1 server", repeated: 499 });
    log.observe(failed());
    expect(json().at(-1)).toMatchObject({ message: "attempt failed", cause: "upstream answered 500" });
  });
  test("does not silence another fault", () => {
    const { log, json } = open();
    const parts = [{}, { class: "timeout" }, { model: "gpt-5" }, { provider: "anthropic" }] as const;
    for (const part of [...parts, ...parts]) log.observe(failed(part));
    expect(json()).toHaveLength(4);
  });
  test("does not silence requests: each has its line", () => {
    const { log, lines } = open();
    for (let count = 0; count < 50; count++) log.observe(finished({ status: 503 }));
    expect(lines()).toHaveLength(50);
  });
  test("has its number told at the end at the latest", async () => {
    const { log, json } = open();
    for (let count = 0; count < 3; count++) log.observe({ type: "request-shed", reason: "queue-full", record: null });
    await log.close();
    expect(json().map(({ message, repeated }) => [message, repeated])).toEqual([
      ["request shed", undefined],
      ["repeated", 2],
    ]);
  });
  test("is remembered for a bounded number of faults", () => {
    const { log, lines } = open();
    for (let number = 0; number < 10_000; number++) log.observe(failed({ model: `m-${number}` }));
    expect(lines()).toHaveLength(10_000);
    log.observe(failed({ model: "m-9999" }));
    expect(lines()).toHaveLength(10_000);
  });
});

/** Said by `arouter serve` itself, not by an event. */
const BY_THE_COMMAND: readonly LogLine[] = ["metrics listening", "draining"];

/** Said by the supervisor through a worker's log; test/supervisor holds them. */
const BY_THE_SUPERVISOR: readonly LogLine[] = ["worker started", "worker ended"];

describe("lines for the operator", () => {
  test("are the documented ones, with their levels and fields", async () => {
    const { log, json } = open();
    const files = ["config", "policy", "keys"] as const;
    log.observe(failed({ upstreamRequestId: "up" }));
    log.observe(failed());
    for (const to of ["open", "half_open", "closed"] as const)
      log.observe({ type: "breaker-changed", provider: "openai", model: "gpt-4.1", to, reason: "rate" });
    log.observe({ type: "request-shed", reason: "queue-full", record: null });
    for (const file of files) {
      log.observe({ type: "config-reloaded", file, ok: true, messages: [], policy: "p" });
      log.observe({ type: "config-reloaded", file, ok: false, messages: ["a:1:1: b"], policy: "p" });
    }
    for (const type of ["ledger-dropped", "telemetry-dropped"] as const)
      log.observe({ type, count: 2, reason: "full" });
    log.observe({ type: "defect", where: "handle", error: new Error("outer") });
    await log.close();
    // The first is the time.
    const told = json().map(({ level, message, ...rest }) => [message, level, ...Object.keys(rest).slice(1)].join());
    const documented = Object.entries(LOG_LINES)
      .filter(([message]) => ![...BY_THE_COMMAND, ...BY_THE_SUPERVISOR].includes(message as LogLine))
      .map(([message, { level, fields }]) => [message, level, ...fields].join());
    expect([...new Set(told)].toSorted()).toEqual(documented.toSorted());
  });
  test("of the command are documented too", () => {
    const source = readFileSync(join(import.meta.dir, "../../src/cli/run-gateway.ts"), "utf8");
    const told = [...source.matchAll(/log\.log\("(\w+)", "([^"]+)", \{ (\w+)/g)].map(([, ...parts]) => parts);
    const documented = BY_THE_COMMAND.map((message) => [
      LOG_LINES[message].level,
      message,
      ...LOG_LINES[message].fields,
    ]);
    expect(told).toEqual(documented);
  });
  test("have no field without a meaning, and none that no line has", () => {
    const used = new Set<string>(Object.values(LOG_LINES).flatMap(({ fields }) => fields));
    expect([...used].toSorted()).toEqual(Object.keys(LOG_LINE_FIELDS).toSorted());
  });
  test("tell a defect with its causes and its place", () => {
    const { log, json } = open();
    log.observe({ type: "defect", where: "handle", error: new Error("outer", { cause: new TypeError("inner") }) });
    expect(json()[0]).toMatchObject({ level: "error", cause: "Error: outer; caused by TypeError: inner" });
    expect(String(json()[0]?.["at"])).toContain("log.test.ts");
  });
  test("tell each mistake of a reload that was refused", () => {
    const { log, json } = open();
    log.observe({
      type: "config-reloaded",
      file: "policy",
      ok: false,
      messages: ["p.yaml:1:1: a", "p.yaml:2:1: b"],
      policy: "abc",
    });
    expect(json().map(({ level, message, problem }) => [level, message, problem])).toEqual([
      ["error", "policy not reloaded; the last good one stays", undefined],
      ["error", "reload", "p.yaml:1:1: a"],
      ["error", "reload", "p.yaml:2:1: b"],
    ]);
  });
  test("say nothing of an attempt that was given up on purpose, or that worked", () => {
    const { log, lines } = open();
    log.observe(failed({ class: "aborted" }));
    log.observe(failed({ failure: null, class: "ok" }));
    expect(lines()).toEqual([]);
  });
  test("are readable as text", () => {
    const { log, lines } = open({ format: "text" });
    log.observe({ type: "breaker-changed", provider: "openai", model: "", to: "open", reason: "connect" });
    log.log("warn", "two words", { a: "x y", b: 1, c: null });
    expect(lines()).toEqual([
      "12:00:00.000 warn  breaker open provider=openai reason=connect",
      '12:00:00.000 warn  two words a="x y" b=1',
    ]);
  });
});
