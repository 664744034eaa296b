/** The gateway as it is measured: everything on, a policy of 20 rules of which the last one matches. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECOND_MODELS } from "./workloads.ts";

const RULES = 20;

/** Conditions of all kinds that the benchmark's requests do not meet, so that every rule is tried. */
const NEVER: readonly string[] = [
  "{ tokens_input_gt: 500000 }",
  "{ has_tools: true }",
  "{ has_image: true, stream: true }",
  "{ response_format_type: json_object }",
  '{ model: ["o9-*", "gpt-2*"] }',
  "{ header: { x-team: research } }",
  '{ client: "claude-code" }',
  '{ system_contains: ["this text is nowhere", "nor is this one"] }',
  '{ prompt_contains: ["nor is this in any prompt"] }',
  "{ messages_gt: 400 }",
  '{ user: "intern-*" }',
  '{ metadata: { tier: "free" } }',
  "{ reasoning_effort: [high, xhigh] }",
  "{ max_tokens_gt: 100000 }",
  "{ provider_state: { openai: open, anthropic: open } }",
  '{ any_of: [{ has_audio: true }, { has_document: true }, { header: { x-batch: "1" } }] }',
  '{ percent: { value: 50, by: "header:x-session" } }',
  "{ all_of: [{ provider: openai }, { tool_choice: required }] }",
  "{ not: { tokens_input_lt: 900000 } }",
];

/** Their requests want an answer that fits a schema: the first model's does not, in the benchmark. */
const HEALED: readonly string[] = (["chat", "messages"] as const).map((format) => {
  const chain = `validate: [json_schema], fallback_chain: [${SECOND_MODELS[format]}]`;
  return `  - { name: healed_${format}, when: { response_format_type: json_schema, format: ${format} }, then: { ${chain} } }`;
});

/** `rules` rules of which the last one takes every request; from three on, the two before it heal. */
export function policyYaml(rules = RULES): string {
  const healed = rules > HEALED.length ? HEALED : [];
  const lines = Array.from({ length: rules - 1 - healed.length }, (_, at) => {
    const when = NEVER[at % NEVER.length] as string;
    return `  - { name: never_${at + 1}, when: ${when}, then: { model: gpt-5.4-nano } }`;
  });
  const all = "  - { name: all, then: { tags: { team: bench } } }";
  return `version: 1\nrules:\n${[...lines, ...healed, all].join("\n")}\n`;
}

/** What differs between the gateways of a run. */
export interface GatewayFiles {
  readonly policy?: string;
  /** Further sections of the configuration. */
  readonly sections?: string;
}

/** Writes `arouter.toml` and its policy into `folder`; returns the configuration's path. */
export function writeGatewayFiles(folder: string, upstreamPort: number, files: GatewayFiles = {}): string {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "arouter.toml");
  writeFileSync(join(folder, "policy.yaml"), files.policy ?? policyYaml());
  writeFileSync(
    config,
    `[router]
policy_file = ${JSON.stringify(join(folder, "policy.yaml"))}
[providers.openai]
base_url = "http://127.0.0.1:${upstreamPort}/v1"
surface = "chat"
[providers.anthropic]
base_url = "http://127.0.0.1:${upstreamPort}"
[ledger]
file = ${JSON.stringify(join(folder, "ledger.jsonl"))}
[drain]
delay = "0s"
timeout = "2s"
${files.sections ?? ""}`,
  );
  return config;
}

/** Traces of a tenth of the requests, sent to the benchmark's upstream. */
export function tracedSections(upstreamPort: number): string {
  return `[telemetry]\notlp_endpoint = "http://127.0.0.1:${upstreamPort}"\nsample_ratio = 0.1\n`;
}
