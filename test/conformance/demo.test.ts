/** `arouter demo`: what it prints is pasted into a shell and into Python, and works as printed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startGateway, type GatewayProcess } from "../support/gateway.ts";
import { findPython } from "../support/python.ts";

setDefaultTimeout(20_000);

let demo: GatewayProcess;
beforeAll(async () => {
  demo = await startGateway({ config: "", args: ["demo", "--listen", "127.0.0.1:0"] });
  const end = Date.now() + 5_000;
  while (!demo.output().includes("Ctrl-C stops it") && Date.now() < end) await Bun.sleep(10);
});
afterAll(() => demo.stop());

/** The indented paragraphs that begin with `start`, as a person copies them. */
function printed(start: string): readonly string[] {
  return demo
    .output()
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.startsWith(`  ${start}`))
    .map((paragraph) => paragraph.replaceAll(/^ {2}/gm, ""));
}

async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, error, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${error}`);
  return out;
}

test.skipIf(Bun.which("curl") === null)("the printed curl calls answer", async () => {
  const calls = printed("curl");
  expect(calls.length).toBeGreaterThanOrEqual(2);
  for (const call of calls) {
    const answer = await run(["bash", "-c", call]);
    if (call.includes('"stream":true'))
      expect(answer.trimEnd()).toMatch(/(event: message_stop\ndata: .*|data: \[DONE\])$/);
    else expect(JSON.parse(answer)).not.toHaveProperty("error");
  }
});

const environment = findPython("newest");
test.skipIf("missing" in environment && process.env["CI"] === undefined)(
  "the printed Python snippet answers",
  async () => {
    if ("missing" in environment) throw new Error(environment.missing);
    const snippets = printed("from ");
    expect(snippets).toHaveLength(1);
    for (const snippet of snippets) expect((await run([environment.python, "-c", snippet])).trim()).not.toBe("");
  },
);

test("stops on SIGTERM", async () => {
  const other = await startGateway({ config: "", args: ["demo", "--listen", "127.0.0.1:0"] });
  expect(await other.stop()).toBe(0);
});
