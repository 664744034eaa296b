/**
 * What gateways get wrong when a provider misbehaves, as one table for both formats: what the client has to get, from whom,
 * and what the provider was asked. The fault comes from the simulated provider over real sockets.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { OutcomeClass } from "../../src/base/names.ts";
import { send, type Ask, type Ending, type Got } from "./client.ts";
import { AT_REST, HTTP_CLIENTS, openStage, type Stage } from "./stage.ts";

const CONFIG = `
[timeout]
ttft = "500ms"
response = "1s"
idle = "500ms"
[retry]
base = "1ms"
cap = "2ms"
throttle_base = "1ms"
throttle_cap = "2ms"
retry_after_patience = "100ms"
budget_min_per_second = 1000
[breaker]
consecutive_failures = 100000
min_requests = 100000
`;

let stage: Stage;

/** One format's client, the model it asks for and the one of the other provider behind it. */
const SIDES = [
  { format: "chat", first: "gpt-5.6", other: "claude-sonnet-5-5" },
  { format: "messages", first: "claude-sonnet-5-5", other: "gpt-5.6" },
  { format: "messages", first: "gpt-5.6", other: "claude-sonnet-5-5" },
  { format: "chat", first: "claude-sonnet-5-5", other: "gpt-5.6" },
] as const;

interface Scenario {
  readonly name: string;
  readonly stream: boolean;
  /** Control words for the first model. */
  readonly fault: string;
  /** Control words for the other one too; it is fine without. */
  readonly otherFault?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: Ask["fields"];
  readonly ending: Ending;
  /** Who answers. */
  readonly from: "first" | "other";
  readonly status?: number;
  /** Classes of the attempts in order; the last word may be repeated by retries. */
  readonly classes: readonly OutcomeClass[];
  readonly also?: (got: Got) => void;
}

const NO_RETRY = { "x-arouter-retry": "0" };

