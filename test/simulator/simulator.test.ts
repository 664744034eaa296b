/** The simulator as a server: keys, headers, errors, faults on the socket, scripts and the log. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import net from "node:net";
import { createSimulator } from "../../src/simulator/simulator.ts";

const simulator = createSimulator();
const address = simulator.listen();
afterAll(() => address.stop());
beforeEach(() => simulator.log.clear());

const openaiHeaders = { authorization: "Bearer sk-test", "content-type": "application/json" };
const anthropicHeaders = {
  "x-api-key": "sk-ant-test",
  "anthropic-version": "2023-06-01",
  "content-type": "application/json",
};
const chatBody = (words: string, extra: object = {}): string =>
  JSON.stringify({ model: "gpt-4.1", messages: [{ role: "user", content: words }], ...extra });
const messagesBody = (words: string, extra: object = {}): string =>
  JSON.stringify({
    model: "claude-haiku-4-5",
    max_tokens: 100,
    messages: [{ role: "user", content: words }],
    ...extra,
  });
const chat = (words: string, extra: object = {}, init: RequestInit = {}): Promise<Response> =>
  fetch(`${address.openaiUrl}/chat/completions`, {
    method: "POST",
    headers: openaiHeaders,
    body: chatBody(words, extra),
    redirect: "manual",
    ...init,
  });
const messages = (words: string, extra: object = {}, init: RequestInit = {}): Promise<Response> =>
  fetch(`${address.anthropicUrl}/v1/messages`, {
    method: "POST",
    headers: anthropicHeaders,
    body: messagesBody(words, extra),
    redirect: "manual",
    ...init,
  });
/** Whether the promise rejects: no HTTP answer came. */
const fails = (promise: Promise<Response>): Promise<boolean> =>
  promise.then(
    () => false,
    () => true,
  );
const json = async (response: Response): Promise<Record<string, never>> =>
  (await response.json()) as Record<string, never>;

describe("keys and headers", () => {
  test("OpenAI wants a Bearer key, and answers with its own headers", async () => {
    expect((await chat("hi", {}, { headers: { "content-type": "application/json" } })).status).toBe(401);
    expect((await chat("hi", {}, { headers: { ...openaiHeaders, authorization: "Bearer sk-invalid" } })).status).toBe(
      401,
    );
    const good = await chat("hi");
    expect(good.headers.get("x-request-id")).toMatch(/^req_/);
    expect(good.headers.get("x-ratelimit-reset-tokens")).toBe("1m30s");
    expect(good.headers.get("set-cookie")).not.toBeNull();
  });

  test("Anthropic wants a key in either header, and a version", async () => {
    const { "x-api-key": _, ...rest } = anthropicHeaders;
    expect((await messages("hi", {}, { headers: rest })).status).toBe(401);
    expect((await messages("hi", {}, { headers: { ...rest, authorization: "Bearer sk" } })).status).toBe(200);
    const { "anthropic-version": __, ...unversioned } = anthropicHeaders;
    const refused = await messages("hi", {}, { headers: unversioned });
    expect(await json(refused)).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: "anthropic-version: header is required" },
      request_id: refused.headers.get("request-id") as string,
    });
    expect(
      (await messages("hi", {}, { headers: { ...anthropicHeaders, "anthropic-version": "2024-01-01" } })).status,
    ).toBe(400);
  });

  test("a refusal is in the provider's envelope and the log names its rule", async () => {
    const response = await chat("hi", { top_k: 1 });
    expect(response.status).toBe(400);
    expect(await json(response)).toEqual({
      error: {
        message: "Unrecognized request argument supplied: top_k",
        type: "invalid_request_error",
        param: null,
        code: null,
      },
    } as never);
    expect(simulator.log.entries[0]).toMatchObject({
      path: "/v1/chat/completions",
      status: 400,
      refusedBy: "unknown field",
    });
    expect((await messages("hi", { seed: 1 })).headers.get("x-should-retry")).toBe("false");
  });

  test("a body that is not JSON is refused by both", async () => {
    expect((await chat("", {}, { body: "{" })).status).toBe(400);
    expect((await messages("", {}, { body: "{" })).status).toBe(400);
  });

  test("paths of the other provider and unknown ones are not found", async () => {
    expect(
      (await fetch(`${address.openaiUrl}/messages`, { method: "POST", headers: openaiHeaders, body: "{}" })).status,
    ).toBe(404);
    expect((await fetch(`${address.anthropicUrl}/v1/nothing`, { headers: anthropicHeaders })).status).toBe(404);
    expect((await fetch(`${address.openaiUrl}/chat/completions`, { headers: openaiHeaders })).status).toBe(405);
  });
});

