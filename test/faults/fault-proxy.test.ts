/** The network between gateway and provider goes wrong for real: a fault proxy stands there. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type FaultProxies, type FaultProxy, findToxiproxy, startToxiproxy } from "../support/toxiproxy.ts";
import { send, type Ending } from "./client.ts";
import { AT_REST, HTTP_CLIENTS, openStage, type Stage } from "./stage.ts";

const found = findToxiproxy();
const TEXT = "every word of it has to come over a bad line ".repeat(20).trim();

interface Row {
  readonly name: string;
  readonly harm: (proxy: FaultProxy) => Promise<void>;
  readonly stream: boolean;
  readonly ending: Ending;
  readonly from: "first" | "other";
  readonly minMs?: number;
  /** Pause between events, ms; 0 unless told. */
  readonly delayMs?: number;
}

const ROWS: readonly Row[] = [
  {
    name: "latency",
    harm: (proxy) => proxy.add("latency", { latency: 150 }),
    stream: false,
    ending: "complete",
    from: "first",
    minMs: 150,
  },
  {
    name: "latency and jitter",
    harm: (proxy) => proxy.add("latency", { latency: 60, jitter: 50 }),
    stream: true,
    ending: "complete",
    from: "first",
  },
  {
    name: "latency beyond the limit",
    harm: (proxy) => proxy.add("latency", { latency: 3000 }),
    stream: true,
    ending: "complete",
    from: "other",
  },
  {
    name: "little bandwidth",
    harm: (proxy) => proxy.add("bandwidth", { rate: 40 }),
    stream: true,
    ending: "complete",
    from: "first",
    minMs: 100,
  },
  {
    name: "small slices",
    harm: (proxy) => proxy.add("slicer", { average_size: 7, size_variation: 5, delay: 10 }),
    stream: true,
    ending: "complete",
    from: "first",
  },
  {
    name: "a reset at once",
    harm: (proxy) => proxy.add("reset_peer", { timeout: 0 }),
    stream: true,
    ending: "complete",
    from: "other",
  },
  {
    name: "a reset, buffered",
    harm: (proxy) => proxy.add("reset_peer", { timeout: 0 }),
    stream: false,
    ending: "complete",
    from: "other",
  },
  {
    name: "data that stops",
    harm: (proxy) => proxy.add("timeout", { timeout: 0 }),
    stream: true,
    ending: "complete",
    from: "other",
  },
  {
    name: "data that stops, buffered",
    harm: (proxy) => proxy.add("timeout", { timeout: 0 }),
    stream: false,
    ending: "complete",
    from: "other",
  },
  {
    name: "an answer cut short",
    harm: (proxy) => proxy.add("limit_data", { bytes: 700 }),
    stream: false,
    ending: "complete",
    from: "other",
  },
  {
    name: "a stream cut short",
    harm: (proxy) => proxy.add("limit_data", { bytes: 5000 }),
    stream: true,
    ending: "in-band-error",
    from: "first",
    delayMs: 5,
  },
  {
    name: "a close that takes its time",
    harm: (proxy) => proxy.add("slow_close", { delay: 500 }),
    stream: true,
    ending: "complete",
    from: "first",
  },
  {
    name: "a port that is closed",
    harm: (proxy) => proxy.setOpen(false),
    stream: true,
    ending: "complete",
    from: "other",
  },
];

const SIDES = [
  { format: "chat", provider: "openai", first: "gpt-5.6", other: "claude-sonnet-5-5" },
  { format: "messages", provider: "anthropic", first: "claude-sonnet-5-5", other: "gpt-5.6" },
  { format: "chat", provider: "anthropic", first: "claude-sonnet-5-5", other: "gpt-5.6" },
] as const;

const skipped = "missing" in found ? ` (skipped: ${found.missing})` : "";

describe.skipIf("missing" in found).each([...HTTP_CLIENTS])(`over toxiproxy, by %s${skipped}`, (httpClient) => {
  let proxies: FaultProxies;
  let stage: Stage;
  let faulty: Record<"openai" | "anthropic", FaultProxy>;

  beforeAll(async () => {
    proxies = await startToxiproxy("path" in found ? found.path : "");
    stage = await openStage({
      httpClient,
      config: `
[timeout]
ttft = "1s"
response = "1s"
idle = "1s"
[retry]
max = 0
[breaker]
consecutive_failures = 100000
min_requests = 100000
`,
      through: async (openaiUrl, anthropicUrl) => {
        faulty = {
          openai: await proxies.open("openai", openaiUrl),
          anthropic: await proxies.open("anthropic", anthropicUrl),
        };
        return { openaiUrl: `${faulty.openai.url}/v1`, anthropicUrl: faulty.anthropic.url };
      },
    });
  });
  afterEach(async () => {
    await faulty.openai.heal();
    stage.forget();
  });
  afterAll(async () => {
    await stage?.close();
    await proxies?.stop();
  });

  // Each side over the gateway's own client, one over `fetch`.
  for (const { format, provider, first, other } of httpClient === "own" ? SIDES : SIDES.slice(0, 1)) {
    for (const { name, harm, stream, ending, from, minMs, delayMs = 0 } of ROWS) {
      test(`${name}: a ${format} client, ${first} then ${other}`, async () => {
        await harm(faulty[provider]);
        const prompt = `line [[sim: chunk 20; delay ${delayMs}; text "${TEXT}"]]`;
        const headers = { "x-arouter-fallback-chain": other };
        const got = await send(stage.url, { format, model: first, stream, prompt, headers });
        expect(await stage.settle()).toEqual(AT_REST);
        const [record] = stage.records;
        expect({ ending: got.ending, model: record?.model }).toEqual({
          ending,
          model: from === "first" ? first : other,
        });
        if (ending === "complete") expect(got.text).toBe(TEXT);
        else expect(TEXT.startsWith(got.text)).toBe(true);
        if (minMs !== undefined) expect(got.ms).toBeGreaterThanOrEqual(minMs);
      });
    }
  }
});
