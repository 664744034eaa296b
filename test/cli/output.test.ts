import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const output = resolve(import.meta.dir, "../../src/cli/output.ts");

/** A program of its own that has what output.ts exports. */
function program(code: string): string[] {
  const script = `import { createOutput, isTerminal, openOutput } from ${JSON.stringify(output)};\n${code}`;
  return [process.execPath, "-e", script];
}

function run(code: string) {
  return Bun.spawn(program(code), { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
}

describe("the output of the process", () => {
  test("keeps the order of texts, whichever way they go", async () => {
    const sizes = [3, 2000, 40, 200, 100_000, 5, 0, 3000, 1];
    const code = `const write = createOutput("stdout"); ${JSON.stringify(sizes)}.forEach((size, at) => write("äbcdefghi"[at].repeat(size)));`;
    const child = run(code);
    const expected = sizes.map((size, at) => "äbcdefghi".charAt(at).repeat(size)).join("");
    expect(await new Response(child.stdout).text()).toBe(expected);
    expect(await child.exited).toBe(0);
  });

  test("shares the order with the stream", async () => {
    const child = run(
      `const write = createOutput("stdout"); write("a"); openOutput("stdout").write("b"); write("c"); openOutput("stdout").write("d");`,
    );
    expect(await new Response(child.stdout).text()).toBe("abcd");
  });

  test("is no terminal when it is a pipe", async () => {
    const child = run(`createOutput("stdout")(String(isTerminal()));`);
    expect(await new Response(child.stdout).text()).toBe("false");
  });

  test.skipIf(!existsSync("/dev/full"))("of a full disk is told by the exit status", async () => {
    const child = Bun.spawn(program(`createOutput("stdout")("short");`), { stdout: Bun.file("/dev/full") });
    expect(await child.exited).toBe(1);
  });

  test("that nobody reads is no failure", async () => {
    const child = run(
      `await Bun.stdin.text(); const write = createOutput("stdout"); await Bun.sleep(50); write("short"); write("long".repeat(50_000));`,
    );
    await child.stdout.cancel();
    expect(await child.exited).toBe(0);
  });
});
