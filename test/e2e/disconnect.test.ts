/** A client that leaves, at every stage of its request, over real sockets: its upstream call is let go within a quarter of a second. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { bodyOf, type Ask } from "../faults/client.ts";
import { connectRaw, type RawClient, renderPost } from "../faults/raw-client.ts";
import { AT_REST, openStage, type Stage } from "../faults/stage.ts";

const LIMIT_MS = 250;

const PATHS = { chat: "/v1/chat/completions", messages: "/v1/messages" };

interface Phase {
  readonly name: string;
  readonly stream: boolean;
  readonly words: string;
  readonly headers?: string;
  /** Attempts that were sent by then; 0: waiting for a place. */
  readonly attempts?: number;
}

const PHASES: readonly Phase[] = [
  { name: "waiting for headers, streamed", stream: true, words: "slow 5000" },
  { name: "waiting for headers, buffered", stream: false, words: "slow 5000" },
  { name: "waiting for first content", stream: true, words: "fault stall after=1" },
  { name: "in the middle of a stream", stream: true, words: "long 400; delay 20" },
  { name: "in the middle of a stream that is silent", stream: true, words: "fault stall after=7" },
  { name: "while the answer is held", stream: true, words: "long 400; delay 20", headers: "x-arouter-heal: full\r\n" },
  { name: "with half of a buffered answer there", stream: false, words: "fault stall" },
  {
    name: "with both legs of a hedge under way",
    stream: false,
    words: "slow 5000",
    headers: "x-arouter-hedge: 20ms\r\n",
    attempts: 2,
  },
  { name: "while waiting to try again", stream: false, words: "status 503 retry-after-ms=4000", attempts: 1 },
];

let stage: Stage;
let client: RawClient | null = null;
beforeAll(async () => {
  stage = await openStage({
    config:
      '[stream]\nkeepalive = "50ms"\n[hedge]\nmax_extra = 1.0\n[retry]\nbudget_min_per_second = 1000\n[breaker]\nconsecutive_failures = 100000\n',
  });
});
beforeEach(() => {
  stage.forget();
  stage.simulator.log.clear();
});
afterEach(() => client?.close());
afterAll(() => stage.close());

for (const format of ["chat", "messages"] as const) {
  for (const model of ["gpt-5.6", "claude-sonnet-5-5"]) {
    describe(`a ${format} client of ${model} leaves`, () => {
      for (const { name, stream, words, headers = "", attempts = 1 } of PHASES) {
        test(name, async () => {
          const ask: Ask = { format, model, stream, prompt: `leaving [[sim: ${words}]]` };
          client = await connectRaw(stage.url);
          client.write(renderPost(PATHS[format], bodyOf(ask), headers));
          const isUnderWay = (): boolean =>
            stage.events.filter(({ type }) => type === "attempt-started").length >= attempts;
          for (let look = 0; look < 200 && !isUnderWay(); look += 1) await Bun.sleep(5);
          await Bun.sleep(60);
          expect(isUnderWay()).toBe(true);
          const leftMs = performance.now();
          client.close();
          expect(await stage.settle(2000)).toEqual(AT_REST);
          const restMs = performance.now() - leftMs;
          expect(restMs).toBeLessThan(LIMIT_MS);
          const [record, ...others] = stage.records;
          expect(others).toEqual([]);
          expect({ outcome: record?.outcome, status: record?.status }).toEqual({ outcome: "client_gone", status: 499 });
          expect(record?.attempts.length).toBe(attempts);
          // The provider has seen it too.
          const entries = stage.simulator.log.entries;
          const isOpen = (): boolean => entries.some((entry) => entry.status === 200 && entry.abortedMs === null);
          for (let look = 0; look < 50 && isOpen(); look += 1) await Bun.sleep(5);
          expect(isOpen()).toBe(false);
          for (const { abortedMs } of entries)
            if (abortedMs !== null) expect(abortedMs - leftMs).toBeLessThan(LIMIT_MS);
        });
      }
    });
  }
}
