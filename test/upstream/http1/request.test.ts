import { describe, expect, test } from "bun:test";
import { parseBase, targetOf } from "../../../src/upstream/http1/origin.ts";
import { renderRequest } from "../../../src/upstream/http1/request.ts";
import type { HttpCall } from "../../../src/upstream/http.ts";

const { signal } = new AbortController();

function render(call: Partial<HttpCall>, host = "api.test", target = "/v1/x"): string {
  const { first, rest } = renderRequest(host, target, { method: "POST", headers: {}, signal, ...call });
  return Buffer.concat([first, rest ?? Buffer.alloc(0)]).toString("latin1");
}

describe("a request", () => {
  test("is its line, host, headers as given, length and body", () => {
    expect(render({ headers: { accept: "a/b", "x-empty": "" }, body: "hi" })).toBe(
      "POST /v1/x HTTP/1.1\r\nhost: api.test\r\naccept: a/b\r\nx-empty: \r\ncontent-length: 2\r\n\r\nhi",
    );
  });

  test("without a body says no length", () => {
    expect(render({ method: "GET" })).toBe("GET /v1/x HTTP/1.1\r\nhost: api.test\r\n\r\n");
  });

  test("with an empty body says so", () => {
    expect(render({ body: "" })).toEndWith("content-length: 0\r\n\r\n");
  });

  test("counts bytes, not characters, and writes UTF-8", () => {
    const text = render({ body: "é€😀" });
    expect(text).toContain("content-length: 9\r\n");
    expect(Buffer.from(text, "latin1").toString("utf8")).toEndWith("\r\n\r\né€😀");
  });

  test("writes header values as Latin-1", () => {
    expect(render({ headers: { x: "é" }, body: "" })).toContain("x: \xe9\r\n");
  });

  test("leaves a large body where it is, and sends a small one with its head", () => {
    const small = Buffer.alloc(65_536, "a");
    const large = Buffer.alloc(65_537, "a");
    const of = (body: Uint8Array) => renderRequest("h", "/", { method: "POST", headers: {}, body, signal });
    expect(of(small).rest).toBeNull();
    expect(of(large).rest).toBe(large);
    expect(Buffer.from(of(large).first).toString()).toEndWith("content-length: 65537\r\n\r\n");
  });

  test.each([
    ["a line end in a value", { headers: { x: "a\r\ninjected: b" } }],
    ["CR in a value", { headers: { x: "a\rb" } }],
    ["LF in a value", { headers: { x: "a\nb" } }],
    ["NUL in a value", { headers: { x: "a\0b" } }],
    ["another control character in a value", { headers: { x: "a\x1bb" } }],
    ["what has no byte in a value", { headers: { x: "a€b" } }],
    ["a line end in a name", { headers: { "x\r\ny": "a" } }],
    ["white space in a name", { headers: { "x y": "a" } }],
    ["a colon in a name", { headers: { "x:": "a" } }],
    ["an empty name", { headers: { "": "a" } }],
    ["a length of its own", { headers: { "content-length": "1" } }],
    ["a coding of its own", { headers: { "Transfer-Encoding": "chunked" } }],
    ["a host of its own", { headers: { HOST: "evil.test" } }],
    ["a connection header of its own", { headers: { connection: "upgrade" } }],
    ["a line end in the method", { method: "GET / HTTP/1.1\r\nx: " }],
    ["an empty method", { method: "" }],
  ])("with %s is not sent, the second time neither", (_name, call) => {
    for (let time = 0; time < 2; time += 1) {
      expect(() => render({ body: "", ...call })).toThrow(/cannot be sent/);
    }
  });

  test("does not tell the value that it refuses", () => {
    expect(() => render({ headers: { authorization: "Bearer sk-secret\n" } })).toThrow(/^(?!.*secret).*authorization/);
  });
});

describe("where a call goes", () => {
  test.each([
    ["https://api.openai.com/v1", "api.openai.com", 443, "api.openai.com", true, "/v1"],
    ["http://localhost:8080", "localhost", 8080, "localhost:8080", false, ""],
    ["http://example.test:80/a/b/", "example.test", 80, "example.test", false, "/a/b"],
    ["https://[::1]:8443/v1", "::1", 8443, "[::1]:8443", true, "/v1"],
    ["HTTPS://EXAMPLE.test/V1", "example.test", 443, "example.test", true, "/V1"],
  ])("%s", (url, hostname, port, host, isTls, prefix) => {
    expect(parseBase(url)).toMatchObject({ origin: { hostname, port, host, isTls }, prefix, authorization: null });
  });

  test("one origin for all paths of it, another for another scheme or port", () => {
    const key = (url: string): string => parseBase(url).origin.key;
    expect(key("https://a.test/v1")).toBe(key("https://a.test:443/other"));
    expect(new Set(["https://a.test", "http://a.test", "https://a.test:8443", "https://b.test"].map(key)).size).toBe(4);
  });

  test("takes credentials out of the URL", () => {
    const { origin, authorization } = parseBase("https://us%40er:p%3Aw@a.test/v1");
    expect(authorization).toBe(`Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
    expect(JSON.stringify(origin)).not.toContain("p:w");
  });

  test.each([
    ["/chat/completions", "/v1/chat/completions"],
    ["/models?limit=1000", "/v1/models?limit=1000"],
    ["/files/a%2Fb?x=%20y", "/v1/files/a%2Fb?x=%20y"],
    ["/a/../b/./c", "/v1/b/c"],
    ["/.hidden", "/v1/.hidden"],
    ["/a b?c d", "/v1/a%20b?c%20d"],
    ["/é", "/v1/%C3%A9"],
    ["/a#fragment", "/v1/a"],
    ["/a\r\nx: y", "/v1/ax:%20y"],
    ["/a\0b", "/v1/a%00b"],
    ["//other.test/x", "/v1//other.test/x"],
    ["/a\\b", "/v1/a/b"],
  ])("path %p", (path, target) => {
    const base = parseBase("https://a.test/v1");
    expect(targetOf(base, path)).toBe(target);
    // What `fetch` would have asked for.
    const { pathname, search } = new URL(`https://a.test/v1${path}`);
    expect(target).toBe(pathname + search);
  });
});
