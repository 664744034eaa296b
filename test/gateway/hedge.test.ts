import { describe, expect, test } from "bun:test";
import { chatAnswer, chatEvents, chatHi, chatStream, messagesAnswer, openAiError } from "../support/answers.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { AT_REST, createPipeline } from "../support/pipeline.ts";
import type { Scripted, UpstreamCall } from "../support/scripted-client.ts";

/** A pipeline whose two legs answer after the given times. */
function race(
  then: string,
  legs: (call: UpstreamCall, index: number) => readonly [ms: number, answer: Scripted],
  config = "",
) {
  const clock: FakeClock = createFakeClock({ random: 0 });
  return createPipeline({
    clock,
    config: `[retry]\nmax = 0\n${config}`,
    policy: `rules:\n  - name: all\n    then: { ${then} }\n`,
    upstream: async (call, index) => {
      const [ms, answer] = legs(call, index);
      if (ms > 0) await new Promise<void>((resolve) => void clock.after(ms, resolve));
      return answer;
    },
  });
}

describe("a hedge", () => {
  test("is not sent when the first leg answers before the delay", async () => {
    const pipeline = race("hedge: { after: 800ms }", () => [500, chatAnswer("one")]);
    const { headers } = await pipeline.send("chat", chatHi);
    expect(pipeline.calls).toHaveLength(1);
    expect(headers).not.toHaveProperty("x-arouter-hedge");
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("wins when it is faster: the other leg is aborted, both count", async () => {
    const pipeline = race("hedge: { after: 800ms, model: gpt-4o }", (_, index) => [
      index === 0 ? 10_000 : 100,
      chatAnswer(`leg ${index}`),
    ]);
    const { headers, text } = await pipeline.send("chat", chatHi);
    expect(text).toContain("leg 1");
    expect(headers).toMatchObject({
      "x-arouter-hedge": "hedge",
      "x-arouter-attempts": "2",
      "x-arouter-model": "gpt-4o",
    });
    expect(pipeline.calls.map((call) => call.signal.aborted)).toEqual([true, false]);
    expect(pipeline.records[0]?.attempts.map(({ leg, class: outcome }) => [leg, outcome])).toEqual([
      ["primary", "aborted"],
      ["hedge", "ok"],
    ]);
    await pipeline.clock.advance(20_000);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("is booked whichever leg wins: the loser's input by estimate", async () => {
    for (const [slow, fast] of [
      [0, 1],
      [1, 0],
    ]) {
      const pipeline = race("hedge: { after: 100ms }", (_, index) => [index === slow ? 10_000 : 500, chatAnswer("x")]);
      const { headers } = await pipeline.send("chat", chatHi);
      const [record] = pipeline.records;
      expect(record?.attempts[slow ?? 0]?.usage).toMatchObject({ output: 0, source: "estimated" });
      expect(record?.attempts[slow ?? 0]?.costUsd).toBeGreaterThan(0);
      expect(record?.attempts[fast ?? 0]?.usage).toMatchObject({ source: "reported" });
      expect(record?.savedUsd).toBeLessThan(0);
      expect(Number(headers["x-arouter-cost-usd"])).toBeCloseTo(
        (record?.attempts[0]?.costUsd ?? 0) + (record?.attempts[1]?.costUsd ?? 0),
        9,
      );
    }
  });

  test("loses when it is slower", async () => {
    const pipeline = race("hedge: { after: 800ms }", (_, index) => [
      index === 0 ? 1_000 : 5_000,
      chatAnswer(`leg ${index}`),
    ]);
    const { headers, text } = await pipeline.send("chat", chatHi);
    expect([text.includes("leg 0"), headers["x-arouter-hedge"]]).toEqual([true, "primary"]);
    expect(pipeline.calls[1]?.signal.aborted).toBe(true);
    await pipeline.clock.advance(20_000);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("across providers, each leg's losses and format are its own", async () => {
    const pipeline = race("hedge: { after: 100ms, model: claude-sonnet-4-5 }", (_, index) => [
      index === 0 ? 500 : 5_000,
      index === 0 ? chatAnswer("one") : messagesAnswer("two"),
    ]);
    const { headers } = await pipeline.send("chat", { ...chatHi, seed: 1 });
    expect(headers).toMatchObject({ "x-arouter-hedge": "primary", "x-arouter-upstream-format": "chat" });
    expect(headers).not.toHaveProperty("x-arouter-dropped");

    const other = race("hedge: { after: 100ms, model: claude-sonnet-4-5 }", (_, index) => [
      index === 0 ? 5_000 : 500,
      index === 0 ? chatAnswer("one") : messagesAnswer("two"),
    ]);
    const won = await other.send("chat", { ...chatHi, seed: 1 });
    expect(won.headers).toMatchObject({
      "x-arouter-hedge": "hedge",
      "x-arouter-upstream-format": "messages",
      "x-arouter-dropped": "seed",
      "x-arouter-provider": "anthropic",
    });
    expect(won.text).toContain('"object":"chat.completion"');
  });

  test("a leg that fails waits for the other", async () => {
    const pipeline = race("hedge: { after: 100ms }", (_, index) =>
      index === 0 ? [2_000, chatAnswer("one")] : [50, openAiError(500)],
    );
    const { status, headers } = await pipeline.send("chat", chatHi);
    expect([status, headers["x-arouter-hedge"]]).toEqual([200, "primary"]);
  });

  test("what the client has to see ends both", async () => {
    const pipeline = race("hedge: { after: 100ms }", (_, index) =>
      index === 0 ? [20_000, chatAnswer("one")] : [50, openAiError(400)],
    );
    const { status } = await pipeline.send("chat", chatHi);
    expect(status).toBe(400);
    expect(pipeline.calls[0]?.signal.aborted).toBe(true);
  });

  test("with validators the first valid leg wins", async () => {
    const pipeline = race("validate: [json], hedge: { after: 100ms }", (_, index) =>
      index === 0 ? [2_000, chatAnswer("{}")] : [50, chatAnswer("no json")],
    );
    const { headers, text } = await pipeline.send("chat", chatHi);
    expect(text).toContain('"{}"');
    expect(headers).toMatchObject({ "x-arouter-hedge": "primary", "x-arouter-validation": "pass" });
  });

  test("streams race to their first content", async () => {
    const pipeline = race("hedge: { after: 100ms }", (_, index) => [
      index === 0 ? 20_000 : 50,
      chatStream([`leg ${index}`]),
    ]);
    const { headers, text } = await pipeline.send("chat", { ...chatHi, stream: true });
    expect(text).toBe(chatEvents(["leg 1"]).join(""));
    expect(headers["x-arouter-hedge"]).toBe("hedge");
    await pipeline.clock.advance(30_000);
    expect(pipeline.residue()).toEqual(AT_REST);
  });

  test("is not sent for what is stored, nor past the share of extra load", async () => {
    const stored = race("hedge: { after: 100ms }", () => [2_000, chatAnswer("one")]);
    await stored.send("chat", { ...chatHi, store: true });
    expect(stored.calls).toHaveLength(1);

    const many = race("hedge: { after: 100ms }", () => [500, chatAnswer("one")]);
    for (let request = 0; request < 20; request += 1) await many.send("chat", chatHi);
    // The reserve of one, and 2 % of twenty first tries.
    expect(many.calls.length).toBeLessThanOrEqual(22);
    expect(many.calls.length).toBeGreaterThan(20);
  });

  test("the caller's header turns it off and on", async () => {
    const off = race("hedge: { after: 100ms }", () => [500, chatAnswer("one")]);
    await off.send("chat", chatHi, { headers: { "x-arouter-hedge": "off" } });
    expect(off.calls).toHaveLength(1);
    const on = race("tags: { team: a }", () => [500, chatAnswer("one")]);
    await on.send("chat", chatHi, { headers: { "x-arouter-hedge": "100ms;model=gpt-4o" } });
    expect(on.calls).toHaveLength(2);
  });
});
