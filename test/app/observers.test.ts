import { describe, expect, test } from "bun:test";
import { createLiveRedactor } from "../../src/app/observers.ts";
import { createSecret, type Secret } from "../../src/base/secret.ts";

describe("the redactor of a gateway that reloads", () => {
  test("knows the keys of the configuration in force, and those of requests that are still under way", () => {
    let secrets: readonly Secret[] = [createSecret("sk-first-key")];
    const redact = createLiveRedactor(() => secrets);
    expect(redact("sk-first-key sk-second-key")).toBe("[redacted] sk-second-key");
    secrets = [createSecret("sk-second-key")];
    expect(redact("sk-first-key sk-second-key")).toBe("[redacted] [redacted]");
  });
  test("does not keep every key that there ever was", () => {
    let secrets: readonly Secret[] = [createSecret("sk-first-key")];
    const redact = createLiveRedactor(() => secrets);
    redact("");
    for (let number = 0; number < 20; number++) {
      secrets = [createSecret(`sk-later-key-${number}`)];
      redact("");
    }
    expect(redact("sk-first-key")).toBe("sk-first-key");
  });
});
