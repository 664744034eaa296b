/** The gateway as it is measured: everything on, a policy of 20 rules of which the last one matches. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RULES = 20;

/** Conditions of all kinds that the benchmark's requests do not meet, so that every rule is tried. */
const NEVER: readonly string[] = [
  "{ tokens_input_gt: 500000 }",
  "{ has_tools: true }",
  "{ has_image: true, stream: true }",
  "{ response_format_type: json_schema }",
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

export function policyYaml(rules = RULES): string {
  const lines = Array.from({ length: rules - 1 }, (_, at) => {
    const when = NEVER[at % NEVER.length] as string;
    return `  - { name: never_${at + 1}, when: ${when}, then: { model: gpt-5.4-nano } }`;
  });
  return `version: 1\nrules:\n${lines.join("\n")}\n  - { name: all, then: { tags: { team: bench } } }\n`;
}

/** Writes `arouter.toml` and its policy into `folder`; returns the configuration's path. */
export function writeGatewayFiles(folder: string, upstreamPort: number): string {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "arouter.toml");
  writeFileSync(join(folder, "policy.yaml"), policyYaml());
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
`,
  );
  return config;
}
