/** What a decision costs: `bun bench/policy.ts`. Prints the median and the 99th percentile in microseconds. */
import { decide } from "../src/policy/decide.ts";
import { factsForLedger } from "../src/policy/ledger-facts.ts";
import { NO_OVERRIDES } from "../src/policy/overrides.ts";
import type { PolicyInput } from "../src/policy/context.ts";
import { parsePolicy } from "../src/policy/parse.ts";
import type { Policy } from "../src/policy/policy.ts";
import { formatByName } from "../src/wire/formats.ts";

/** One of each kind of rule that people write, over and over; none matches, so that all are tried. */
const KINDS: readonly ((index: number) => string)[] = [
  (index) => `{ tokens_input_gt: ${100_000 + index}, no_tools: true, no_image: true }`,
  (index) => `{ model: ["claude-${index}-*", "o${index}"], stream: true }`,
  (index) => `{ header: { x-team: "team-${index}-*" }, response_format_type: json_schema }`,
  (index) => `{ header: { x-team: "team-${index}" } }`,
  (index) => `{ any_of: [{ key: "key-${index}" }, { client: "codex", tools_gt: ${index} }] }`,
  (index) => `{ messages_gte: 1, percent: 0.00${index + 1} }`,
  (index) => `{ metadata: { job: "job-${index}" } }`,
  (index) => `{ prompt_contains: "words that do not occur ${index}" }`,
  () => `{ not: { format: chat }, provider: anthropic }`,
  () => `{ time: { tz: Europe/Berlin, days: [sat], from: "01:00", to: "01:01" } }`,
];

function policyOf(rules: number): Policy {
  const lines = Array.from({ length: rules }, (_, index) => {
    const kind = KINDS[index % KINDS.length];
    return `  - { name: r${index}, when: ${kind?.(index) ?? "{}"}, then: { model: m } }\n`;
  });
  const result = parsePolicy([{ name: "bench.yaml", text: `rules:\n${lines.join("")}` }]);
  if (!result.ok) throw new Error(result.diagnostics[0]?.text);
  return result.policy;
}

const format = formatByName("chat");
const body = new TextEncoder().encode(
  JSON.stringify({ model: "gpt-6-sol", messages: [{ role: "system", content: "You are brief." }, { role: "user", content: "word ".repeat(180) }] }),
);
const request = format.parseRequest(body, { jsonDepth: 128, jsonNodes: 1_000_000 });
const headers = new Headers({ "x-team": "web", "user-agent": "OpenAI/Python 2.15.0" });

/** As the gateway makes it for each request: facts that compute when first asked. */
function inputOf(id: number): PolicyInput {
  return {
    facts: format.facts(request),
    header: (name) => headers.get(name),
    client: "openai-python",
    key: null,
    providerOf: () => "openai",
    providerState: { openai: "closed", anthropic: "closed" },
    requestId: `req_${id}`,
    wallMs: 1_795_521_600_000,
    overrides: NO_OVERRIDES,
  };
}

function measure(what: string, run: (id: number) => unknown): void {
  const rounds = 20_000;
  for (let id = 0; id < 2000; id++) run(id);
  const times = Array.from({ length: rounds }, (_, id) => {
    const started = Bun.nanoseconds();
    run(id);
    return (Bun.nanoseconds() - started) / 1000;
  }).toSorted((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(rounds * share)] ?? 0).toFixed(2).padStart(8);
  process.stdout.write(`${what.padEnd(44)} median ${at(0.5)} µs   p99 ${at(0.99)} µs\n`);
}

process.stdout.write(`request of ${body.length} bytes\n`);
for (const rules of [1, 10, 100]) {
  const policy = policyOf(rules);
  measure(`decide, ${rules} rules, none matches`, (id) => decide(policy, inputOf(id)));
}
const policy = policyOf(100);
measure("decide with trace, 100 rules", (id) => decide(policy, inputOf(id), { trace: true }));
measure("facts for the ledger, 100 rules", (id) => factsForLedger(policy, inputOf(id)));