describe("errors on request", () => {
  const cases = [
    ["status 503", 503, "server_error", 503, "api_error"],
    ["error rate-limit", 429, "requests", 429, "rate_limit_error"],
    ["error overloaded", 503, "server_error", 529, "overloaded_error"],
    ["error quota", 429, "insufficient_quota", 400, "invalid_request_error"],
    ["error context", 400, "invalid_request_error", 400, "invalid_request_error"],
  ] as const;
  for (const [words, openaiStatus, openaiType, anthropicStatus, anthropicType] of cases) {
    test(words, async () => {
      const [one, two] = [await chat(`[[sim: ${words}]]`), await messages(`[[sim: ${words}]]`)];
      expect([one.status, two.status]).toEqual([openaiStatus, anthropicStatus]);
      expect([(await json(one))["error"], (await json(two))["error"]]).toMatchObject([
        { type: openaiType },
        { type: anthropicType },
      ] as never);
    });
  }

  test("carry Retry-After in each form", async () => {
    const headers = (await chat("[[sim: status 429 retry-after=1.5 retry-after-ms=1500 should-retry=true]]")).headers;
    expect([headers.get("retry-after"), headers.get("retry-after-ms"), headers.get("x-should-retry")]).toEqual([
      "1.5",
      "1500",
      "true",
    ]);
    const date = (await chat("[[sim: status 429 retry-after=date+7]]")).headers;
    expect(Date.parse(date.get("retry-after") ?? "") - Date.parse(date.get("date") ?? "")).toBe(7000);
  });

  test("stop after their times", async () => {
    const status = async (): Promise<number> => (await chat("[[sim: status 500 times=2 id=spent]]")).status;
    expect([await status(), await status(), await status()]).toEqual([500, 500, 200]);
  });

  test("hit only the model they name", async () => {
    expect((await chat("[[sim: status 500 model=gpt-4o]]")).status).toBe(200);
    expect((await chat("[[sim: status 500 model=gpt-4.*]]")).status).toBe(500);
  });
});

describe("fail", () => {
  test("breaks the next requests in order, and then none", async () => {
    simulator.fail("openai", ["status 500", "error rate-limit", "fault reset"]);
    expect([(await chat("a")).status, (await chat("b")).status]).toEqual([500, 429]);
    expect(await fails(chat("c"))).toBe(true);
    expect((await messages("other provider")).status).toBe(200);
    expect((await chat("d")).status).toBe(200);
  });
});

/** Sends a raw request and gives what came and how it ended. */
function rawChat(words: string, extra: object = {}): Promise<{ text: string; ending: "end" | "ECONNRESET" }> {
  const body = chatBody(words, extra);
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(address.openaiUrl).port), "127.0.0.1");
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    socket.on("error", () => resolve({ text, ending: "ECONNRESET" }));
    socket.on("end", () => resolve({ text, ending: "end" }));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

