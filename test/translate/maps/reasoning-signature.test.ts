import { describe, expect, test } from "bun:test";
import {
  isSameModel,
  mintSignature,
  readSignature,
  renderReasoningItem,
} from "../../../src/translate/maps/reasoning-signature.ts";

const envelope = { id: "rs_1", encryptedContent: "gAAAA+/=", model: "gpt-5.6-2026-10-01" };

describe("the signature of foreign reasoning", () => {
  test("comes back as it was minted", () => {
    expect(readSignature(mintSignature(envelope))).toEqual(envelope);
    const bare = { id: null, encryptedContent: null, model: "x" };
    expect(readSignature(mintSignature(bare))).toEqual(bare);
  });

  test.each([
    ["Anthropic's own", "EqQBCkYIChgCKkA="],
    ["no base64", "arouter1.%%%"],
    ["no JSON", "arouter1.aGVsbG8"],
    ["an array", `arouter1.${Buffer.from("[]").toString("base64url")}`],
    ["no model", `arouter1.${Buffer.from("{}").toString("base64url")}`],
    ["a number", 7],
    ["nothing", undefined],
  ] as const)("%s is not read", (_what, signature) => {
    expect(readSignature(signature)).toBeNull();
  });

  test.each([
    ["gpt-5.6", "gpt-5.6", true],
    ["gpt-5.6-2026-10-01", "gpt-5.6", true],
    ["gpt-5.6", "gpt-5.6-2026-10-01", true],
    ["gpt-5.6", "gpt-5.6-luna", false],
    ["gpt-5.4", "gpt-5.6", false],
  ])("%s is shown to %s: %p", (model, target, same) => {
    expect(isSameModel(model, target)).toBe(same);
  });

  test("makes the item again for the same model only, with its summary as one part", () => {
    expect(renderReasoningItem(envelope, "a\n\nb", "gpt-5.6")).toEqual({
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "a\n\nb" }],
      encrypted_content: "gAAAA+/=",
    });
    expect(renderReasoningItem(envelope, "", "gpt-5.6")).toMatchObject({ summary: [] });
    expect(renderReasoningItem(envelope, "", "gpt-5")).toBeNull();
    expect(renderReasoningItem({ ...envelope, encryptedContent: null }, "", "gpt-5.6")).toBeNull();
  });
});