const SCENARIOS: readonly Scenario[] = [
  {
    name: "silent provider, buffered",
    stream: false,
    fault: "fault hang",
    ending: "complete",
    from: "other",
    classes: ["timeout", "ok"],
  },
  {
    name: "silent provider, streamed",
    stream: true,
    fault: "fault hang",
    ending: "complete",
    from: "other",
    classes: ["timeout", "ok"],
  },
  {
    name: "headers, then silence",
    stream: true,
    fault: "fault stall-headers",
    ending: "complete",
    from: "other",
    classes: ["timeout", "ok"],
  },
  {
    name: "slow first token, within its time",
    stream: true,
    fault: "slow 100",
    ending: "complete",
    from: "first",
    classes: ["ok"],
  },
  {
    name: "slow first token, beyond its time",
    stream: true,
    fault: "slow 1500",
    ending: "complete",
    from: "other",
    classes: ["timeout", "ok"],
  },
  {
    name: "connection reset",
    stream: true,
    fault: "fault reset",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["stale_conn", "connect", "ok"],
  },
  {
    name: "a reset, then all is well",
    stream: false,
    fault: "fault reset times=1",
    ending: "complete",
    from: "first",
    classes: ["stale_conn", "ok"],
  },
  {
    name: "not HTTP",
    stream: false,
    fault: "fault garbage",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["connect", "ok"],
  },
  {
    name: "stream cut before its first word",
    stream: true,
    fault: "fault close-middle after=1",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["broken", "ok"],
  },
  {
    name: "stream cut after its first words",
    stream: true,
    fault: "fault close-middle after=7",
    ending: "in-band-error",
    from: "first",
    classes: ["stalled"],
  },
  {
    name: "stream cut while held",
    stream: true,
    fault: "fault close-middle after=7",
    headers: { ...NO_RETRY, "x-arouter-heal": "full" },
    ending: "complete",
    from: "other",
    classes: ["broken", "ok"],
  },
  {
    name: "stall in the middle of a stream",
    stream: true,
    fault: "fault stall after=7",
    ending: "in-band-error",
    from: "first",
    classes: ["stalled"],
  },
  {
    name: "stream that ends without its terminal",
    stream: true,
    fault: "fault no-terminal after=7",
    ending: "in-band-error",
    from: "first",
    classes: ["stalled"],
  },
  {
    name: "error event before any content",
    stream: true,
    fault: "fault error-event after=1",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["server", "ok"],
  },
  {
    name: "error inside a 200, buffered",
    stream: false,
    fault: "fault error-event",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["server", "ok"],
  },
  {
    name: "error event after content",
    stream: true,
    fault: "fault error-event after=7",
    ending: "in-band-error",
    from: "first",
    classes: ["stalled"],
  },
  {
    name: "content filter is not routed around",
    stream: false,
    fault: "error policy",
    ending: "error",
    from: "first",
    status: 400,
    classes: ["policy"],
  },
  {
    name: "rate limit with a short Retry-After is waited for",
    stream: false,
    fault: "status 429 retry-after-ms=50 times=1",
    ending: "complete",
    from: "first",
    classes: ["rate", "ok"],
    also: ({ ms }) => expect(ms).toBeGreaterThanOrEqual(50),
  },
  {
    name: "rate limit with a long Retry-After is not",
    stream: false,
    fault: "status 429 retry-after-ms=60000",
    ending: "complete",
    from: "other",
    classes: ["rate", "ok"],
    also: ({ ms }) => expect(ms).toBeLessThan(3000),
  },
  {
    name: "model gone",
    stream: true,
    fault: "error no-model",
    ending: "complete",
    from: "other",
    classes: ["no_model", "ok"],
  },
  {
    name: "context overflow",
    stream: false,
    fault: "error context",
    ending: "complete",
    from: "other",
    classes: ["context", "ok"],
  },
  {
    name: "quota used up",
    stream: false,
    fault: "error quota",
    ending: "complete",
    from: "other",
    classes: ["quota", "ok"],
  },
  {
    name: "key refused",
    stream: false,
    fault: "error auth",
    ending: "complete",
    from: "other",
    classes: ["auth", "ok"],
  },
  {
    name: "overloaded",
    stream: true,
    fault: "error overloaded",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["server", "ok"],
  },
  {
    name: "truncated JSON",
    stream: false,
    fault: "fault truncated",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["broken", "ok"],
  },
  {
    name: "a web page with status 200",
    stream: false,
    fault: "fault html",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["broken", "ok"],
  },
  {
    name: "a redirect",
    stream: false,
    fault: "fault redirect",
    headers: NO_RETRY,
    ending: "complete",
    from: "other",
    classes: ["no_model", "ok"],
  },
  {
    name: "the caller's own mistake is told at once",
    stream: false,
    fault: "status 422",
    ending: "error",
    from: "first",
    status: 422,
    classes: ["client"],
  },
  {
    name: "both providers down",
    stream: false,
    fault: "fault reset",
    otherFault: "error server",
    headers: NO_RETRY,
    ending: "error",
    from: "other",
    classes: ["stale_conn", "connect", "server"],
    also: ({ headers }) => expect(headers.get("x-should-retry")).toBe("false"),
  },
];

function promptOf({ fault, otherFault }: Scenario, { first, other }: (typeof SIDES)[number]): string {
  const words = [
    `text "the first answers, in a few more words than one" model=${first}`,
    `text "the other answers, in a few more words than one" model=${other}`,
    `${fault} model=${first}`,
    ...(otherFault === undefined ? [] : [`${otherFault} model=${other}`]),
  ];
  return `scenario [[sim: chunk 4; ${words.join("; ")}]]`;
}

/** Every side over the gateway's own client; over `fetch` those that show each format read as it came. */
const CASES = HTTP_CLIENTS.flatMap((httpClient) =>
  SIDES.filter((_, index) => httpClient === "own" || index < 2).map((side) => ({ httpClient, side })),
);

