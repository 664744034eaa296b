import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSimulator, type SimulatorAddress } from "../../src/simulator/simulator.ts";
import { chatHi } from "../support/answers.ts";
import { type RunningApp, startRunningApp, until } from "../support/running-app.ts";

const CONFIG = `
[retry]
max = 0
[breaker]
consecutive_failures = 1000
min_requests = 1000
[timeout]
ttft = "400ms"
response = "400ms"
idle = "300ms"
`;

let providers: SimulatorAddress;
let running: RunningApp;

beforeAll(() => {
  providers = createSimulator().listen();
  running = startRunningApp({ upstream: providers, config: CONFIG });
});

afterAll(async () => {
  await running.close();
  await providers.stop();
});

async function ask(words: string, stream: boolean, model = "gpt-4.1") {
  const seen = running.records().length;
  const response = await fetch(`${running.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...chatHi, model, messages: [{ role: "user", content: `hi [[sim: ${words}]]` }], stream }),
  });
  const text = await response.text();
  await until(() => running.records().length > seen, "the record");
  const record = running.records().at(-1);
  return {
    status: response.status,
    text,
    error: record?.error ?? null,
    classes: record?.attempts.map((attempt) => attempt.class),
  };
}

interface Row {
  readonly fault: string;
  /** Status, error kind and class of each attempt: of a buffered answer, and of a streamed one. */
  readonly buffered: readonly [status: number, error: string | null, ...classes: readonly string[]];
  readonly streamed: readonly [status: number, error: string | null, ...classes: readonly string[]];
}

const UNREACHABLE = [502, "upstream-unreachable", "stale_conn", "connect"] as const;
const BROKEN = [502, "upstream-invalid", "broken"] as const;
const CUT = [200, "upstream-interrupted", "stalled"] as const;

/** What breaks on a real socket, and what it has to be called. */
const ROWS: readonly Row[] = [
  { fault: "reset", buffered: UNREACHABLE, streamed: UNREACHABLE },
  { fault: "close", buffered: UNREACHABLE, streamed: UNREACHABLE },
  {
    fault: "garbage",
    buffered: [502, "upstream-unreachable", "connect"],
    streamed: [502, "upstream-unreachable", "connect"],
  },
  // The runtime tells of a reset right behind the headers before it tells of the headers.
  { fault: "reset-headers", buffered: UNREACHABLE, streamed: UNREACHABLE },
  { fault: "reset-middle", buffered: BROKEN, streamed: CUT },
  { fault: "close-middle", buffered: BROKEN, streamed: CUT },
  { fault: "hang", buffered: [504, "upstream-timeout", "timeout"], streamed: [504, "upstream-timeout", "timeout"] },
  {
    fault: "stall-headers",
    buffered: [504, "upstream-timeout", "timeout"],
    streamed: [504, "upstream-timeout", "timeout"],
  },
  { fault: "stall", buffered: [504, "upstream-timeout", "timeout"], streamed: CUT },
  { fault: "truncated", buffered: BROKEN, streamed: CUT },
  { fault: "no-terminal", buffered: [200, null, "ok"], streamed: CUT },
  { fault: "bad-event", buffered: BROKEN, streamed: CUT },
  { fault: "error-event", buffered: [500, null, "server"], streamed: [200, null, "stalled"] },
  { fault: "error-event after=0", buffered: [500, null, "server"], streamed: [500, null, "server"] },
  { fault: "html", buffered: BROKEN, streamed: BROKEN },
  { fault: "empty-body", buffered: BROKEN, streamed: BROKEN },
  {
    fault: "redirect",
    buffered: [502, "upstream-invalid", "no_model"],
    streamed: [502, "upstream-invalid", "no_model"],
  },
];

describe("a fault of the upstream, on a real socket", () => {
  for (const { fault, buffered, streamed } of ROWS) {
    for (const [stream, expected] of [
      [false, buffered],
      [true, streamed],
    ] as const) {
      test(`${fault}, ${stream ? "streamed" : "buffered"}: ${expected.join(" ")}`, async () => {
        const [status, error, ...classes] = expected;
        const got = await ask(`fault ${fault}`, stream);
        expect(got).toMatchObject({ status, error, classes });
        if (status === 200 && stream) {
          expect(got.text).toContain('"error"');
          expect(got.text).not.toContain("[DONE]");
        }
        expect(running.permits()).toBe(0);
      });
    }
  }

  test("a gzip bomb is broken within limits.response_bytes", async () => {
    const got = await ask("fault bomb 40", false);
    expect([got.status, got.error]).toEqual([502, "upstream-invalid"]);
  });

  test("a refused connection is certain not to have arrived", async () => {
    const app = startRunningApp({ config: CONFIG });
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...chatHi, store: true }),
    });
    expect([response.status, response.headers.get("x-arouter-error")]).toEqual([502, "upstream-unreachable"]);
    expect(app.records()[0]?.attempts.map((attempt) => attempt.class)).toEqual(["connect"]);
    await app.close();
  });
});

describe("a valid answer that comes in odd pieces", () => {
  test("is the same however it is cut", async () => {
    const texts = new Set<string>();
    for (const bytes of [1, 3, 100]) {
      const got = await ask(`text "one two three"; bytes ${bytes}`, true);
      expect(got.status).toBe(200);
      texts.add(
        got.text
          .split("\n\n")
          .map((event) => /"content":"([^"]*)"/.exec(event)?.[1] ?? "")
          .join(""),
      );
    }
    expect([...texts]).toEqual(["one two three"]);
  });
});
