/**
 * Claude Code and Codex, as their npm packages bring them, do one task with a tool round through the gateway: on their own
 * provider and on the other, named by themselves or swapped in by a rule. What they send is kept in `test/golden`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { agentMissing, runAgent, type AgentName } from "../support/agents.ts";
import { live, startSimulatedGateway, type SimulatedGateway } from "../support/simulated.ts";

// An agent starts two processes, on a busy machine.
setDefaultTimeout(90_000);

interface Round {
  readonly title: string;
  readonly agent: AgentName;
  readonly model: string;
  /** Surface on which the provider is asked. */
  readonly path: string;
  /** The tool that the simulated model calls, with its arguments. */
  readonly call: string;
}

const command = "echo tool-ran > made.txt; cat made.txt";
const bash = `Bash arguments=${JSON.stringify({ command })}`;
const execCommand = `exec_command arguments=${JSON.stringify({ cmd: command })}`;
/** What newer GPT models are given instead: one tool that runs code. */
const code = `const run = await tools.exec_command({ cmd: "${command}" }); text(run.output);`;

const ROUNDS: readonly Round[] = [
  {
    title: "Claude Code on Claude",
    agent: "claude-code",
    model: "claude-sonnet-5-5",
    path: "/v1/messages",
    call: bash,
  },
  { title: "Claude Code on GPT", agent: "claude-code", model: "gpt-6.1-sol", path: "/v1/responses", call: bash },
  {
    title: "Claude Code on GPT, swapped in by a rule",
    agent: "claude-code",
    model: "claude-opus-4-8",
    path: "/v1/responses",
    call: bash,
  },
  {
    title: "Codex on GPT",
    agent: "codex",
    model: "gpt-6.1-sol",
    path: "/v1/responses",
    call: `exec arguments=${JSON.stringify(code)}`,
  },
  { title: "Codex on Claude", agent: "codex", model: "claude-sonnet-5-5", path: "/v1/messages", call: execCommand },
  {
    title: "Codex on Claude, swapped in by a rule",
    agent: "codex",
    model: "gpt-6-sol",
    path: "/v1/messages",
    call: `functions__exec arguments=${JSON.stringify({ input: code })}`,
  },
];

const policies = `version: 1
rules:
  - name: claude_instead
    when: { model: gpt-6-sol }
    then: { model: claude-sonnet-5-5 }
  - name: gpt_instead
    when: { model: claude-opus-4-8 }
    then: { model: gpt-6.1-sol }
`;

let gateway: SimulatedGateway;
beforeAll(async () => {
  gateway = await startSimulatedGateway({ policies, config: '\n[router]\npolicy_file = "policies.yaml"\n' });
});
afterAll(() => gateway.stop());

for (const agent of ["claude-code", "codex"] as const) {
  const missing = live ? "the agents run against the simulator only" : agentMissing(agent);
  describe.skipIf(missing !== null)(missing === null ? agent : `${agent}: ${missing}`, () => {
    for (const [index, { title, model, path, call }] of ROUNDS.entries()) {
      if (ROUNDS[index]?.agent !== agent) continue;
      test(title, async () => {
        const marker = `agent-task-${index}`;
        const { exitCode, output, files } = await runAgent({
          agent,
          gateway: gateway.url,
          model,
          prompt: `Write made.txt. ${marker} [[sim: tools ${call}; text "All is done."]]`,
          reads: ["made.txt"],
        });
        const seen = (gateway.simulator?.log.entries ?? []).filter((entry) => entry.body.includes(marker));
        if (exitCode !== 0 || files[0] === null) throw new Error(`${exitCode}\n${output}\n${gateway.output()}`);
        expect(files[0]).toBe("tool-ran\n");
        expect(output).toContain("All is done.");
        // The task, and its tool's result; the agent may ask for more, a title say, which is another request.
        expect(seen.length).toBeGreaterThanOrEqual(2);
        expect(seen.map((entry) => entry.path)).toEqual(seen.map(() => path));
        expect(seen.map((entry) => entry.status)).toEqual(seen.map(() => 200));
        expect(seen.at(-1)?.body).toContain("tool-ran");
      });
    }
  });
}
