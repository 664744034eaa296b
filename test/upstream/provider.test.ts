import { describe, expect, test } from "bun:test";
import { mergeBetas } from "../../src/upstream/headers.ts";
import {
  createAnthropic,
  createOpenAi,
  createProviderRegistry,
  normalizeBaseUrl,
} from "../../src/upstream/provider.ts";

describe("a base URL", () => {
  for (const [given, normal] of [
    ["https://api.openai.com/v1", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/", "https://api.openai.com/v1"],
    ["https://api.openai.com", "https://api.openai.com/v1"],
    ["https://api.anthropic.com///", "https://api.anthropic.com/v1"],
    ["http://host:1/prefix", "http://host:1/prefix/v1"],
    ["http://host/v10", "http://host/v10/v1"],
  ] as const) {
    test(`${given} is ${normal}`, () => expect(normalizeBaseUrl(given)).toBe(normal));
  }
});

describe("credentials", () => {
  test("are read at each call, so that a new key takes effect", () => {
    let key: string | null = "one";
    const openai = createOpenAi({ baseUrl: "http://x", key: () => key, organization: "org", project: null });
    expect(openai.authHeaders()).toEqual({ authorization: "Bearer one", "openai-organization": "org" });
    key = "two";
    expect(openai.authHeaders()).toMatchObject({ authorization: "Bearer two" });
    key = null;
    expect(openai.authHeaders()).toEqual({ "openai-organization": "org" });
    const anthropic = createAnthropic({ baseUrl: "http://x", key: () => "k", version: "2023-06-01" });
    expect(anthropic.authHeaders()).toEqual({ "x-api-key": "k" });
  });

  test("a pinned organization goes before the client's", () => {
    const openai = createOpenAi({ baseUrl: "http://x", key: () => "k", organization: "pinned", project: null });
    const client = new Headers({ "openai-organization": "client", "openai-project": "p" });
    expect({ ...openai.forwardHeaders(client, true), ...openai.authHeaders() }).toEqual({
      "openai-organization": "pinned",
      "openai-project": "p",
      authorization: "Bearer k",
    });
  });
});

describe("the registry", () => {
  const provider = { key: () => "k", baseUrl: "http://x" };
  const openai = createOpenAi({ ...provider, organization: null, project: null });
  const anthropic = createAnthropic({ ...provider, version: "v" });
  const registry = createProviderRegistry([
    { provider: openai, models: ["*"], configured: true },
    { provider: anthropic, models: ["claude-*"], configured: false },
  ]);

  test("takes the more specific glob, whether or not its provider has a key", () => {
    expect(registry.resolve("gpt-4.1")).toBe("openai");
    expect(registry.resolve("claude-sonnet-4-5")).toBe("anthropic");
    expect(registry.get("anthropic")).toBeNull();
    expect(registry.configured).toEqual(["openai"]);
  });

  test("knows nothing of what no glob names", () => {
    const narrow = createProviderRegistry([{ provider: openai, models: ["gpt-*", "o?-mini"], configured: true }]);
    expect(["gpt-5", "o3-mini", "o33-mini", "llama", "", "__proto__"].map(narrow.resolve)).toEqual([
      "openai",
      "openai",
      null,
      null,
      null,
      null,
    ]);
  });

  test("stays bounded under names that clients make up", () => {
    for (let name = 0; name < 20_000; name += 1) registry.resolve(`claude-${name}`);
    expect(registry.resolve("claude-1")).toBe("anthropic");
  });
});

describe("betas", () => {
  for (const [values, allow, deny, merged] of [
    [["a,b", "b , c"], ["*"], [], "a,b,c"],
    [[null, "a"], ["*"], [], "a"],
    [["a,b"], ["a"], [], "a"],
    [["a-1,a-2,b"], ["a-*"], ["a-2"], "a-1"],
    [["", null, " , "], ["*"], [], null],
    [["a"], [], [], null],
  ] as const) {
    test(`${JSON.stringify(values)} within ${allow.join()} without ${deny.join()}: ${merged}`, () => {
      expect(mergeBetas([...values], [...allow], [...deny])).toBe(merged);
    });
  }
});
