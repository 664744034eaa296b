/**
 * `bun bench/tokens.ts [--worst]`: how far the token estimate is off, for recorded requests against the usage that the provider
 * reported. Prints error quantiles per provider and format, and the requests that are furthest off; needs the recordings.
 */
import { isObject } from "../src/base/json.ts";
import type { JsonObject } from "../src/base/json.ts";
import type { FormatName, ProviderName } from "../src/base/names.ts";
import { PROVIDER_NAMES } from "../src/base/names.ts";
import { totalInput } from "../src/base/usage.ts";
import type { WireFormat } from "../src/wire/format.ts";
import { formatByName } from "../src/wire/formats.ts";
import { createSseDecoder } from "../src/wire/sse/decode.ts";
import { readCorpus } from "../test/support/corpus.ts";
import type { CorpusName, CorpusRecord } from "../test/support/corpus.ts";
import { sharedDir, sharedMissing } from "../test/support/shared.ts";

const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };

/** Input that the provider adds by itself cannot be estimated from the request: searches, stored prompts and files. */
const UNSEEN =
  /web_search|web_fetch|code_execution|code_interpreter|file_search|tool_search|mcp|advisor|previous_response_id|item_reference|"prompt"|file_id|file-|container|"url"|https?:\/\/\S+\.(png|jpe?g|pdf)|encrypted_content|compaction|image_generation|computer_/;

interface Sample {
  readonly id: string;
  readonly model: string;
  readonly estimate: number;
  readonly actual: number;
  readonly media: boolean;
}

function reportedInput(format: WireFormat, { response }: CorpusRecord): number | null {
  if (isObject(response.body)) {
    const { usage } = format.readReply(response.body);
    return usage === null ? null : totalInput(usage);
  }
  if (response.sse === undefined) return null;
  const tally = format.openTally({ collect: false, choices: 1 });
  for (const { event, data } of createSseDecoder({ maxEventBytes: 1 << 24 }).push(Buffer.from(response.sse))) {
    if (data !== null && data.trim() !== "[DONE]") tally.read(JSON.parse(data) as JsonObject, event);
  }
  const { usage } = tally.facts();
  return usage === null ? null : totalInput(usage);
}

function readSamples(format: WireFormat, name: CorpusName): Sample[] {
  return readCorpus(name).flatMap((record) => {
    if (record.request === null || record.response.status !== 200 || /tokens/.test(record.endpoint)) return [];
    const text = JSON.stringify(record.request.body);
    if (UNSEEN.test(text)) return [];
    const actual = reportedInput(format, record);
    if (actual === null || actual === 0) return [];
    const facts = format.facts(format.parseRequest(Buffer.from(text), LIMITS));
    const media = facts.hasImage || facts.hasDocument || facts.hasAudio;
    const model = facts.model;
    return [{ id: record.id, model, estimate: facts.tokensInput, actual, media }];
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function report(title: string, samples: readonly Sample[]): void {
  const signed = samples.map(({ estimate, actual }) => (estimate - actual) / actual).sort((a, b) => a - b);
  const absolute = signed.map(Math.abs).sort((a, b) => a - b);
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  process.stdout.write(
    `${title.padEnd(40)} n ${String(samples.length).padStart(4)}   median error ${percent(quantile(absolute, 0.5))}` +
      `   p95 ${percent(quantile(absolute, 0.95))}   bias ${percent(quantile(signed, 0.5))}\n`,
  );
}

interface TrafficSource {
  readonly provider: ProviderName;
  readonly title: string;
  readonly samples: readonly Sample[];
}

function readSource(provider: ProviderName, format: FormatName, name: CorpusName): TrafficSource {
  return { provider, title: `${provider} ${format}`, samples: readSamples(formatByName(format), name) };
}

if (sharedDir === null) {
  process.stderr.write(`${sharedMissing}\n`);
  process.exit(1);
}
const sources = [
  readSource("openai", "chat", "openai-chat"),
  readSource("openai", "responses", "openai-responses"),
  readSource("anthropic", "messages", "anthropic-messages"),
];

for (const provider of PROVIDER_NAMES) {
  report(
    provider,
    sources.filter((source) => source.provider === provider).flatMap((source) => source.samples),
  );
}
for (const { title, samples } of sources) {
  report(title, samples);
  report(
    `${title}, 200 tokens and more`,
    samples.filter(({ actual }) => actual >= 200),
  );
  report(
    `${title}, images and documents`,
    samples.filter(({ media }) => media),
  );
  if (process.argv.includes("--worst")) {
    const worst = samples.toSorted(
      (a, b) => Math.abs(Math.log(b.estimate / b.actual)) - Math.abs(Math.log(a.estimate / a.actual)),
    );
    for (const { id, model, estimate, actual } of worst.slice(0, 15)) {
      process.stdout.write(`  ${id} ${model} estimated ${estimate}, was ${actual}\n`);
    }
  }
}
