/**
 * `bun bench/policy.ts`: what deciding costs by itself. A decision over 100 rules for a request of 1 KB, what is kept of it
 * for the ledger, and the token estimate of 200 KB; medians, with the goals of docs/benchmarks.md.
 */
import { policyYaml } from "./gateway-files.ts";
import { requestBody, workloadById } from "./workloads.ts";
import { median } from "./report.ts";
import { decide } from "../src/policy/decide.ts";
import type { PolicyInput } from "../src/policy/context.ts";
import { factsForLedger } from "../src/policy/ledger-facts.ts";
import { NO_OVERRIDES } from "../src/policy/overrides.ts";
import { parsePolicy } from "../src/policy/parse.ts";
import type { Policy } from "../src/policy/policy.ts";
import { summarizeDecision } from "../src/policy/summary.ts";
import { formatByName } from "../src/wire/formats.ts";

const ROUNDS = 30;
const ROUND_CALLS = 300;
/** The compiler's own threads are counted too, so it is to be done before the clock starts, as it is in a gateway that runs. */
const WARM_UP_MS = 400;
const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };
const chat = formatByName("chat");
const headers = new Headers({ "content-type": "application/json", "user-agent": "OpenAI/Python 2.8.0" });

/** Median CPU time of one call in µs, over rounds: what else runs on the machine is not counted. */
function timeUs(run: () => unknown, calls = ROUND_CALLS): number {
  for (const endMs = performance.now() + WARM_UP_MS; performance.now() < endMs;) run();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) run();
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / calls);
  }
  return median(rounds);
}

function policyOf(rules: number): Policy {
  const read = parsePolicy([{ name: "policy.yaml", text: policyYaml(rules) }]);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}

function bytesOf(id: string): Uint8Array {
  return Buffer.from(requestBody(workloadById(id), "chat", "chat"));
}

/** The input of a fresh request: facts are read anew each time, as in the gateway. */
function inputOf(bytes: Uint8Array): PolicyInput {
  return {
    facts: chat.facts(chat.parseRequest(bytes, LIMITS)),
    headers,
    client: "openai-python",
    key: null,
    providerOf: (model) => (model.startsWith("claude") ? "anthropic" : "openai"),
    providerState: { openai: "closed", anthropic: "closed" },
    requestId: "req_ar_0123456789ABCDEFGHJKMNPQ",
    wallMs: Date.now(),
    overrides: NO_OVERRIDES,
  };
}

function report(name: string, us: number, goalUs: number | null): void {
  const goal = goalUs === null ? "" : `goal ${goalUs} µs: ${us <= goalUs ? "met" : "missed"}`;
  process.stdout.write(`${name.padEnd(64)} ${us.toFixed(2).padStart(9)} µs  ${goal}\n`);
}

const small = bytesOf("W1");
const large = bytesOf("W6");
const parseUs = timeUs(() => chat.parseRequest(small, LIMITS));
report("parse and check, 1 KB", parseUs, null);
report(
  "parse and check, 200 KB",
  timeUs(() => chat.parseRequest(large, LIMITS), 30),
  null,
);
for (const rules of [1, 20, 100, 1000]) {
  const policy = policyOf(rules);
  const freshUs = timeUs(() => decide(policy, inputOf(small))) - parseUs;
  report(`decide, ${rules} rules, facts of a 1 KB request read on the way`, freshUs, rules === 100 ? 20 : null);
  const input = inputOf(small);
  const { decision, context } = decide(policy, input);
  report(
    `  its facts for the ledger, and its summary`,
    timeUs(() => [factsForLedger(policy, context), summarizeDecision(decision)]),
    null,
  );
}
const parsed = chat.parseRequest(large, LIMITS);
report(
  "token estimate, 200 KB",
  timeUs(() => chat.facts(parsed).tokensInput, 30),
  1000,
);