describe("faults on the socket", () => {
  test("reset and close come before any byte", async () => {
    expect(await rawChat("[[sim: fault reset]]")).toEqual({ text: "", ending: "ECONNRESET" });
    expect(await rawChat("[[sim: fault close]]")).toEqual({ text: "", ending: "end" });
  });

  test("reset-headers comes after the status line", async () => {
    const { text, ending } = await rawChat("[[sim: fault reset-headers]]", { stream: true });
    expect([text.startsWith("HTTP/1.1 200"), text.includes("data:"), ending]).toEqual([true, false, "ECONNRESET"]);
  });

  test("reset-middle and close-middle come after the events asked for, without a terminal", async () => {
    for (const [fault, ending] of [
      ["reset-middle", "ECONNRESET"],
      ["close-middle", "end"],
    ] as const) {
      const result = await rawChat(`[[sim: long 20; fault ${fault} after=4]]`, { stream: true });
      expect([result.text.match(/data: /g)?.length, result.text.includes("[DONE]"), result.ending]).toEqual([
        4,
        false,
        ending,
      ]);
      expect(result.text.endsWith("0\r\n\r\n")).toBe(false);
    }
  });

  test("garbage is no HTTP", async () => {
    expect((await rawChat("[[sim: fault garbage]]")).text).toStartWith("\u0016\u0003\u0001");
  });

  test("a refused port opens again", async () => {
    await simulator.refuse("openai");
    expect(await fails(chat("hi"))).toBe(true);
    await simulator.accept("openai");
    expect((await chat("hi")).status).toBe(200);
  });

  test("hang and stall give nothing more, and see the client leave", async () => {
    for (const [fault, path] of [
      ["hang", "headers"],
      ["stall", "body"],
    ] as const) {
      simulator.log.clear();
      const leave = new AbortController();
      const response = messages(`[[sim: fault ${fault}]]`, { stream: true }, { signal: leave.signal });
      if (path === "body") {
        const reader = (await response).body?.getReader();
        await reader?.read();
        leave.abort();
        await reader?.read().catch(() => null);
      } else {
        while (simulator.log.entries.length === 0) await Bun.sleep(1);
        leave.abort();
        await response.catch(() => null);
      }
      while (simulator.log.entries[0]?.abortedMs === null) await Bun.sleep(1);
      expect(simulator.log.entries[0]?.abortedMs).toBeGreaterThan(0);
    }
  });
});

describe("faults in the answer", () => {
  const body = async (fault: string, extra: object = { stream: true }): Promise<string> =>
    (await chat(`[[sim: fault ${fault}]]`, extra)).text();

  test("in a stream", async () => {
    expect(await body("no-terminal")).not.toContain("[DONE]");
    expect(await body("truncated")).toEndWith('data: {"cut');
    expect(await body("bad-event")).toEndWith("data: {not json\n\n");
    expect(await body("error-event")).toContain('data: {"error":{"message":"The server is currently overloaded');
    expect(await (await messages("[[sim: fault error-event]]", { stream: true })).text()).toContain(
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"',
    );
    expect((await body("huge-event 1")).length).toBeGreaterThan(1_000_000);
  });

  test("in a buffered answer", async () => {
    expect(JSON.parse(await body("error-event", {}))).toHaveProperty("error");
    expect(await body("empty-body", {})).toBe("");
    expect((await chat("[[sim: fault html]]")).headers.get("content-type")).toContain("text/html");
    expect((await chat("[[sim: fault redirect]]")).status).toBe(307);
  });

  test("a bomb opens to its size", async () => {
    const response = await chat("[[sim: fault bomb 2]]", {}, { decompress: false } as RequestInit);
    const packed = await response.bytes();
    expect(packed.length).toBeLessThan(10_000);
    expect(Bun.gunzipSync(packed).length).toBe(2 * 1_048_576);
  });
});

describe("pace", () => {
  test("bytes cuts events and characters wherever it falls", async () => {
    const response = await chat("[[sim: unicode; bytes 1; delay 0]]", { stream: true });
    const text = await response.text();
    expect(text).toContain("日本語");
    expect(text).toEndWith("data: [DONE]\n\n");
  });

  test("slow waits before the headers, delay between events", async () => {
    const start = performance.now();
    const response = await chat("[[sim: slow 40; long 4; delay 10]]", { stream: true });
    expect(performance.now() - start).toBeGreaterThanOrEqual(39);
    await response.text();
    expect(performance.now() - start).toBeGreaterThanOrEqual(89);
  });
});

