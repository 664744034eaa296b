/** Both providers in a process of their own: prints where they listen as one JSON line, ends with its standard input. */
import { createSimulator } from "../../src/simulator/simulator.ts";

if (import.meta.main) {
  const address = createSimulator({ maxLog: 1, direct: process.argv.includes("--direct") }).listen();
  console.log(JSON.stringify({ openaiUrl: address.openaiUrl, anthropicUrl: address.anthropicUrl }));
  await Bun.stdin.text();
  process.exit(0);
}

export interface SimulatorProcess {
  readonly openaiUrl: string;
  readonly anthropicUrl: string;
  readonly stop: () => Promise<void>;
}

/** Starts it. `direct`: without the TCP front, which resets need. */
export async function startSimulatorProcess(direct: boolean): Promise<SimulatorProcess> {
  const child = Bun.spawn([process.execPath, import.meta.path, ...(direct ? ["--direct"] : [])], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the simulator ended before it listened");
    text += new TextDecoder().decode(value);
  }
  const { openaiUrl, anthropicUrl } = JSON.parse(text) as { openaiUrl: string; anthropicUrl: string };
  return {
    openaiUrl,
    anthropicUrl,
    stop: async () => {
      await child.stdin.end();
      await child.exited;
    },
  };
}
