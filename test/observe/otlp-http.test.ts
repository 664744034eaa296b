import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHttpTransport } from "../../src/observe/otlp-http.ts";
import { freePort } from "../support/ports.ts";

const never = new AbortController().signal;
const body = new Uint8Array([1, 2, 3]);
setDefaultTimeout(30_000);

let server: Bun.Server<unknown> | null = null;

afterEach(async () => {
  await server?.stop(true);
  server = null;
});

function serve(answer: (request: Request) => Response | Promise<Response>): URL {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  return new URL(`http://127.0.0.1:${server.port}/v1/traces`);
}

describe("createHttpTransport", () => {
  test("posts protobuf with the headers of the configuration", async () => {
    const seen: { readonly url: string; readonly headers: Headers; readonly bytes: number[] }[] = [];
    const url = serve(async (request) => {
      seen.push({
        url: request.url,
        headers: request.headers,
        bytes: [...new Uint8Array(await request.arrayBuffer())],
      });
      return new Response("");
    });
    const transport = createHttpTransport(url, { "x-tenant": "a" });
    expect(await transport.send(body, never)).toEqual({ kind: "ok" });
    transport.close();
    expect(seen[0]?.bytes).toEqual([1, 2, 3]);
    expect(seen[0]?.url).toEndWith("/v1/traces");
    expect(seen[0]?.headers.get("content-type")).toBe("application/x-protobuf");
    expect(seen[0]?.headers.get("x-tenant")).toBe("a");
  });

  test.each([
    [200, "ok"],
    [202, "ok"],
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [413, "refused"],
    [429, "again"],
    [500, "refused"],
    [502, "again"],
    [503, "again"],
    [504, "again"],
  ] as const)("takes %p for %s", async (status, kind) => {
    const transport = createHttpTransport(
      serve(() => new Response("words that nobody needs", { status })),
      {},
    );
    const result = await transport.send(body, never);
    transport.close();
    expect(result.kind).toBe(kind);
    if (result.kind !== "ok") expect(result.reason).toBe(`the collector answered ${status}`);
  });

  test.each([
    ["of five hundred", [0x0a, 0x07, 0x08, 0xf4, 0x03, 0x12, 0x02, 0x6e, 0x6f], 500],
    ["behind a field that is not known", [0x18, 0x01, 0x0a, 0x02, 0x08, 0x03], 3],
    ["of none, with a warning", [0x0a, 0x04, 0x12, 0x02, 0x6e, 0x6f], 0],
    ["of none", [], 0],
    ["that is cut", [0x0a, 0x07, 0x08], 0],
    ["that never ends", [0x0a, 0x0c, 0x08, ...Array.from({ length: 11 }, () => 0xff)], 0],
    ["that is no message", [0x77, 0x6f, 0x72, 0x64], 0],
  ])("reads the refusal %s", async (_, answer, rejected) => {
    const headers = { "content-type": "application/x-protobuf" };
    const transport = createHttpTransport(
      serve(() => new Response(new Uint8Array(answer), { headers })),
      {},
    );
    const result = await transport.send(body, never);
    transport.close();
    expect(result).toEqual(
      rejected === 0 ? { kind: "ok" } : { kind: "partly", rejected, reason: "the collector refused some of a batch" },
    );
  });

  test("says why nobody answers", async () => {
    const transport = createHttpTransport(new URL(`http://127.0.0.1:${freePort()}/v1/traces`), {});
    expect(await transport.send(body, never)).toEqual({
      kind: "again",
      reason: "the connection failed (ECONNREFUSED)",
    });
    transport.close();
  });

  test("gives up when it is told to", async () => {
    const url = serve(() => new Promise(() => undefined));
    const transport = createHttpTransport(url, {});
    const abort = new AbortController();
    const sending = transport.send(body, abort.signal);
    await Bun.sleep(20);
    abort.abort();
    expect((await sending).kind).toBe("again");
    transport.close();
  });
});