test("delayMs paces streams that say nothing about it", async () => {
  const paced = createSimulator({ delayMs: 10 });
  const ask = async (words: string, extra: object): Promise<number> => {
    const start = performance.now();
    const body = chatBody(words, extra);
    const request = new Request("http://simulated/v1/chat/completions", {
      method: "POST",
      headers: openaiHeaders,
      body,
    });
    await (await paced.openai(request)).text();
    return performance.now() - start;
  };
  expect(await ask("[[sim: long 5]]", { stream: true })).toBeGreaterThanOrEqual(65);
  expect(await ask("[[sim: long 5; delay 0]]", { stream: true })).toBeLessThan(60);
  expect(await ask("[[sim: long 5]]", {})).toBeLessThan(60);
});

describe("in process", () => {
  test("answers without a port, and rejects where the socket would be reset", async () => {
    const request = (words: string): Request =>
      new Request("http://simulated/v1/chat/completions", {
        method: "POST",
        headers: openaiHeaders,
        body: chatBody(words),
      });
    const local = createSimulator({
      today: "2027-02-01",
      keys: { openai: "sk-test" },
      models: { "gpt-5.4": 'text "as configured"' },
    });
    expect((await local.openai(request("hi"))).status).toBe(404);
    const other = new Request("http://simulated/v1/chat/completions", {
      method: "POST",
      headers: openaiHeaders,
      body: chatBody("hi", { model: "gpt-5.4" }),
    });
    expect(await (await local.openai(other)).text()).toContain("as configured");
    expect(await fails(simulator.openai(request("[[sim: fault reset]]")))).toBe(true);
  });
});

describe("small endpoints", () => {
  test("embeddings, moderations, models, files, count_tokens", async () => {
    const post = (path: string, body: unknown): Promise<Response> =>
      fetch(`${address.openaiUrl}${path}`, { method: "POST", headers: openaiHeaders, body: JSON.stringify(body) });
    const [one, same, other] = [
      await json(await post("/embeddings", { model: "text-embedding-3-small", input: "a" })),
      await json(await post("/embeddings", { model: "text-embedding-3-small", input: "a" })),
      await json(await post("/embeddings", { model: "text-embedding-3-small", input: "b" })),
    ];
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    expect((await post("/embeddings", { model: "gpt-4o", input: "a" })).status).toBe(404);
    expect((await post("/embeddings", { model: "text-embedding-3-small", input: "a", dimensions: -1 })).status).toBe(
      400,
    );
    expect(await json(await post("/moderations", { input: ["a", "b"] }))).toMatchObject({
      results: [{ flagged: false }, { flagged: false }],
    });
    const models = await json(await fetch(`${address.anthropicUrl}/v1/models?limit=2`, { headers: anthropicHeaders }));
    expect(models).toMatchObject({ has_more: true, first_id: "claude-fable-5-2" });
    expect((await fetch(`${address.openaiUrl}/models/gpt-9`, { headers: openaiHeaders })).status).toBe(404);
    expect(await json(await fetch(`${address.anthropicUrl}/v1/files`, { headers: anthropicHeaders }))).toMatchObject({
      data: [],
    });
    const counted = await fetch(`${address.anthropicUrl}/v1/messages/count_tokens`, {
      method: "POST",
      headers: anthropicHeaders,
      body: JSON.stringify({ model: "claude-haiku-4-5", messages: [{ role: "user", content: "hi" }] }),
    });
    expect(await json(counted)).toEqual({ input_tokens: expect.any(Number) } as never);
  });
});

test("the log holds what came, and no more than its bound", async () => {
  const small = createSimulator({ maxLog: 2 });
  for (const words of ["a", "b", "c"])
    await small.openai(
      new Request("http://simulated/v1/chat/completions", {
        method: "POST",
        headers: openaiHeaders,
        body: chatBody(words),
      }),
    );
  expect(small.log.entries.map((entry) => entry.number)).toEqual([2, 3]);
  expect(small.log.entries[1]).toMatchObject({
    method: "POST",
    status: 200,
    abortedMs: null,
    bytes: chatBody("c").length,
    json: { model: "gpt-4.1" },
  });
});
