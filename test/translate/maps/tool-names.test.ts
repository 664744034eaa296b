import { describe, expect, test } from "bun:test";
import { sha256Hex } from "../../../src/base/ids.ts";
import {
  chatToolId,
  createChatToolNames,
  createMessagesToolNames,
  messagesToolId,
  mintToolId,
} from "../../../src/translate/maps/tool-names.ts";

describe("tool names", () => {
  test("that fit are sent as they are", () => {
    const name = "a".repeat(64);
    expect(createChatToolNames().send(name)).toBe(name);
    expect(createMessagesToolNames().send("a".repeat(128))).toBe("a".repeat(128));
  });

  test("#37 that are too long are shortened to 64 characters, the same every time, and restored", () => {
    const name = "a".repeat(65);
    const names = createChatToolNames();
    const sent = names.send(name);
    expect(sent).toBe(`${"a".repeat(55)}_${sha256Hex(name, 8)}`);
    expect(createChatToolNames().send(name)).toBe(sent);
    expect(names.restore(sent)).toBe(name);
    expect(createMessagesToolNames().send("a".repeat(129))).toHaveLength(64);
  });

  test("lose illegal characters, and names that differ only in those stay apart", () => {
    const names = createMessagesToolNames();
    const [dotted, slashed] = [names.send("a.b"), names.send("a/b")];
    expect(dotted).toMatch(/^a_b_[0-9a-f]{8}$/);
    expect(dotted).not.toBe(slashed);
    expect(names.restore(slashed)).toBe("a/b");
  });

  test("that were never sent are returned as they are", () => {
    expect(createChatToolNames().restore("__proto__")).toBe("__proto__");
  });
});

describe("tool ids", () => {
  test("for Anthropic lose illegal characters", () => {
    expect(messagesToolId("toolu_01A-b")).toBe("toolu_01A-b");
    expect(messagesToolId("call:1")).toBe(`call_1_${sha256Hex("call:1", 8)}`);
    expect(messagesToolId("")).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("#38 for OpenAI have at most 40 characters", () => {
    expect(chatToolId("x".repeat(40))).toBe("x".repeat(40));
    expect(chatToolId("x".repeat(41))).toBe(`call_${sha256Hex("x".repeat(41), 32)}`);
  });

  test("are minted from the answer and the place", () => {
    expect(mintToolId("msg_1", 0)).toMatch(/^toolu_[0-9a-f]{24}$/);
    expect(mintToolId("msg_1", 0)).not.toBe(mintToolId("msg_1", 1));
  });
});
