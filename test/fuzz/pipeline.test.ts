/**
 * Requests that are nearly right against answers that are nearly right, through the whole pipeline: nothing crashes, nothing
 * hangs, nothing is left behind, and no client's input makes a 5xx of the gateway's own.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { AT_REST, createPipeline, type Pipeline } from "../support/pipeline.ts";
import type { Scripted } from "../support/scripted-client.ts";
import { altered, ANSWERS, REQUESTS, spoilt, streams } from "./requests.ts";

const isLong = process.env["AROUTER_LONG"] === "1";
const cases = Number(process.env["AROUTER_FUZZ_CASES"] ?? (isLong ? 1_000_000 : 4000));
const seed = Number(process.env["AROUTER_SEED"] ?? Date.now() % 1_000_000_000);
/** A pipeline remembers its events: a fresh one now and then. */
const CASES_EACH = 200;

const CONFIG = `
[retry]
max = 1
base = "1ms"
cap = "1ms"
throttle_base = "1ms"
throttle_cap = "1ms"
retry_after_patience = "10ms"
retry_after_cap = "10ms"
[timeout]
ttft = "100ms"
response = "100ms"
idle = "50ms"
total = "1s"
[breaker]
consecutive_failures = 1000000
min_requests = 1000000
`;

const MODELS = ["gpt-5.6", "gpt-4o-mini", "o3", "claude-sonnet-5-5", "claude-haiku-4-5", "no-such-model", ""];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { "x-arouter-fallback-chain": "claude-sonnet-5-5,gpt-5.6" },
  {
    "x-arouter-validate": "json_schema,json,tool_arguments,non_empty,complete,no_refusal",
    "x-arouter-fallback-chain": "gpt-4o-mini",
  },
  { "x-arouter-heal": "full", "x-arouter-fallback-chain": "gpt-5.6" },
  { "x-arouter-strict": "1" },
  { "x-arouter-dry-run": "1" },
  { "x-arouter-explain": "1", "x-arouter-hedge": "5ms" },
  { "anthropic-beta": "x,y", "anthropic-version": "2023-06-01" },
  { "x-arouter-model": "no such" },
  { "x-arouter-timeout": "20ms" },
];

const requests = fc.constantFrom("chat", "messages", "responses").chain((format) =>
  fc
    .record({
      json: altered(REQUESTS[format], 2),
      model: fc.option(fc.constantFrom(...MODELS), { freq: 3 }),
      stream: fc.option(fc.boolean(), { freq: 5 }),
    })
    .chain(({ json, model, stream }) => {
      const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
      const named = isObject
        ? { ...json, ...(model === null ? {} : { model }), ...(stream === null ? {} : { stream }) }
        : json;
      return fc.record({ format: fc.constant(format), body: spoilt(fc.constant(named)) });
    }),
);

const answers: fc.Arbitrary<Scripted> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      status: fc.constantFrom(200, 200, 200, 200, 400, 401, 404, 429, 500, 529, 307, 204),
      body: fc.constantFrom(...ANSWERS).chain((answer) => spoilt(altered(answer, 2))),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      body: streams.chain((bytes) => fc.nat(40).map((size) => (size === 0 ? bytes : inPieces(bytes, size)))),
      headers: fc.constantFrom(
        { "content-type": "text/event-stream" },
        { "content-type": "text/event-stream; charset=utf-8" },
      ),
      end: fc.constantFrom("close" as const, "close" as const, "cut" as const, "open" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Scripted>({ fails: "ECONNRESET" }, { fails: "ConnectionRefused" }, { hangs: true }),
  },
);

function inPieces(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size * 4) pieces.push(bytes.subarray(at, at + size * 4));
  return pieces.length === 0 ? [bytes] : pieces;
}

/** Errors that only an upstream can be the reason of. */
const OF_UPSTREAM = new Set([
  "upstream-unreachable",
  "upstream-invalid",
  "upstream-interrupted",
  "upstream-timeout",
  "deadline",
]);

test(
  `whatever is sent and whatever is answered, each request ends (seed ${seed})`,
  async () => {
    let pipeline: Pipeline | null = null;
    let next: readonly Scripted[] = [];
    let count = 0;
    const statuses = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.constantFrom(...HEADERS),
        fc.array(answers, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 5 }),
        async ({ format, body }, headers, scripted, leaves) => {
          if (pipeline === null || count % CASES_EACH === 0) {
            pipeline = createPipeline({
              config: CONFIG,
              upstream: (_, index) => next[index % next.length] ?? { hangs: true },
            });
          }
          count += 1;
          next = scripted;
          const before = {
            calls: pipeline.calls.length,
            events: pipeline.events.length,
            records: pipeline.records.length,
          };
          if (leaves === 0) {
            // The client leaves while its answer is under way.
            const started = pipeline.start(format, body, { headers });
            started.leave();
            await pipeline.clock.advance(20);
            await (await started.opened).leave();
          } else {
            const answered = await pipeline.send(format, body, { headers }).catch(() => null);
            const record = pipeline.records.at(-1);
            expect(answered).not.toBeNull();
            const status = answered?.status ?? 0;
            statuses.set(`${status}`, (statuses.get(`${status}`) ?? 0) + 1);
            expect(record?.error).not.toBe("internal");
            const isOwn = status >= 500 && pipeline.calls.length === before.calls;
            expect(isOwn ? record?.error : null).toBeNull();
            const error = answered?.headers["x-arouter-error"];
            if (status >= 500 && error !== undefined) expect(OF_UPSTREAM.has(error)).toBe(true);
            if (error !== undefined) expect(() => JSON.parse(answered?.text ?? "")).not.toThrow();
          }
          await pipeline.clock.advance(5);
          expect(pipeline.records.length).toBe(before.records + 1);
          expect(pipeline.events.slice(before.events).filter(({ type }) => type === "defect")).toEqual([]);
          expect(pipeline.residue()).toEqual(AT_REST);
        },
      ),
      {
        numRuns: cases,
        seed,
        endOnFailure: !isLong,
        interruptAfterTimeLimit: isLong ? 4 * 3_600_000 : 45_000,
        markInterruptAsFailure: false,
      },
    );
    console.log(
      `fuzz: ${count} cases, seed ${seed}, statuses ${JSON.stringify(Object.fromEntries([...statuses].toSorted(([a], [b]) => a.localeCompare(b))))}`,
    );
  },
  isLong ? 4 * 3_600_000 : 120_000,
);