for (const { httpClient, side } of CASES) {
  describe(`${side.format} client, ${side.first} then ${side.other}, by ${httpClient}`, () => {
    // One for each: breakers and throttle gates remember.
    beforeEach(async () => {
      stage = await openStage({ config: CONFIG, httpClient });
    });
    afterEach(() => stage.close());

    for (const scenario of SCENARIOS) {
      test(scenario.name, async () => {
        const got = await send(stage.url, {
          format: side.format,
          model: side.first,
          stream: scenario.stream,
          prompt: promptOf(scenario, side),
          headers: { "x-arouter-fallback-chain": side.other, ...scenario.headers },
          ...(scenario.fields === undefined ? {} : { fields: scenario.fields }),
        });
        expect(await stage.settle()).toEqual(AT_REST);
        const [record] = stage.records;
        expect({ ending: got.ending, classes: record?.attempts.map((attempt) => attempt.class) }).toEqual({
          ending: scenario.ending,
          classes: [...scenario.classes],
        });
        if (scenario.status !== undefined) expect(got.status).toBe(scenario.status);
        expect(record?.model).toBe(side[scenario.from]);
        const text = `the ${scenario.from} answers, in a few more words than one`;
        if (got.ending === "complete") expect(got.text).toBe(text);
        if (got.ending === "in-band-error") expect(text.startsWith(got.text) && got.text !== "").toBe(true);
        scenario.also?.(got);
        // Whoever was at work when he was given up is paid for.
        for (const attempt of record?.attempts ?? []) {
          if (["timeout", "stalled", "ok"].includes(attempt.class)) expect(attempt.usage).not.toBeNull();
        }
      });
    }

    test("malformed tool arguments go to the next model", async () => {
      const tool = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
      const tools =
        side.format === "chat"
          ? [{ type: "function", function: { name: "weather", parameters: tool } }]
          : [{ name: "weather", input_schema: tool }];
      const prompt = `[[sim: tools weather; tools weather arguments={"town":1} model=${side.first}]]`;
      const got = await send(stage.url, {
        format: side.format,
        model: side.first,
        stream: false,
        prompt,
        headers: { "x-arouter-fallback-chain": side.other, "x-arouter-validate": "tool_arguments" },
        // Models that think take no tools on this endpoint unless they are told not to.
        fields: side.format === "chat" ? { tools, reasoning_effort: "none" } : { tools },
      });
      expect({ ending: got.ending, error: got.error }).toEqual({ ending: "complete", error: "" });
      expect(got.headers.get("x-arouter-chain")).toBe(`${side.first}=invalid, ${side.other}=ok`);
      expect(got.headers.get("x-arouter-heal")).toBe("healed");
      expect(got.headers.get("x-arouter-validation")).toBe("pass");
    });

    test("truncated JSON that was asked for goes to the next model", async () => {
      const prompt = `[[sim: text "{\\"a\\":1}" model=${side.other}; invalid-json model=${side.first}]]`;
      const got = await send(stage.url, {
        format: side.format,
        model: side.first,
        stream: true,
        prompt,
        headers: { "x-arouter-fallback-chain": side.other, "x-arouter-validate": "json" },
      });
      expect(got.ending).toBe("complete");
      expect(got.text).toBe('{"a":1}');
      expect(got.headers.get("x-arouter-model")).toBe(side.other);
    });

    test("a prefill is answered where it can be, else refused by name, and never sent elsewhere", async () => {
      const messages = [
        { role: "user", content: '[[sim: text "Paris"]]' },
        { role: "assistant", content: "The capital is" },
      ];
      const got = await send(stage.url, {
        format: side.format,
        model: side.first,
        stream: false,
        prompt: "",
        headers: { "x-arouter-fallback-chain": side.other },
        fields: { messages },
      });
      const isNative = side.format === "messages" && side.first.startsWith("claude");
      expect(stage.records[0]?.attempts.map((attempt) => [attempt.model, attempt.class])).toEqual([
        [side.first, isNative ? "client" : "ok"],
      ]);
      expect([got.ending, got.status]).toEqual(isNative ? ["error", 400] : ["complete", 200]);
      if (isNative) expect(got.error).toContain("does not support assistant message prefill");
      expect(await stage.settle()).toEqual(AT_REST);
    });

    test("a client that leaves ends the call within a quarter of a second, and it is paid for", async () => {
      const abort = new AbortController();
      const prompt = `[[sim: text "never read"; fault stall after=7 model=${side.first}]]`;
      const leaving = send(stage.url, {
        format: side.format,
        model: side.first,
        stream: true,
        prompt,
        signal: abort.signal,
      });
      await Bun.sleep(120);
      abort.abort();
      const leftMs = performance.now();
      expect((await leaving).ending).toBe("left");
      expect(await stage.settle()).toEqual(AT_REST);
      expect(performance.now() - leftMs).toBeLessThan(250 + 250);
      const [record] = stage.records;
      expect(record?.outcome).toBe("client_gone");
      expect(record?.attempts[0]?.usage).not.toBeNull();
      expect(record?.costUsd ?? 0).toBeGreaterThan(0);
    });
  });
}
