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
