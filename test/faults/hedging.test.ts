import { afterEach, expect, test } from "bun:test";
import { createRandom } from "./chaos.ts";
import { send, type Got } from "./client.ts";
import { AT_REST, openStage, type Stage } from "./stage.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const requests = isLong ? 4000 : 800;
const clients = 8;
/** One leg in twenty is slow: of two legs, one pair in four hundred is. */
const slowShare = 0.05;
const slowMs = 800;
const afterMs = 120;

let stage: Stage;
afterEach(() => stage.close());

const config = (maxExtra: number): string => `
[hedge]
max_extra = ${maxExtra}
[retry]
budget_min_per_second = 1000
`;

/** Runs the same long-tailed load, hedged or not. Whether a leg is slow depends on nothing but chance. */
async function run(hedge: string, stream: boolean): Promise<readonly Got[]> {
  const random = createRandom(5);
  const got: Got[] = [];
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < requests) {
      started += 1;
      const id = started;
      const isSlow = random() < slowShare;
      const isSlowTwice = isSlow && random() < slowShare;
      const slow = isSlowTwice ? `slow ${slowMs}` : isSlow ? `slow ${slowMs} times=1 id=${hedge}-${id}` : "";
      got.push(
        await send(stage.url, {
          format: id % 2 === 0 ? "chat" : "messages",
          model: id % 4 < 2 ? "gpt-5.6" : "claude-sonnet-5-5",
          stream,
          prompt: `tail ${id} [[sim: text "fine"; ${slow}]]`,
          headers: { "x-arouter-hedge": hedge },
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return got;
}

function quantile(got: readonly Got[], share: number): number {
  const times = got.map(({ ms }) => ms).sort((a, b) => a - b);
  return times[Math.floor(times.length * share)] ?? 0;
}

test(
  "a hedge cuts the slowest hundredth to the delay and a fast answer, at one extra call for each slow one",
  async () => {
    stage = await openStage({ config: config(0.15), simulator: { maxLog: 10_000 } });
    const plain = await run("off", false);
    expect(await stage.settle()).toEqual(AT_REST);
    stage.forget();
    stage.simulator.log.clear();
    const hedged = await run(`${afterMs}ms`, false);
    expect(await stage.settle()).toEqual(AT_REST);

    expect(hedged.every(({ ending, text }) => ending === "complete" && text === "fine")).toBe(true);
    const [before, after] = [quantile(plain, 0.99), quantile(hedged, 0.99)];
    const launched = stage.events.filter(({ type }) => type === "hedge-launched").length;
    const theory = slowMs / (afterMs + quantile(plain, 0.5));
    console.log(
      `hedging: p99 ${Math.round(before)} ms, hedged ${Math.round(after)} ms: by ${(before / after).toFixed(1)} where theory says ${theory.toFixed(1)}; ` +
        `${launched} extra calls for ${requests} requests`,
    );
    expect(before).toBeGreaterThan(slowMs);
    expect(before / after).toBeGreaterThan(theory * 0.4);
    // A leg may be given up before it has reached the provider.
    expect(stage.simulator.log.entries.length).toBeLessThanOrEqual(requests + launched);

    // The loser is let go within 100 ms of the answer that won.
    const lost = stage.simulator.log.entries.filter(({ abortedMs }) => abortedMs !== null);
    expect(lost.length).toBeGreaterThan(launched * 0.5);
    const hedgedRecords = stage.records.filter(({ hedge }) => hedge !== null);
    for (const { attempts, costUsd, hedge } of hedgedRecords) {
      expect(attempts).toHaveLength(2);
      const [winner, loser] = attempts[0]?.leg === hedge ? attempts : [...attempts].reverse();
      expect(winner?.class).toBe("ok");
      expect((loser?.startedMs ?? 0) + (loser?.ms ?? 0)).toBeLessThan(
        (winner?.startedMs ?? 0) + (winner?.ms ?? 0) + 100,
      );
      // Both are paid for: the loser told nothing, so its prompt is estimated.
      expect(winner?.usage?.source).toBe("reported");
      expect(loser?.usage).not.toBeNull();
      if (loser?.class === "aborted") expect(loser.usage?.source).toBe("estimated");
      expect(loser?.costUsd).toBeGreaterThan(0);
      expect(costUsd ?? 0).toBeCloseTo((winner?.costUsd ?? 0) + (loser?.costUsd ?? 0), 10);
    }
  },
  isLong ? 300_000 : 60_000,
);

test("extra calls stay under their cap when everything is slow", async () => {
  stage = await openStage({ config: config(0.02) });
  const total = 200;
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < total) {
      started += 1;
      const prompt = `slow ${started} [[sim: text "fine"; slow 40]]`;
      const got = await send(stage.url, {
        format: "chat",
        model: "gpt-5.6",
        stream: true,
        prompt,
        headers: { "x-arouter-hedge": "10ms" },
      });
      expect(got.ending).toBe("complete");
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const launched = stage.events.filter(({ type }) => type === "hedge-launched").length;
  console.log(`hedging: ${launched} extra calls where 0.02 × ${total} + 1 are allowed`);
  expect(launched).toBeGreaterThan(0);
  expect(launched).toBeLessThanOrEqual(0.02 * total + 1);
});
