/** No key that configuration names shows in anything that configuration says or is. */
import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { createRedactor, sha256 } from "../../src/base/secret.ts";
import { complaints, configOf, FILE, load } from "./support.ts";

const CANARY = "sk-canary-7Q2xV9";

describe("mistakes do not show a key", () => {
  test.each([
    ["in the wrong type", `providers.openai.api_key = ["${CANARY}"]`],
    ["beside a TOML error", `[providers.openai]\napi_key = "${CANARY}`],
    ["as a TOML error", `[providers.openai]\napi_key = ${CANARY}`],
    ["under a misspelled key", `[providers.openai]\napi_kye = "${CANARY}"`],
    ["that cannot be sent", `providers.openai.api_key = "${CANARY}\\n"`],
    ["of a caller", `auth.keys."x y" = "${CANARY}"\nauth.keys.z = "sha256:${CANARY}"`],
    ["in a URL", `providers.openai.base_url = "ftp://me:${CANARY}@h"`],
    ["in a variable", 'providers.openai.api_key = "${CANARY}\\n"'],
    ["in a header for the collector", `telemetry.otlp_headers = { authorization = ["Bearer ${CANARY}"] }`],
    ["in a list", `auth.public = [3, "${CANARY}"]`],
    ["given twice", `providers.openai.api_key = "${CANARY}"\nproviders.openai.api_key = "${CANARY}"`],
  ])("%s", (_, text) => {
    const told = complaints(text, { env: { CANARY, OPENAI_API_KEY: CANARY } });
    expect(told.length).toBeGreaterThan(0);
    expect(told.join("\n")).not.toContain("canary");
  });
  test("in a keys file", () => {
    const files = { "/etc/app/k": `a = ${CANARY}\na = ${CANARY}\n${CANARY}\nsha = sha256:${CANARY}\nb b = ${CANARY}` };
    const told = complaints('auth.keys_file = "k"', { files });
    expect(told).toEqual([
      'k:2:1: error: a: a caller named "a" is there already',
      "k:3:1: error: must be name = key",
      "k:4:1: error: sha: must be sha256: and 64 hex digits",
      'k:5:1: error: "b b": the name must be 1 to 64 of the characters A-Z a-z 0-9 . _ @ -',
    ]);
  });
});

describe("a loaded configuration", () => {
  const text = `
[providers.openai]
api_key = "${CANARY}-1"
base_url = "https://user:${CANARY}-pass%20word@host/v1"
[providers.anthropic]
api_key_file = "ant"
[auth]
keys = { bob = "${CANARY}-3", ann = "\${ANN}" }
keys_file = "callers"
[telemetry]
otlp_headers = { authorization = "Bearer ${CANARY}-6" }
`;
  const files = {
    "/etc/app/ant": `${CANARY}-2\n`,
    "/etc/app/callers": `# callers\ncarl = "${CANARY}-5"\n`,
    [FILE]: text,
  };
  const result = load({ files, env: { ANN: `${CANARY}-4` } });
  if (!result.ok) throw new Error(inspect(result.diagnostics));

  test.each<[string, (value: unknown) => string]>([
    ["JSON", (value) => JSON.stringify(value)],
    ["util.inspect", (value) => inspect(value, { depth: null })],
    ["Bun.inspect", (value) => Bun.inspect(value, { depth: 20 })],
    ["an error", (value) => inspect(new Error("failed", { cause: value }), { depth: null })],
  ])("shows no key of a provider or caller as %s", (_, show) => {
    expect(show(result.config.providers.openai.apiKey)).not.toContain("canary");
    expect(show(result.config.providers.anthropic)).not.toContain("canary");
    expect(show(result.config.auth)).not.toContain("canary");
    expect(show(result.secrets)).not.toContain("canary");
  });

  test("names every key to the redactor, also passwords in addresses and headers", () => {
    const redact = createRedactor(result.secrets);
    for (const secret of ["-1", "-2", "-3", "-4", "-5", "-6", "-pass%20word", "-pass word"]) {
      expect(redact(`x ${CANARY}${secret} y`)).toBe("x [redacted] y");
    }
  });

  test("keeps callers as digests", () => {
    const digests = result.config.auth.keys.map(({ name, digest }) => [name, Buffer.from(digest).toString("hex")]);
    const hex = (key: string): string => Buffer.from(sha256(key)).toString("hex");
    expect(digests).toEqual([
      ["bob", hex(`${CANARY}-3`)],
      ["ann", hex(`${CANARY}-4`)],
      ["carl", hex(`${CANARY}-5`)],
    ]);
  });

  test("takes a digest as it is", () => {
    const hex = "AB".repeat(32);
    const [key] = configOf(`auth.keys.a = "sha256:${hex}"`).auth.keys;
    expect(Buffer.from(key?.digest ?? []).toString("hex")).toBe(hex.toLowerCase());
  });
});
