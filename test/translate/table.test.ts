import { expect, test } from "bun:test";
import { findTranslator, TRANSLATORS } from "../../src/translate/table.ts";

test("finds each pair by its two formats, and none for one format or a missing pair", () => {
  for (const pair of TRANSLATORS) expect(findTranslator(pair.client, pair.upstream)).toBe(pair);
  expect(findTranslator("chat", "messages")?.client).toBe("chat");
  expect(findTranslator("chat", "chat")).toBeNull();
  expect(findTranslator("responses", "messages")?.upstream).toBe("messages");
  expect(findTranslator("responses", "chat")).toBeNull();
});
