import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { createRedactor, createSecret, reveal, sameDigest, sha256 } from "../../src/base/secret.ts";

const TEXT = 'sk-canary/+ü"7Q2~\\x y';

describe("a secret", () => {
  const secret = createSecret(TEXT);
  test.each<[string, () => string]>([
    ["String", () => String(secret)],
    ["a template", () => `${secret}`],
    ["joining", () => "" + secret],
    ["an array's join", () => [secret, secret].join()],
    ["JSON", () => JSON.stringify({ nested: [secret] })],
    ["util.inspect", () => inspect({ nested: [secret] }, { depth: null, showHidden: true })],
    ["Bun.inspect", () => Bun.inspect({ nested: [secret] })],
    ["its properties", () => JSON.stringify(Object.getOwnPropertyNames(secret)) + JSON.stringify({ ...secret })],
    ["an error's message", () => inspect(new Error(`failed with ${secret}`, { cause: secret }))],
    ["a table", () => Bun.inspect.table([{ secret }])],
  ])("does not show in %s", (_, show) => {
    expect(show()).not.toContain("canary");
  });
  test("prints as [redacted]", () => {
    expect(`${secret}`).toBe("[redacted]");
    expect(JSON.stringify(secret)).toBe('"[redacted]"');
    expect(inspect(secret)).toBe("[redacted]");
  });
  test("gives its text to reveal alone", () => {
    expect(reveal(secret)).toBe(TEXT);
  });
  test("cannot be cloned into the open", () => {
    expect(reveal({ ...secret })).toBe("");
  });
});

describe("the redactor", () => {
  const redact = createRedactor([createSecret(TEXT), createSecret("short-key-1"), createSecret("ab")]);
  const base64 = (before: string, after: string): string => Buffer.from(before + TEXT + after).toString("base64");

  test.each([
    ["as it is", TEXT],
    ["JSON-escaped", JSON.stringify(TEXT)],
    ["JSON-escaped with \\/", JSON.stringify(TEXT).replaceAll("/", "\\/")],
    ["JSON-escaped to ASCII", JSON.stringify(TEXT).replaceAll("ü", "\\u00fc")],
    ["URL-encoded", encodeURIComponent(TEXT)],
    ["URL-encoded in lower case", encodeURIComponent(TEXT).replace(/%../g, (escape) => escape.toLowerCase())],
    ["form-encoded", encodeURIComponent(TEXT).replaceAll("%20", "+")],
    ["in base64", base64("", "")],
    ["in base64url", Buffer.from(TEXT).toString("base64url")],
  ])("takes out a secret %s", (_, form) => {
    expect(redact(`before ${form} after`)).toBe(`before ${form.startsWith('"') ? '"[redacted]"' : "[redacted]"} after`);
  });

  test.each(
    ["", "u", "us", "use", "user:"].flatMap((before) =>
      ["", "x", "xy", "xyz"].map((after) => [before, after] as const),
    ),
  )("leaves no decodable part in the base64 of %p + secret + %p", (before, after) => {
    const redacted = redact(`Basic ${base64(before, after)}`);
    for (const piece of redacted.replace("Basic ", "").split("[redacted]")) {
      expect(piece.length).toBeLessThan(10);
      expect(Buffer.from(piece, "base64").toString()).not.toContain("canary");
    }
    expect(redacted).toContain("[redacted]");
  });

  test("takes out each of several, everywhere", () => {
    expect(redact(`${TEXT}|short-key-1|${TEXT}`)).toBe("[redacted]|[redacted]|[redacted]");
  });
  test("leaves other text alone, and secrets too short to tell from words", () => {
    expect(redact("about a cab")).toBe("about a cab");
  });
  test("finds what a plain search finds, in texts that are full of beginnings and ends of secrets", () => {
    // "a" and "\u4061" have the same place in the table of the quick look.
    const unit = fc.constantFrom("a", "b", "\u0161", "\u4061");
    const secret = fc.string({ unit, minLength: 6, maxLength: 9 });
    const text = fc.oneof(
      fc.string({ unit, maxLength: 40 }),
      fc.tuple(fc.string({ unit, maxLength: 20 }), secret).map((parts) => parts.join("")),
    );
    let found = 0;
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), text, fc.nat(), (secrets, around, at) => {
        // Half of the texts hold one.
        const held = at % 2 === 0 ? around : around + (secrets[at % secrets.length] ?? "") + around;
        const isThere = secrets.some((one) => held.includes(one));
        if (isThere) found++;
        const redact = createRedactor(secrets.map(createSecret));
        expect(redact(held) !== held).toBe(isThere);
        const bytes = Buffer.from(held);
        expect(redact.isIn?.(bytes, 0, bytes.length)).toBe(isThere);
      }),
      { numRuns: 1000 },
    );
    expect(found).toBeGreaterThan(300);
    expect(found).toBeLessThan(900);
  });
  test("finds a secret longer than a step can be", () => {
    const long = createSecret("x".repeat(200) + "y".repeat(400));
    const redactLong = createRedactor([long, createSecret("z".repeat(300))]);
    expect(redactLong(`${"x".repeat(500)}${reveal(long)} and`)).toBe(`${"x".repeat(500)}[redacted] and`);
    expect(redactLong(`${"x".repeat(199)}${"y".repeat(500)}`)).not.toContain("redacted");
  });
  test("takes out the longer of two secrets that contain each other", () => {
    const both = createRedactor([createSecret("sk-abc"), createSecret("sk-abc-def-123")]);
    expect(both("sk-abc-def-123 sk-abc")).toBe("[redacted] [redacted]");
  });
});

test("compares digests of equal texts as equal, others and other lengths as different", () => {
  expect(sameDigest(sha256("a"), sha256("a"))).toBe(true);
  expect(sameDigest(sha256("a"), sha256("b"))).toBe(false);
  expect(sameDigest(sha256("a"), new Uint8Array(3))).toBe(false);
  expect(Buffer.from(sha256("abc")).toString("hex")).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
