import { describe, expect, test } from "bun:test";
import { FEEDBACK_MAX_BYTES, renderFeedback } from "../../src/heal/feedback.ts";

describe("feedback", () => {
  test("names each reason on a line", () => {
    const text = renderFeedback(["the text is not JSON", "the answer was cut\nby its length limit"]);
    expect(text).toContain("\n- the text is not JSON\n- the answer was cut by its length limit\n");
  });

  test("never exceeds its size, and splits no character", () => {
    for (const reason of ["é".repeat(5_000), "x".repeat(4_000), "😀".repeat(2_000)]) {
      const text = renderFeedback([reason, reason, "last"]);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(FEEDBACK_MAX_BYTES);
      expect(Buffer.from(text).toString()).toBe(text);
      expect(text).not.toContain("\ufffd");
    }
  });
});
